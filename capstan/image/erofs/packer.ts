/**
 * Packs inodes with their tails into metadata blocks.
 *
 * A tail may not cross a block's end, so a new block begins where the next inode does not fit, and
 * what is left over would be lost: a third of the area with many small files. The packer therefore
 * keeps every block with free space and takes the one that fits best. Blocks are kept in stacks by
 * free slots; of equally good blocks the one touched last is taken, which keeps neighbours close.
 *
 * Neighbours: `layout.ts` calls it once for every inode, in order.
 */
import { BLOCK_SIZE_BYTES, SLOT_SIZE_BYTES } from "./format.ts";

const SLOTS_PER_BLOCK = BLOCK_SIZE_BYTES / SLOT_SIZE_BYTES;

export class MetadataPacker {
  /** byFreeSlots[n]: the blocks with exactly n free slots, which are always their last ones. */
  readonly #byFreeSlots: number[][] = Array.from({ length: SLOTS_PER_BLOCK + 1 }, () => []);
  #blockCount = 1;

  /** Starts with block 0, of which `usedBytes` (a multiple of 32) are already taken. */
  constructor(usedBytes: number) {
    this.#byFreeSlots[SLOTS_PER_BLOCK - usedBytes / SLOT_SIZE_BYTES]?.push(0);
  }

  /** Number of blocks in use. */
  get blockCount(): number {
    return this.#blockCount;
  }

  /**
   * Takes `sizeBytes` (1 to 4096) within one block. Returns the slot number, counted from the start
   * of block 0: the nid of an inode.
   */
  place(sizeBytes: number): number {
    const slots = Math.ceil(sizeBytes / SLOT_SIZE_BYTES);
    if (slots < 1 || slots > SLOTS_PER_BLOCK) throw new RangeError(`${sizeBytes} bytes of inode`);
    for (let free = slots; free <= SLOTS_PER_BLOCK; free++) {
      const block = this.#byFreeSlots[free]?.pop();
      if (block !== undefined) return this.#take(block, free, slots);
    }
    return this.#take(this.#blockCount++, SLOTS_PER_BLOCK, slots);
  }

  #take(block: number, freeSlots: number, slots: number): number {
    const rest = freeSlots - slots;
    if (rest > 0) this.#byFreeSlots[rest]?.push(block);
    return block * SLOTS_PER_BLOCK + SLOTS_PER_BLOCK - freeSlots;
  }
}
