/**
 * The copy of an address space that fork(2) makes.
 *
 * Private pages that somebody wrote to are shared read-only by both spaces until one of them writes
 * (`fault-anonymous`, breakCopy); a frame's references say whether it is still shared. What can be had
 * again from a file, and shared mappings, is left to the faults of the child.
 *
 * Locks: the original's, then the copy's, which nobody else knows but the reclaimer, and that only tries.
 */
import { FRAME_ANONYMOUS, frameByNumber, retainFrame } from "../mm/frame";
import { PAGE_SIZE, USER_END } from "../mm/layout";
import {
  ENTRIES,
  entryAddress,
  entryFrame,
  entrySlot,
  levelShift,
  PTE_HUGE,
  PTE_WRITE,
} from "../mm/pte";
import { flushRange } from "../mm/tlb";
import { addTable, directorySlot } from "../mm/user-tables";
import { zeroFrameNumber } from "../mm/zero-page";
import { AddressSpace } from "./address-space";
import { createVma, VMA_NO_FORK, VMA_WIPE_ON_FORK } from "./vma";

/** A copy-on-write copy of `space`; null if there is no memory. May sleep. */
export function copySpace(space: AddressSpace): AddressSpace | null {
  const copy = AddressSpace.create();
  if (!copy) return null;
  space.lock();
  copy.lock();
  copy.mmapTop = space.mmapTop;
  copy.stackLimitBytes = space.stackLimitBytes;
  copy.breakStart = space.breakStart;
  copy.breakEnd = space.breakEnd;
  copy.hasSmallPagesOnly = space.hasSmallPagesOnly;
  const isComplete = copyMappings(space, copy);
  // The original's own translations still allow writing.
  flushRange(space.root, 0, USER_END);
  copy.unlock();
  space.unlock();
  if (isComplete) return copy;
  copy.release();
  return null;
}

function copyMappings(space: AddressSpace, copy: AddressSpace): bool {
  let vma = space.tree.first;
  while (vma) {
    if (!(vma.flags & VMA_NO_FORK)) {
      const twin = createVma(vma.start, vma.end, vma.prot, vma.flags, vma.pager, vma.offset);
      if (!twin) return false;
      copy.tree.add(twin);
      copy.mapped += <u64>vma.length;
      const hasOwnPages = !vma.isShared && !(vma.flags & VMA_WIPE_ON_FORK);
      if (hasOwnPages && !copyLevel(copy, space.root, 4, vma.start, vma.end)) return false;
    }
    vma = space.tree.next(vma);
  }
  return true;
}

/** Shares the private pages of [start, end) below one table of the original; false = no memory. */
function copyLevel(copy: AddressSpace, table: u64, level: u32, start: usize, end: usize): bool {
  const span = (<usize>1) << levelShift(level);
  let slot = entrySlot(table, level, start);
  let next: usize = 0;
  for (let at = start; at < end; at = next, slot += 8) {
    next = min((at & ~(span - 1)) + span, end);
    const entry = load<u64>(slot);
    if (!entry) continue;
    let isDone = false;
    if (level > 2) isDone = copyLevel(copy, entryAddress(entry), level - 1, at, next);
    else if (entry & PTE_HUGE) isDone = shareLarge(copy, slot, at);
    else isDone = copyLeaves(copy, entryAddress(entry), at, next);
    if (!isDone) return false;
  }
  return true;
}

/** Shares a 2 MiB page. */
function shareLarge(copy: AddressSpace, slot: usize, address: usize): bool {
  const target = directorySlot(copy.root, address, true);
  if (!target) return false;
  store<u64>(target, share(slot));
  copy.resident += ENTRIES;
  return true;
}

function copyLeaves(copy: AddressSpace, table: u64, start: usize, end: usize): bool {
  const zero = zeroFrameNumber();
  let slot = entrySlot(table, 1, start);
  let target: usize = 0;
  for (let at = start; at < end; at += PAGE_SIZE, slot += 8) {
    const entry = load<u64>(slot);
    if (!entry) continue;
    const number = entryFrame(entry);
    if (number == zero || frameByNumber(number).kind != FRAME_ANONYMOUS) continue;
    if (!target) {
      const directory = directorySlot(copy.root, at, true);
      if (!directory) return false;
      let own = load<u64>(directory);
      if (!own) own = addTable(directory);
      if (!own) return false;
      target = entrySlot(entryAddress(own), 1, start);
    }
    store<u64>(target + ((at - start) >> 9), share(slot));
    copy.resident++;
  }
  return true;
}

/** Makes the page of an entry a shared one; returns the entry for the other space. */
function share(slot: usize): u64 {
  const entry = load<u64>(slot);
  retainFrame(frameByNumber(entryFrame(entry)));
  const readOnly = entry & ~PTE_WRITE;
  if (readOnly != entry) store<u64>(slot, readOnly);
  return readOnly;
}
