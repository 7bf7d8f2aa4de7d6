/**
 * Faults on anonymous memory, and private copies of pages. Hold the address space's lock.
 *
 * Memory that is written in ascending order gets several pages a fault: 2, 4, … up to 16, as long as
 * memory is plentiful. A whole aligned 2 MiB of a mapping gets one large page at its first write.
 */
import { buddyFreeCount } from "../mm/buddy";
import {
  allocateUserBlock,
  allocateAnonymousFrame,
  allocateZeroedAnonymousFrame,
  FRAME_ANONYMOUS,
  frameByNumber,
  frameOf,
  reservedFrameCount,
  totalFrameCount,
} from "../mm/frames";
import { releaseMapped } from "../mm/gather";
import { HUGE_ORDER, HUGE_PAGE_MASK, HUGE_PAGE_SIZE, PAGE_SIZE, toVirtual } from "../mm/layout";
import { clearPages, copyPage } from "../mm/page-content";
import {
  ENTRIES,
  entryAddress,
  entryFrame,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_HUGE,
  PTE_PRESENT,
  PTE_WRITE,
} from "../mm/pte";
import { flushRange } from "../mm/tlb";
import { splitHuge, withRights } from "../mm/user-tables";
import { zeroFrameNumber, zeroPage } from "../mm/zero-page";
import { AddressSpace } from "./address-space";
import { FAULT_OOM, FAULT_RESOLVED } from "./flags";
import { readRightsOf, rightsOf, writeRightsOf } from "./rights";
import { Vma, VMA_NO_HUGE } from "./vma";

/** Most pages mapped at one fault. */
const TOUCH_PAGES_MAX: u32 = 16;
/** "Plentiful": a quarter of all frames is free, and at least so many. */
const PLENTY_DIVISOR: u64 = 4;
const PLENTY_FRAMES: u64 = 512;

function isPlentiful(): bool {
  const free = buddyFreeCount();
  return free > PLENTY_FRAMES + reservedFrameCount() && free > totalFrameCount() / PLENTY_DIVISOR;
}

/** Fills the empty entry at `slot` for the page at `page`, and perhaps those after it. */
export function touchAnonymous(
  space: AddressSpace,
  vma: Vma,
  page: usize,
  slot: usize,
  write: bool,
): i32 {
  if (!write) {
    const zero = zeroPage();
    if (!zero) return FAULT_OOM;
    store<u64>(slot, zero | readRightsOf(vma.prot));
    return FAULT_RESOLVED;
  }
  const rights = writeRightsOf(vma.prot);
  let count: u32 = 1;
  if (page == vma.nextTouch) {
    count = min(vma.touchPages * 2, TOUCH_PAGES_MAX);
    if (count > 1) count = limitTouch(vma, page, count);
  }
  let done: u32 = 0;
  while (true) {
    const frame = allocateZeroedAnonymousFrame();
    if (!frame) break;
    frameOf(frame).kind = FRAME_ANONYMOUS;
    store<u64>(slot, frame | rights);
    done++;
    slot += 8;
    if (done == count || load<u64>(slot)) break;
  }
  if (!done) return FAULT_OOM;
  space.resident += done;
  vma.nextTouch = page + ((<usize>done) << 12);
  vma.touchPages = done;
  return FAULT_RESOLVED;
}

/** How many of `count` pages from `page` on lie in the mapping, in one table, and are affordable. */
function limitTouch(vma: Vma, page: usize, count: u32): u32 {
  if (!isPlentiful()) return 1;
  const inTable = <u32>((HUGE_PAGE_SIZE - (page & HUGE_PAGE_MASK)) >> 12);
  const inMapping = (vma.end - page) >> 12;
  return min(count, min(inTable, inMapping < TOUCH_PAGES_MAX ? <u32>inMapping : TOUCH_PAGES_MAX));
}

/** True if the 2 MiB around the address should be one page. */
export function wantsHuge(space: AddressSpace, vma: Vma, address: usize): bool {
  const start = address & ~HUGE_PAGE_MASK;
  if (start < vma.start || start + HUGE_PAGE_SIZE > vma.end) return false;
  if (space.hasSmallPagesOnly || vma.pager != null || (vma.flags & VMA_NO_HUGE) != 0) return false;
  return isPlentiful();
}

/** Puts a zeroed 2 MiB page into the empty level-2 entry; false if there is none. */
export function mapHuge(space: AddressSpace, vma: Vma, slot: usize): bool {
  const block = allocateUserBlock(HUGE_ORDER);
  if (!block) return false;
  clearPages(toVirtual(block), HUGE_PAGE_SIZE);
  frameOf(block).kind = FRAME_ANONYMOUS;
  store<u64>(slot, block | writeRightsOf(vma.prot) | PTE_HUGE);
  space.resident += ENTRIES;
  return true;
}

/** A fault on a 2 MiB page that is there: it gets the rights that its mapping has. */
export function regainHuge(
  space: AddressSpace,
  vma: Vma,
  address: usize,
  slot: usize,
  entry: u64,
  write: bool,
): i32 {
  if (!(entry & PTE_PRESENT) || (write && !(entry & PTE_WRITE))) {
    if (write && frameOf(entryAddress(entry)).references > 1) {
      return breakHuge(space, vma, address, slot, entry);
    }
    const rights = write ? writeRightsOf(vma.prot) : rightsOf(vma.prot) & ~PTE_WRITE;
    store<u64>(slot, withRights(entry, rights, PTE_ACCESSED | PTE_DIRTY));
  }
  return FAULT_RESOLVED;
}

/** A write to a 2 MiB page shared since a fork: a copy of it, in small pages if need be. */
function breakHuge(space: AddressSpace, vma: Vma, address: usize, slot: usize, entry: u64): i32 {
  const start = address & ~HUGE_PAGE_MASK;
  const block = allocateUserBlock(HUGE_ORDER);
  if (!block) return splitHuge(space.root, start, slot) ? FAULT_RESOLVED : FAULT_OOM;
  const old = entryAddress(entry);
  for (let done: usize = 0; done < HUGE_PAGE_SIZE; done += PAGE_SIZE) {
    copyPage(toVirtual(block) + done, toVirtual(old) + done);
  }
  frameOf(block).kind = FRAME_ANONYMOUS;
  store<u64>(slot, block | writeRightsOf(vma.prot) | PTE_HUGE);
  flushRange(space.root, start, start + HUGE_PAGE_SIZE);
  releaseMapped(frameOf(old));
  return FAULT_RESOLVED;
}

/**
 * A write to a private page that is mapped read-only: the page becomes writable if nobody else holds
 * it, else it is replaced by a copy.
 */
export function breakCopy(
  space: AddressSpace,
  vma: Vma,
  page: usize,
  slot: usize,
  entry: u64,
): i32 {
  const number = entryFrame(entry);
  const old = frameByNumber(number);
  const isZero = number == zeroFrameNumber();
  const rights = writeRightsOf(vma.prot);
  if (!isZero && old.kind == FRAME_ANONYMOUS && old.references == 1) {
    store<u64>(slot, entryAddress(entry) | rights);
    return FAULT_RESOLVED;
  }
  const copy = isZero ? allocateZeroedAnonymousFrame() : allocateAnonymousFrame();
  if (!copy) return FAULT_OOM;
  if (!isZero) copyPage(toVirtual(copy), toVirtual(entryAddress(entry)));
  frameOf(copy).kind = FRAME_ANONYMOUS;
  store<u64>(slot, copy | rights);
  flushRange(space.root, page, page + PAGE_SIZE);
  if (isZero) space.resident++;
  else releaseMapped(old);
  return FAULT_RESOLVED;
}
