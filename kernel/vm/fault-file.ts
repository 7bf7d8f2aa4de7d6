/**
 * Faults on mapped files. Reading maps the page cache's own frame; writing maps it writable if the
 * mapping is shared, else a copy of it. Up to 16 neighbours that are in memory are mapped with a page
 * that is read. Hold the address space's lock.
 */
import { allocateAnonymousFrame, FRAME_ANONYMOUS, frameOf, releaseFrame } from "../mm/frames";
import { retainFrame } from "../mm/frame";
import { releaseMapped } from "../mm/gather";
import { PAGE_SIZE, toVirtual } from "../mm/layout";
import { copyPage } from "../mm/page-content";
import { entryAddress } from "../mm/pte";
import { flushRange } from "../mm/tlb";
import { AddressSpace } from "./address-space";
import { needPage } from "./fault";
import { FAULT_OOM, FAULT_RESOLVED, FAULT_SIGBUS } from "./flags";
import { Pager } from "./pager";
import { readRightsOf, writeRightsOf } from "./rights";
import { Vma, VMA_RANDOM } from "./vma";

/** Neighbours are mapped within an aligned window of this size, 16 pages. */
const WINDOW: usize = 16 * PAGE_SIZE;

/**
 * Resolves a fault on `page`, whose entry at `slot` is empty, or read-only in a shared mapping that is
 * written to.
 * @param readPager with `readIndex` and `readPage`: a page that was read for this fault
 */
export function touchFile(
  space: AddressSpace,
  vma: Vma,
  pager: Pager,
  page: usize,
  slot: usize,
  write: bool,
  readPager: Pager | null,
  readIndex: u64,
  readPage: u64,
): i32 {
  const index = vma.fileIndex(page);
  if (index << 12 >= pager.sizeBytes()) return FAULT_SIGBUS;
  const isShared = vma.isShared;
  let frame: u64 = 0;
  if (readPage && readIndex == index && changetype<usize>(readPager) == changetype<usize>(pager)) {
    frame = readPage;
    retainFrame(frameOf(frame));
  } else if (!(write && isShared)) frame = pager.cachedPage(index);
  if (!frame) return needPage(space, pager, index, write && isShared);
  if (!write) {
    store<u64>(slot, frame | readRightsOf(vma.prot));
    space.resident++;
    if (!(vma.flags & VMA_RANDOM)) mapNeighbours(space, vma, pager, page, slot);
    return FAULT_RESOLVED;
  }
  if (isShared) return replace(space, vma, page, slot, frame);
  const copy = allocateAnonymousFrame();
  if (!copy) {
    releaseFrame(frameOf(frame));
    return FAULT_OOM;
  }
  copyPage(toVirtual(copy), toVirtual(frame));
  releaseFrame(frameOf(frame));
  frameOf(copy).kind = FRAME_ANONYMOUS;
  store<u64>(slot, copy | writeRightsOf(vma.prot));
  space.resident++;
  return FAULT_RESOLVED;
}

/** Maps a shared page writable, in place of what is mapped. */
function replace(space: AddressSpace, vma: Vma, page: usize, slot: usize, frame: u64): i32 {
  const entry = load<u64>(slot);
  store<u64>(slot, frame | writeRightsOf(vma.prot));
  if (!entry) {
    space.resident++;
    return FAULT_RESOLVED;
  }
  // The same frame as a rule; another one if writing gave the file a page of its own.
  if (entryAddress(entry) != frame) flushRange(space.root, page, page + PAGE_SIZE);
  releaseMapped(frameOf(entryAddress(entry)));
  return FAULT_RESOLVED;
}

/** Maps the pages around `page` that are in memory and not mapped yet, for reading. */
function mapNeighbours(
  space: AddressSpace,
  vma: Vma,
  pager: Pager,
  page: usize,
  slot: usize,
): void {
  const rights = readRightsOf(vma.prot);
  // The window is aligned, so it never leaves the table that `slot` lies in.
  const start = max(page & ~(WINDOW - 1), vma.start);
  const pages = (pager.sizeBytes() + (PAGE_SIZE - 1)) >> 12;
  const fileEnd = vma.start + ((<usize>pages) << 12) - <usize>vma.offset;
  const end = min(min((page & ~(WINDOW - 1)) + WINDOW, vma.end), fileEnd);
  let index = vma.fileIndex(start);
  let at = slot - ((page - start) >> 9);
  for (let address = start; address < end; address += PAGE_SIZE) {
    if (!load<u64>(at)) {
      const frame = pager.cachedPage(index);
      if (frame) {
        store<u64>(at, frame | rights);
        space.resident++;
      }
    }
    at += 8;
    index++;
  }
}
