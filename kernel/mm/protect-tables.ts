/**
 * Changes of rights, and moves, of mapped pages in the application's half.
 * Lock: the address space's. Neighbour: `user-tables`.
 */
import { FRAME_ANONYMOUS, frameByNumber } from "./frame";
import { FrameGather, gatherFrame } from "./gather";
import { HUGE_PAGE_MASK, HUGE_PAGE_SIZE, PAGE_SIZE } from "./layout";
import {
  entryAddress,
  entryFrame,
  entrySlot,
  isTable,
  levelShift,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_HUGE,
  PTE_KEPT,
  PTE_NO_EXECUTE,
  PTE_PRESENT,
  PTE_WRITE,
} from "./pte";
import { addTable, directorySlot, splitHuge, withRights } from "./user-tables";
import { zeroFrameNumber } from "./zero-page";

/**
 * Gives the pages in [start, end) other rights. PTE_WRITE in `rights` is granted to pages that have it
 * and to anonymous pages that nobody else holds; the others get it when they are written to.
 */
export function protectPages(gather: FrameGather, start: usize, end: usize, rights: u64): void {
  if (end <= (start & ~HUGE_PAGE_MASK) + HUGE_PAGE_SIZE) {
    const slot = directorySlot(gather.root, start, false);
    if (!slot) return;
    const entry = load<u64>(slot);
    if (!entry) return;
    if (isTable(entry)) protectLevel(gather, entryAddress(entry), 1, start, end, rights);
    else protectEntry(gather, slot, entry, rights);
    return;
  }
  protectLevel(gather, gather.root, 4, start, end, rights);
}

function protectLevel(
  gather: FrameGather,
  table: u64,
  level: u32,
  start: usize,
  end: usize,
  rights: u64,
): void {
  const span = (<usize>1) << levelShift(level);
  let slot = entrySlot(table, level, start);
  let next: usize = 0;
  for (let at = start; at < end; at = next, slot += 8) {
    next = min((at & ~(span - 1)) + span, end);
    const entry = load<u64>(slot);
    if (!entry) continue;
    if (level == 1 || entry & PTE_HUGE) protectEntry(gather, slot, entry, rights);
    else protectLevel(gather, entryAddress(entry), level - 1, at, next, rights);
  }
}

function protectEntry(gather: FrameGather, slot: usize, entry: u64, rights: u64): void {
  let granted = rights;
  if (!(rights & PTE_PRESENT)) {
    granted = PTE_KEPT;
  } else if (rights & PTE_WRITE && !isWritable(entry)) {
    granted &= ~PTE_WRITE;
  }
  const changed = withRights(entry, granted, PTE_ACCESSED | PTE_DIRTY);
  if (changed == entry) return;
  store<u64>(slot, changed);
  // More rights need no invalidation: at worst the processor faults once more and finds them.
  const lost = (entry & ~changed & (PTE_PRESENT | PTE_WRITE)) | (~entry & changed & PTE_NO_EXECUTE);
  if (lost) gather.stale = true;
}

function isWritable(entry: u64): bool {
  if (entry & PTE_WRITE && entry & PTE_PRESENT) return true;
  const number = entryFrame(entry);
  const frame = frameByNumber(number);
  return number != zeroFrameNumber() && frame.kind == FRAME_ANONYMOUS && frame.references == 1;
}

/**
 * Adds the tables that `movePages` with the same arguments needs and splits the 2 MiB pages that
 * cannot move as a whole; may sleep.
 * @returns false if there is no memory
 */
export function prepareMove(root: u64, from: usize, to: usize, length: usize): bool {
  let step: usize = 0;
  for (let done: usize = 0; done < length; done += step) {
    step = stepOfMove(from + done, to + done, length - done);
    const source = directorySlot(root, from + done, false);
    if (!source || !load<u64>(source)) continue;
    const target = directorySlot(root, to + done, true);
    if (!target) return false;
    if (step == HUGE_PAGE_SIZE) continue;
    if (load<u64>(source) & PTE_HUGE && !splitHuge(root, from + done, source)) return false;
    if (!load<u64>(target) && !addTable(target)) return false;
  }
  return true;
}

/** Moves what is mapped in [from, from + length) to the empty range at `to`. After `prepareMove`. */
export function movePages(gather: FrameGather, from: usize, to: usize, length: usize): void {
  let step: usize = 0;
  for (let done: usize = 0; done < length; done += step) {
    step = stepOfMove(from + done, to + done, length - done);
    const source = directorySlot(gather.root, from + done, false);
    if (!source) continue;
    const entry = load<u64>(source);
    if (!entry) continue;
    const target = directorySlot(gather.root, to + done, false);
    const old = load<u64>(target);
    gather.stale = true;
    if (step == HUGE_PAGE_SIZE) {
      store<u64>(source, 0);
      store<u64>(target, entry);
      if (isTable(old)) {
        // An empty table left over from an earlier mapping.
        gather.tables++;
        gatherFrame(gather, entryFrame(old));
      }
    } else {
      let slot = entrySlot(entryAddress(entry), 1, from + done);
      let targetSlot = entrySlot(entryAddress(old), 1, to + done);
      for (let moved: usize = 0; moved < step; moved += PAGE_SIZE) {
        store<u64>(targetSlot, load<u64>(slot));
        store<u64>(slot, 0);
        slot += 8;
        targetSlot += 8;
      }
    }
  }
}

/** Bytes that move in one step: within one table of the source and one of the target. */
function stepOfMove(from: usize, to: usize, left: usize): usize {
  const room = min(
    HUGE_PAGE_SIZE - (from & HUGE_PAGE_MASK),
    HUGE_PAGE_SIZE - (to & HUGE_PAGE_MASK),
  );
  return min(room, left);
}
