/**
 * mincore(2) and msync(2).
 */
import { ENOMEM } from "../lib/errno";
import { frameOf, releaseFrame } from "../mm/frames";
import { PAGE_SIZE, pageRoundUp } from "../mm/layout";
import { findEntry } from "../mm/user-tables";
import { AddressSpace } from "./address-space";
import { hasHole } from "./advise";
import { isUserRange } from "./unmap";
import { Vma } from "./vma";

/** One byte a page to `out`, 1 = in memory; 0 or -ENOMEM. Hold the lock. */
export function residencyOf(space: AddressSpace, start: usize, length: usize, out: usize): i64 {
  const bytes = pageRoundUp(length);
  if (!isUserRange(start, bytes) || hasHole(space, start, start + bytes)) return -ENOMEM;
  let vma = space.tree.find(start);
  for (let at = start; at < start + bytes && vma; at += PAGE_SIZE) {
    if (at >= vma.end) vma = space.tree.next(vma);
    const present = findEntry(space.root, at) != 0 || (vma != null && isCached(vma, at));
    store<u8>(out + ((at - start) >> 12), present ? 1 : 0);
  }
  return 0;
}

function isCached(vma: Vma, address: usize): bool {
  const pager = vma.pager;
  if (!pager) return false;
  const frame = pager.cachedPage(vma.fileIndex(address));
  if (!frame) return false;
  releaseFrame(frameOf(frame));
  return true;
}

/** Passes the request to write back to the files mapped in the range; 0, -ENOMEM, -EIO. */
export function syncRange(space: AddressSpace, start: usize, length: usize, _flags: u32): i64 {
  const end = start + pageRoundUp(length);
  if (!isUserRange(start, end - start)) return -ENOMEM;
  space.lock();
  let result: i64 = hasHole(space, start, end) ? -ENOMEM : 0;
  let at = start;
  while (at < end) {
    const vma = space.tree.find(at);
    if (!vma || vma.start >= end) break;
    const first = max(vma.start, at);
    const last = min(vma.end, end);
    const pager = vma.pager;
    at = last;
    if (!pager || !vma.isShared) continue;
    const index = vma.fileIndex(first);
    pager.retain();
    // Writing back sleeps and may fault nothing in: without the lock.
    space.unlock();
    const error = pager.writeBack(index, <u64>(last - first) >> 12);
    pager.release();
    space.lock();
    if (!result) result = <i64>error;
  }
  space.unlock();
  return result;
}
