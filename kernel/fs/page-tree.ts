/**
 * Radix tree from page index to an address (of a frame descriptor): the index of one file's pages.
 *
 * Each node is 64 slots of 8 bytes; the height grows with the highest index. A file of one page has
 * no node at all: with height 0 the root slot itself is the entry of index 0.
 *
 *   height 0: root ─► entry 0
 *   height 2: root ─► node [0..63] ─► node [0..63] ─► entry (index bits 6..11, then 0..5)
 *
 * Lock: the owner's. Neighbour: `file-pages`.
 */
import { heapAllocate, heapFree } from "../mm/heap";

const SLOT_BITS: u32 = 6;
const SLOTS: u64 = 1 << SLOT_BITS;
const NODE_BYTES: usize = <usize>SLOTS * sizeof<usize>();

/** No such index. */
export const NO_INDEX: u64 = u64.MAX_VALUE;

export class PageTree {
  private root: usize = 0;
  private height: u32 = 0;

  /** The entry of `index`, or 0. */
  get(index: u64): usize {
    let height = this.height;
    if (!fits(index, height)) return 0;
    let entry = this.root;
    while (height > 0 && entry) {
      height--;
      entry = load<usize>(slotAt(entry, height, index));
    }
    return entry;
  }

  /** Sets the entry of `index`, which is absent, to a value other than 0; false: no memory. */
  set(index: u64, value: usize): bool {
    while (!fits(index, this.height)) {
      if (this.root) {
        const node = allocateNode();
        if (!node) return false;
        store<usize>(node, this.root);
        this.root = node;
      }
      this.height++;
    }
    let slot = changetype<usize>(this) + offsetof<PageTree>("root");
    for (let height = this.height; height > 0; height--) {
      let node = load<usize>(slot);
      if (!node) {
        node = allocateNode();
        if (!node) return false;
        store<usize>(slot, node);
      }
      slot = slotAt(node, height - 1, index);
    }
    store<usize>(slot, value);
    return true;
  }

  /** Exchanges the entry of `index`, which is present. */
  replace(index: u64, value: usize): void {
    let slot = changetype<usize>(this) + offsetof<PageTree>("root");
    for (let height = this.height; height > 0; height--) {
      slot = slotAt(load<usize>(slot), height - 1, index);
    }
    store<usize>(slot, value);
  }

  /** Removes and returns the entry of `index`; 0 if there was none. */
  remove(index: u64): usize {
    const value = this.get(index);
    if (
      value &&
      this.clear(changetype<usize>(this) + offsetof<PageTree>("root"), this.height, index)
    ) {
      this.height = 0;
    }
    return value;
  }

  /** The smallest index at or above `from` that has an entry, or NO_INDEX. */
  next(from: u64): u64 {
    if (!this.root || !fits(from, this.height)) return NO_INDEX;
    return this.search(this.root, this.height, 0, from);
  }

  /** True if there is no entry (every entry was removed). */
  get isEmpty(): bool {
    return this.root == 0;
  }

  /** Clears the entry below `slot`; true if that left the slot empty. */
  private clear(slot: usize, height: u32, index: u64): bool {
    if (height > 0) {
      const node = load<usize>(slot);
      if (!this.clear(slotAt(node, height - 1, index), height - 1, index)) return false;
      for (let i: usize = 0; i < NODE_BYTES; i += sizeof<usize>()) {
        if (load<usize>(node + i)) return false;
      }
      heapFree(node);
    }
    store<usize>(slot, 0);
    return true;
  }

  /** `base` is the index of the first entry below `node`. */
  private search(node: usize, height: u32, base: u64, from: u64): u64 {
    if (height == 0) return base;
    const shift = <u64>((height - 1) * SLOT_BITS);
    let i = from > base ? (from - base) >> shift : 0;
    for (; i < SLOTS; i++) {
      const child = load<usize>(node + <usize>i * sizeof<usize>());
      if (!child) continue;
      const found = this.search(child, height - 1, base + (i << shift), from);
      if (found != NO_INDEX) return found;
    }
    return NO_INDEX;
  }
}

/** True if a tree of that height has a place for `index`. */
function fits(index: u64, height: u32): bool {
  const bits = height * SLOT_BITS;
  return bits >= 64 || index >> bits == 0;
}

/** Address of the slot for `index` in a node whose slots each span 64^level entries. */
function slotAt(node: usize, level: u32, index: u64): usize {
  return node + <usize>((index >> (level * SLOT_BITS)) & (SLOTS - 1)) * sizeof<usize>();
}

function allocateNode(): usize {
  const node = heapAllocate(NODE_BYTES);
  if (node) memory.fill(node, 0, NODE_BYTES);
  return node;
}
