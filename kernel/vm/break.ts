/**
 * brk(2): the heap that grows at its end. Lock: the address space's.
 */
import { pageRoundUp, USER_END } from "../mm/layout";
import { AddressSpace } from "./address-space";
import { MAP_ANONYMOUS, MAP_FIXED_NOREPLACE, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "./flags";
import { mapRange } from "./map";
import { removeRange } from "./unmap";
import { VMA_BREAK } from "./vma";

/** Unmapped bytes kept between the heap and the mapping above it. */
const GAP_BYTES: usize = 4096;

/** Moves the break; returns where it then is. */
export function moveBreak(space: AddressSpace, newBreak: usize): usize {
  const oldBreak = space.breakEnd;
  if (newBreak < space.breakStart || newBreak > USER_END - GAP_BYTES) return oldBreak;
  const oldEnd = pageRoundUp(oldBreak);
  const newEnd = pageRoundUp(newBreak);
  if (newEnd < oldEnd) {
    if (removeRange(space, newEnd, oldEnd)) return oldBreak;
  } else if (newEnd > oldEnd && !grow(space, oldEnd, newEnd)) return oldBreak;
  space.breakEnd = newBreak;
  return newBreak;
}

function grow(space: AddressSpace, start: usize, end: usize): bool {
  const above = space.tree.find(start);
  if (above && above.start < end + GAP_BYTES) return false;
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | VMA_BREAK;
  return mapRange(space, start, end - start, PROT_READ | PROT_WRITE, flags, null, 0) >= 0;
}
