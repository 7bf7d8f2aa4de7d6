/**
 * The mappings of an address space in order of their addresses, with the largest gap of each subtree,
 * so that room for a new mapping is found in O(log n).
 *
 *        ┌────────┐ gapBefore ┌────────┐ gapBefore ┌────────┐
 *   …    │  vma   │◄─────────►│  vma   │◄─────────►│  vma   │   …
 *        └────────┘           └────────┘           └────────┘
 *
 * Lock: the address space's.
 */
import { Tree } from "../lib/tree";
import { MAP_GROWSDOWN } from "./flags";
import { Vma } from "./vma";

/** Space kept free below a mapping that grows downwards (Linux: stack_guard_gap, 256 pages). */
export const STACK_GUARD_BYTES: usize = 256 * 4096;

export class VmaTree extends Tree<Vma> {
  constructor() {
    super(offsetof<Vma>("treeLeft"));
  }

  compare(a: Vma, b: Vma): i32 {
    return a.start < b.start ? -1 : 1;
  }

  summarise(vma: Vma): bool {
    let gap = vma.gapBefore;
    const left = this.left(vma);
    if (left) gap = max(gap, left.maxGap);
    const right = this.right(vma);
    if (right) gap = max(gap, right.maxGap);
    if (gap == vma.maxGap) return false;
    vma.maxGap = gap;
    return true;
  }

  /** The mapping that contains `address`, else the next above it, else null. */
  find(address: usize): Vma | null {
    let found: Vma | null = null;
    let node = this.root;
    while (node) {
      if (address < node.end) {
        found = node;
        if (node.start <= address) break;
        node = changetype<Vma | null>(node.treeLeft);
      } else node = changetype<Vma | null>(node.treeRight);
    }
    return found;
  }

  /** End of the mapping before `vma`; 0 if it is the first. */
  endBefore(vma: Vma): usize {
    return vma.start - vma.gapBefore;
  }

  /** Adds a mapping to an unmapped range. */
  add(vma: Vma): void {
    const next = this.find(vma.start);
    const before = next ? this.endBefore(next) : this.highestEnd();
    vma.gapBefore = vma.start - before;
    vma.maxGap = 0;
    this.insert(vma);
    if (next) this.setGap(next, next.start - vma.end);
  }

  /** Takes a mapping out. */
  drop(vma: Vma): void {
    const next = this.next(vma);
    const before = this.endBefore(vma);
    this.remove(vma);
    if (next) this.setGap(next, next.start - before);
  }

  /** Moves the ends of a mapping; they must not pass those of its neighbours. */
  resize(vma: Vma, start: usize, end: usize): void {
    const before = this.endBefore(vma);
    const next = this.next(vma);
    vma.start = start;
    vma.end = end;
    this.setGap(vma, start - before);
    if (next) this.setGap(next, next.start - end);
  }

  /**
   * Finds the highest unmapped range of `length` bytes in [low, high).
   * @returns its start, 0 if there is none
   */
  findRoom(length: usize, low: usize, high: usize): usize {
    if (high < low || high - low < length) return 0;
    const top = this.highestEnd();
    if (top < high && high - max(top, low) >= length) return high - length;
    return this.findRoomBelow(this.root, length, low, high);
  }

  /** End of the last mapping; 0 if there is none. */
  highestEnd(): usize {
    const last = this.last;
    return last ? last.end : 0;
  }

  private findRoomBelow(node: Vma | null, length: usize, low: usize, high: usize): usize {
    if (!node || node.maxGap < length) return 0;
    if (node.end < high) {
      const found = this.findRoomBelow(this.right(node), length, low, high);
      if (found) return found;
    }
    if (node.start <= low) return 0;
    let gapEnd = node.start;
    if (node.flags & MAP_GROWSDOWN) {
      gapEnd = gapEnd > STACK_GUARD_BYTES ? gapEnd - STACK_GUARD_BYTES : 0;
    }
    const gapStart = max(this.endBefore(node), low);
    gapEnd = min(gapEnd, high);
    if (gapEnd > gapStart && gapEnd - gapStart >= length) return gapEnd - length;
    return this.findRoomBelow(this.left(node), length, low, high);
  }

  private setGap(vma: Vma, gap: usize): void {
    vma.gapBefore = gap;
    this.refresh(vma);
  }
}
