/**
 * munmap(2), and taking pages out of mappings that stay (MADV_DONTNEED).
 * Lock: the address space's.
 */
import { EINVAL, ENOMEM } from "../lib/errno";
import { beginGather, finishGather } from "../mm/gather";
import { PAGE_MASK, pageRoundUp, USER_END } from "../mm/layout";
import { splitHugeAt, unmapPages } from "../mm/user-tables";
import { AddressSpace } from "./address-space";
import { moveStart, splitAt } from "./split";
import { destroyVma, Vma } from "./vma";

/** One past the last address that the application's half of a root table covers. */
const TABLES_END: usize = 1 << 47;

/** True if [address, address + length) is a range of whole pages of user addresses. */
export function isUserRange(address: usize, length: usize): bool {
  return (address & PAGE_MASK) == 0 && length <= USER_END && address <= USER_END - length;
}

/** munmap(2): 0, -EINVAL, or -ENOMEM if a mapping or a large page cannot be divided. */
export function unmapRange(space: AddressSpace, address: usize, length: usize): i64 {
  if (length == 0 || length > USER_END) return -EINVAL;
  const bytes = pageRoundUp(length);
  if (!isUserRange(address, bytes)) return -EINVAL;
  return removeRange(space, address, address + bytes);
}

/** Removes all mappings and pages in [start, end): 0 or -ENOMEM. */
export function removeRange(space: AddressSpace, start: usize, end: usize): i64 {
  const tree = space.tree;
  let vma = tree.find(start);
  if (!vma || vma.start >= end) return 0;
  if (vma.start <= start && end <= vma.end && (vma.start == start) != (vma.end == end)) {
    return splitPages(space, start, end) ? trim(space, vma, start, end) : -ENOMEM;
  }
  if (!splitAt(space, start, end)) return -ENOMEM;
  vma = tree.find(start);
  space.recent = null;
  const floor = vma ? tree.endBefore(vma) : 0;
  while (vma && vma.start < end) {
    const next = tree.next(vma);
    space.mapped -= <u64>vma.length;
    tree.drop(vma);
    destroyVma(vma);
    vma = next;
  }
  clearPages(space, start, end, floor, vma ? vma.start : TABLES_END);
  return 0;
}

/** Removes [start, end), one end of a mapping, without dividing it. @returns 0 */
function trim(space: AddressSpace, vma: Vma, start: usize, end: usize): i64 {
  const tree = space.tree;
  let floor = start;
  let ceiling = end;
  if (vma.start == start) {
    floor = tree.endBefore(vma);
    moveStart(space, vma, end);
  } else {
    const next = tree.next(vma);
    ceiling = next ? next.start : TABLES_END;
    tree.resize(vma, vma.start, start);
  }
  space.mapped -= <u64>(end - start);
  clearPages(space, start, end, floor, ceiling);
  return 0;
}

/** Takes the pages in [start, end) out of their mappings, which stay: 0 or -ENOMEM. */
export function zapRange(space: AddressSpace, start: usize, end: usize): i64 {
  if (!splitPages(space, start, end)) return -ENOMEM;
  clearPages(space, start, end, USER_END, 0);
  return 0;
}

/** Divides 2 MiB pages that reach across the ends of the range; false if there is no memory. */
export function splitPages(space: AddressSpace, start: usize, end: usize): bool {
  return splitHugeAt(space.root, start) && splitHugeAt(space.root, end);
}

function clearPages(
  space: AddressSpace,
  start: usize,
  end: usize,
  floor: usize,
  ceiling: usize,
): void {
  const gather = space.gather;
  beginGather(gather, start, end);
  unmapPages(gather, start, end, floor, ceiling);
  finishGather(gather);
  if (space.resident > space.residentPeak) space.residentPeak = space.resident;
  space.resident -= gather.pages;
}
