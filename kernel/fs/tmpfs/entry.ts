/**
 * One entry of a directory in memory. Neighbour: `directory`.
 */
import { free } from "../../lib/object";
import { heapAllocate, heapFree } from "../../mm/heap";
import { TmpfsNode } from "./node";

export class TmpfsEntry {
  hashNext: usize = 0;
  hashValue: u64 = 0;
  listNext: usize = 0;
  listPrevious: usize = 0;
  /** Position of the entry in the directory for getdents64; never reused. */
  position: u64 = 0;
  nameBytes: usize;
  nameLength: u32;

  /** @param node takes over the reference; null hides a name of the lower directory (whiteout) */
  constructor(
    name: usize,
    nameLength: usize,
    public node: TmpfsNode | null,
  ) {
    this.nameBytes = heapAllocate(nameLength);
    assert(this.nameBytes != 0, "out of kernel memory");
    memory.copy(this.nameBytes, name, nameLength);
    this.nameLength = <u32>nameLength;
  }

  hasName(name: usize, nameLength: usize): bool {
    return (
      this.nameLength == <u32>nameLength && memory.compare(this.nameBytes, name, nameLength) == 0
    );
  }

  /** Frees the entry and gives the node back. */
  dispose(): void {
    const node = this.node;
    heapFree(this.nameBytes);
    free(this);
    if (node) node.release();
  }
}
