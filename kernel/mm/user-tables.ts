/**
 * The application's half of the page tables: finding entries, adding tables, emptying ranges.
 *
 * Tables appear when a page is first touched and go when the range they cover is unmapped and no
 * mapping is left in it. A 2 MiB page is one entry of level 2; the functions here that work on ranges
 * want the range not to end inside one (`splitHugeAt`).
 *
 * Lock: the address space's.
 */
import { FRAME_ANONYMOUS, FRAME_TABLE, frameByNumber, frameOf } from "./frame";
import {
  allocateFrame,
  allocateAnonymousFrame,
  allocateZeroedAnonymousFrame,
  freeFrame,
  releaseFrame,
  splitFrames,
} from "./frames";
import { FrameGather, gatherFrame, noteDirty } from "./gather";
import { HUGE_ORDER, HUGE_PAGE_MASK, HUGE_PAGE_SIZE, PAGE_SIZE, toVirtual } from "./layout";
import { copyPage } from "./page-content";
import {
  ENTRIES,
  entryAddress,
  entryFrame,
  entrySlot,
  isTable,
  levelShift,
  PTE_ADDRESS,
  PTE_DIRTY,
  PTE_HUGE,
  PTE_TABLE,
} from "./pte";
import { flushRange } from "./tlb";
import { zeroFrameNumber } from "./zero-page";

/**
 * Address of the level-2 entry for `address`. With `make` the tables above it are added, which may
 * sleep.
 * @returns 0 if they are absent, or there is no memory for them
 */
export function directorySlot(root: u64, address: usize, make: bool): usize {
  let slot = entrySlot(root, 4, address);
  let entry = load<u64>(slot);
  if (!entry) {
    if (!make) return 0;
    entry = addTable(slot);
    if (!entry) return 0;
  }
  slot = entrySlot(entryAddress(entry), 3, address);
  entry = load<u64>(slot);
  if (!entry) {
    if (!make) return 0;
    entry = addTable(slot);
    if (!entry) return 0;
  }
  return entrySlot(entryAddress(entry), 2, address);
}

/** Puts a new, empty table into the entry; returns the entry, 0 = no memory. May sleep. */
export function addTable(slot: usize): u64 {
  const table = allocateZeroedAnonymousFrame();
  if (!table) return 0;
  frameOf(table).kind = FRAME_TABLE;
  const entry = table | PTE_TABLE;
  store<u64>(slot, entry);
  return entry;
}

/** The entry that maps `address`, of level 1 or a 2 MiB page; 0 if nothing is there. */
export function findEntry(root: u64, address: usize): u64 {
  const directory = directorySlot(root, address, false);
  if (!directory) return 0;
  const entry = load<u64>(directory);
  if (!entry || entry & PTE_HUGE) return entry;
  return load<u64>(entrySlot(entryAddress(entry), 1, address));
}

/**
 * Makes 512 small pages of the 2 MiB page that contains `address`, if `address` is not its start.
 * @returns false if there is no memory for the table
 */
export function splitHugeAt(root: u64, address: usize): bool {
  if ((address & HUGE_PAGE_MASK) == 0) return true;
  const slot = directorySlot(root, address, false);
  return !slot || (load<u64>(slot) & PTE_HUGE) == 0 || splitHuge(root, address, slot);
}

/**
 * Replaces the 2 MiB page in the level-2 entry of `address` by a table of small pages with the same
 * rights; by copies of them if another address space has the page too.
 * @returns false if there is no memory
 */
export function splitHuge(root: u64, address: usize, slot: usize): bool {
  const huge = load<u64>(slot);
  if (frameOf(entryAddress(huge)).references > 1) return copyHuge(root, address, slot, huge);
  const table = allocateFrame();
  if (!table) return false;
  frameOf(table).kind = FRAME_TABLE;
  const first = entryAddress(huge);
  splitFrames(first, HUGE_ORDER);
  let entry = huge & ~PTE_HUGE;
  const end = toVirtual(table) + PAGE_SIZE;
  for (let at = toVirtual(table); at < end; at += 8) {
    store<u64>(at, entry);
    entry += PAGE_SIZE;
  }
  store<u64>(slot, table | PTE_TABLE);
  return true;
}

function copyHuge(root: u64, address: usize, slot: usize, huge: u64): bool {
  const table = allocateZeroedAnonymousFrame();
  if (!table) return false;
  frameOf(table).kind = FRAME_TABLE;
  const rights = huge & ~(PTE_HUGE | PTE_ADDRESS);
  const source = toVirtual(entryAddress(huge));
  const first = toVirtual(table);
  for (let done: usize = 0; done < HUGE_PAGE_SIZE; done += PAGE_SIZE) {
    const frame = allocateAnonymousFrame();
    if (!frame) {
      for (let at = first; load<u64>(at); at += 8) freeFrame(entryAddress(load<u64>(at)));
      freeFrame(table);
      return false;
    }
    frameOf(frame).kind = FRAME_ANONYMOUS;
    copyPage(toVirtual(frame), source + done);
    store<u64>(first + (done >> 9), frame | rights);
  }
  store<u64>(slot, table | PTE_TABLE);
  const start = address & ~HUGE_PAGE_MASK;
  flushRange(root, start, start + HUGE_PAGE_SIZE);
  releaseFrame(frameOf(entryAddress(huge)));
  return true;
}

/**
 * Empties [start, end) and frees the tables that cover nothing but [floor, ceiling), the space between
 * the neighbouring mappings.
 */
export function unmapPages(
  gather: FrameGather,
  start: usize,
  end: usize,
  floor: usize,
  ceiling: usize,
): void {
  const first = start & ~HUGE_PAGE_MASK;
  const next = first + HUGE_PAGE_SIZE;
  if (end > next || (first >= floor && next <= ceiling)) {
    unmapLevel(gather, gather.root, 4, start, end, floor, ceiling);
    return;
  }
  // The usual small range: inside one table, which others use too.
  const slot = directorySlot(gather.root, start, false);
  if (!slot) return;
  const entry = load<u64>(slot);
  if (isTable(entry)) unmapLeaves(gather, entryAddress(entry), start, end);
  else if (entry) unmapLevel(gather, gather.root, 4, start, end, floor, ceiling);
}

function unmapLevel(
  gather: FrameGather,
  table: u64,
  level: u32,
  start: usize,
  end: usize,
  floor: usize,
  ceiling: usize,
): void {
  const span = (<usize>1) << levelShift(level);
  let slot = entrySlot(table, level, start);
  let next: usize = 0;
  for (let at = start; at < end; at = next, slot += 8) {
    const spanStart = at & ~(span - 1);
    next = min(spanStart + span, end);
    const entry = load<u64>(slot);
    if (!entry) continue;
    const child = entryAddress(entry);
    if (entry & PTE_HUGE) {
      assert(level == 2 && next - at == span, "a range ends inside a large page");
      store<u64>(slot, 0);
      gather.pages += ENTRIES;
      gatherFrame(gather, entryFrame(entry));
      continue;
    }
    if (level == 2) unmapLeaves(gather, child, at, next);
    else unmapLevel(gather, child, level - 1, at, next, floor, ceiling);
    if (spanStart >= floor && spanStart + span <= ceiling) {
      store<u64>(slot, 0);
      gather.tables++;
      gatherFrame(gather, <u32>(child >> 12));
    }
  }
}

/** Empties entries of one level-1 table. */
function unmapLeaves(gather: FrameGather, table: u64, start: usize, end: usize): void {
  const zero = zeroFrameNumber();
  let slot = entrySlot(table, 1, start);
  const slotEnd = slot + ((end - start) >> 9);
  for (; slot < slotEnd; slot += 8) {
    const entry = load<u64>(slot);
    if (!entry) continue;
    store<u64>(slot, 0);
    const number = entryFrame(entry);
    if (number == zero) {
      gather.stale = true;
      continue;
    }
    gather.pages++;
    if (entry & PTE_DIRTY) noteDirty(frameByNumber(number));
    gatherFrame(gather, number);
  }
}

/** Same page, other rights: keeps the address and what the processor noted. */
export function withRights(entry: u64, rights: u64, kept: u64): u64 {
  return (entry & (PTE_ADDRESS | PTE_HUGE | kept)) | rights;
}
