/**
 * Dividing and joining mappings, so that operations on ranges meet whole mappings. A 2 MiB page that
 * reaches across a new border is divided with its mapping, so that none is ever in two of them.
 * Lock: the address space's.
 */
import { splitHugeAt } from "../mm/user-tables";
import { AddressSpace } from "./address-space";
import { Pager } from "./pager";
import { continues, createVma, destroyVma, isAlike, Vma } from "./vma";

/** Most mappings a space may have (Linux: vm.max_map_count). */
export const MAX_MAPPINGS: usize = 65530;

/** Makes `at`, inside `vma`, the start of a mapping of its own; null if there is no memory. */
function splitVma(space: AddressSpace, vma: Vma, at: usize): Vma | null {
  if (space.tree.length >= MAX_MAPPINGS || !splitHugeAt(space.root, at)) return null;
  const offset = vma.pager ? vma.offset + <u64>(at - vma.start) : 0;
  const upper = createVma(at, vma.end, vma.prot, vma.flags, vma.pager, offset);
  if (!upper) return null;
  space.tree.resize(vma, vma.start, at);
  space.tree.add(upper);
  space.recent = null;
  return upper;
}

/**
 * Divides mappings so that none reaches across `start` or `end`.
 * @returns false if there is no memory; mappings may be divided then, which changes nothing else
 */
export function splitAt(space: AddressSpace, start: usize, end: usize): bool {
  const first = space.tree.find(start);
  if (first && first.start < start && !splitVma(space, first, start)) return false;
  const last = space.tree.find(end);
  return !last || last.start >= end || splitVma(space, last, end) != null;
}

/**
 * Makes [start, end), which is not mapped, a part of a neighbouring mapping of the same kind.
 * @returns false if there is none
 */
export function absorb(
  space: AddressSpace,
  start: usize,
  end: usize,
  prot: u32,
  flags: u32,
  pager: Pager | null,
  offset: u64,
): bool {
  const tree = space.tree;
  const next = tree.find(start);
  if (next && next.start == end && isAlike(next, prot, flags, pager)) {
    if (!pager || offset + <u64>(end - start) == next.offset) {
      if (pager) next.offset = offset;
      tree.resize(next, start, next.end);
      join(space, next);
      return true;
    }
  }
  const previous = next ? tree.previous(next) : tree.last;
  if (!previous || previous.end != start || !isAlike(previous, prot, flags, pager)) return false;
  if (pager && previous.offset + <u64>previous.length != offset) return false;
  tree.resize(previous, previous.start, end);
  return true;
}

/** Moves the start of a mapping up or down; its pages keep their places in the file. */
export function moveStart(space: AddressSpace, vma: Vma, start: usize): void {
  if (vma.pager) vma.offset += <u64>start - <u64>vma.start;
  space.tree.resize(vma, start, vma.end);
}

/** Joins a mapping with its neighbours where they are alike; returns what it became. */
export function join(space: AddressSpace, vma: Vma): Vma {
  const tree = space.tree;
  let joined = vma;
  const previous = tree.previous(vma);
  if (previous && continues(previous, vma)) {
    const end = vma.end;
    tree.drop(vma);
    destroyVma(vma);
    tree.resize(previous, previous.start, end);
    joined = previous;
    space.recent = null;
  }
  const next = tree.next(joined);
  if (next && continues(joined, next)) {
    const end = next.end;
    tree.drop(next);
    destroyVma(next);
    tree.resize(joined, joined.start, end);
    space.recent = null;
  }
  return joined;
}

/** Joins the mappings in [start, end) with each other and with those around them. */
export function joinRange(space: AddressSpace, start: usize, end: usize): void {
  let vma = space.tree.find(start);
  while (vma && vma.start <= end) {
    const joined = join(space, vma);
    if (joined.end >= end) break;
    vma = space.tree.next(joined);
  }
}
