/**
 * madvise(2). Takes the address space's lock itself, because filling pages in advance sleeps.
 */
import { EFAULT, EINVAL, ENOMEM } from "../lib/errno";
import { pageRoundUp, USER_END } from "../mm/layout";
import { AddressSpace } from "./address-space";
import { populate } from "./fault";
import {
  MADV_COLD,
  MADV_COLLAPSE,
  MADV_DODUMP,
  MADV_DOFORK,
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_FREE,
  MADV_HUGEPAGE,
  MADV_KEEPONFORK,
  MADV_MERGEABLE,
  MADV_NOHUGEPAGE,
  MADV_NORMAL,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_UNMERGEABLE,
  MADV_WILLNEED,
  MADV_WIPEONFORK,
} from "./flags";
import { changeFlags } from "./protect";
import { isUserRange, zapRange } from "./unmap";
import { VMA_HUGE, VMA_NO_FORK, VMA_NO_HUGE, VMA_RANDOM, VMA_WIPE_ON_FORK } from "./vma";

/** madvise(2): see `AddressSpace.advise`. */
export function adviseRange(space: AddressSpace, address: usize, length: usize, advice: i32): i64 {
  if (length > USER_END) return -EINVAL;
  const bytes = pageRoundUp(length);
  if (!isUserRange(address, bytes)) return -EINVAL;
  const end = address + bytes;
  if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE) {
    return fill(space, address, end, advice == MADV_POPULATE_WRITE);
  }
  space.lock();
  let result: i64 = -EINVAL;
  if (isKnown(advice)) {
    const hole = hasHole(space, address, end);
    result = apply(space, address, end, advice);
    // The parts that are mapped are treated all the same (madvise(2)).
    if (!result && hole) result = -ENOMEM;
  }
  space.unlock();
  return result;
}

function apply(space: AddressSpace, start: usize, end: usize, advice: i32): i64 {
  switch (advice) {
    case MADV_DONTNEED:
      return zapRange(space, start, end);
    case MADV_FREE:
      // Freeing at once is one of the things that it allows.
      return isPrivateAnonymous(space, start, end) ? zapRange(space, start, end) : -EINVAL;
    case MADV_HUGEPAGE:
      return changeFlags(space, start, end, VMA_HUGE, VMA_NO_HUGE);
    case MADV_NOHUGEPAGE:
      return changeFlags(space, start, end, VMA_NO_HUGE, VMA_HUGE);
    case MADV_RANDOM:
      return changeFlags(space, start, end, VMA_RANDOM, 0);
    case MADV_NORMAL:
    case MADV_SEQUENTIAL:
      return changeFlags(space, start, end, 0, VMA_RANDOM);
    case MADV_DONTFORK:
      return changeFlags(space, start, end, VMA_NO_FORK, 0);
    case MADV_DOFORK:
      return changeFlags(space, start, end, 0, VMA_NO_FORK);
    case MADV_WIPEONFORK:
      if (!isPrivateAnonymous(space, start, end)) return -EINVAL;
      return changeFlags(space, start, end, VMA_WIPE_ON_FORK, 0);
    case MADV_KEEPONFORK:
      return changeFlags(space, start, end, 0, VMA_WIPE_ON_FORK);
    default:
      return 0;
  }
}

/** Advice that is understood, whether or not anything is done about it. */
function isKnown(advice: i32): bool {
  switch (advice) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_DONTNEED:
    case MADV_FREE:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_MERGEABLE:
    case MADV_UNMERGEABLE:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_WIPEONFORK:
    case MADV_KEEPONFORK:
    case MADV_COLD:
    case MADV_PAGEOUT:
    case MADV_COLLAPSE:
      return true;
    default:
      return false;
  }
}

function isPrivateAnonymous(space: AddressSpace, start: usize, end: usize): bool {
  const tree = space.tree;
  let vma = tree.find(start);
  while (vma && vma.start < end) {
    if (vma.pager || vma.isShared) return false;
    vma = tree.next(vma);
  }
  return true;
}

function fill(space: AddressSpace, start: usize, end: usize, write: bool): i64 {
  space.lock();
  const hole = hasHole(space, start, end);
  space.unlock();
  if (hole) return -ENOMEM;
  return populate(space, start, end, write) ? 0 : -EFAULT;
}

/** True if a part of [start, end) is not mapped. Hold the lock. */
export function hasHole(space: AddressSpace, start: usize, end: usize): bool {
  let at = start;
  while (at < end) {
    const vma = space.tree.find(at);
    if (!vma || vma.start > at) return true;
    at = vma.end;
  }
  return false;
}
