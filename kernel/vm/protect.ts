/**
 * mprotect(2), and other changes of the attributes of mappings. Lock: the address space's.
 */
import { EACCES, EINVAL, ENOMEM } from "../lib/errno";
import { beginGather, finishGather } from "../mm/gather";
import { pageRoundUp, USER_END } from "../mm/layout";
import { protectPages } from "../mm/protect-tables";
import { AddressSpace } from "./address-space";
import { MAP_GROWSDOWN, PROT_EXEC, PROT_GROWSDOWN, PROT_READ, PROT_WRITE } from "./flags";
import { rightsOf } from "./rights";
import { joinRange, moveStart, splitAt } from "./split";
import { isUserRange, splitPages } from "./unmap";
import { isAlike, Vma, VMA_NEVER_WRITE } from "./vma";

const PROT_ALL: u32 = PROT_READ | PROT_WRITE | PROT_EXEC;

/** mprotect(2): see `AddressSpace.protect`. */
export function protectRange(space: AddressSpace, address: usize, length: usize, prot: u32): i64 {
  if (length == 0) return 0;
  if (length > USER_END) return -ENOMEM;
  const end = address + pageRoundUp(length);
  if (!isUserRange(address, end - address)) return -EINVAL;
  let start = address;
  if (prot & PROT_GROWSDOWN) {
    const vma = space.tree.find(address);
    if (!vma || vma.start > address) return -ENOMEM;
    if (!(vma.flags & MAP_GROWSDOWN)) return -EINVAL;
    start = vma.start;
  }
  return setProtection(space, start, end, prot & PROT_ALL);
}

function setProtection(space: AddressSpace, start: usize, end: usize, prot: u32): i64 {
  const tree = space.tree;
  const first = tree.find(start);
  if (!first || first.start > start) return -ENOMEM;
  // The usual case: nothing changes.
  if (first.end >= end && first.prot == prot) return 0;
  if (shiftBorder(space, first, start, end, prot)) return 0;
  if (!splitAt(space, start, end)) return -ENOMEM;
  let error: i64 = 0;
  let done = start;
  let vma = tree.find(start);
  while (vma && vma.start < end) {
    if (vma.start > done) {
      error = -ENOMEM;
      break;
    }
    if (prot & PROT_WRITE && vma.flags & VMA_NEVER_WRITE) {
      error = -EACCES;
      break;
    }
    if (vma.prot != prot) {
      vma.prot = prot;
      applyRights(space, vma.start, vma.end, prot);
    }
    done = vma.end;
    vma = tree.next(vma);
  }
  // What was done before a hole stays done, as in Linux.
  if (!error && done < end) error = -ENOMEM;
  joinRange(space, start, end);
  return error;
}

/**
 * The usual way in which heaps grow: one end of a mapping gets the protection of its neighbour there,
 * and so only the border between the two moves.
 */
function shiftBorder(space: AddressSpace, vma: Vma, start: usize, end: usize, prot: u32): bool {
  const tree = space.tree;
  if (vma.flags & VMA_NEVER_WRITE && prot & PROT_WRITE) return false;
  if (vma.start == start && vma.end > end) {
    const previous = tree.previous(vma);
    if (!previous || previous.end != start) return false;
    if (!isAlike(previous, prot, vma.flags, vma.pager)) return false;
    if (vma.pager && previous.offset + <u64>previous.length != vma.offset) return false;
    if (!splitPages(space, start, end)) return false;
    moveStart(space, vma, end);
    tree.resize(previous, previous.start, end);
  } else if (vma.end == end && vma.start < start) {
    const next = tree.next(vma);
    if (!next || next.start != end || !isAlike(next, prot, vma.flags, vma.pager)) return false;
    if (vma.pager && vma.offset + <u64>vma.length != next.offset) return false;
    if (!splitPages(space, start, end)) return false;
    tree.resize(vma, vma.start, start);
    moveStart(space, next, start);
  } else return false;
  applyRights(space, start, end, prot);
  return true;
}

function applyRights(space: AddressSpace, start: usize, end: usize, prot: u32): void {
  const gather = space.gather;
  beginGather(gather, start, end);
  protectPages(gather, start, end, rightsOf(prot));
  finishGather(gather);
}

/**
 * Sets and clears VMA_ flags of the mappings in [start, end), skipping holes.
 * @returns 0, or -ENOMEM if a mapping cannot be divided
 */
export function changeFlags(
  space: AddressSpace,
  start: usize,
  end: usize,
  set: u32,
  clear: u32,
): i64 {
  if (!splitAt(space, start, end)) return -ENOMEM;
  const tree = space.tree;
  let vma = tree.find(start);
  while (vma && vma.start < end) {
    vma.flags = (vma.flags & ~clear) | set;
    vma = tree.next(vma);
  }
  joinRange(space, start, end);
  return 0;
}
