/**
 * Symbolic links, device nodes, fifos and sockets in memory.
 */
import { EINVAL, ENXIO, asError } from "../../lib/errno";
import { heapAllocate, heapFree } from "../../mm/heap";
import { Dentry } from "../dentry";
import { openSpecial } from "../special";
import { TmpfsFileSystem } from "./file-system";
import { TmpfsNode } from "./node";

export class TmpfsSymlink extends TmpfsNode {
  private target: usize;
  private targetLength: usize;

  constructor(fs: TmpfsFileSystem, mode: u32, inode: u64, target: usize, targetLength: usize) {
    super(fs, mode, inode);
    this.target = heapAllocate(targetLength);
    assert(this.target != 0, "out of kernel memory");
    memory.copy(this.target, target, targetLength);
    this.targetLength = targetLength;
  }

  sizeBytes(): u64 {
    return this.targetLength;
  }

  readlink(buffer: usize, capacity: usize): i64 {
    const length = min<usize>(this.targetLength, capacity);
    memory.copy(buffer, this.target, length);
    return length;
  }

  open(_dentry: Dentry | null, _flags: u32): usize {
    return asError(-EINVAL);
  }

  dispose(): void {
    heapFree(this.target);
  }
}

export class TmpfsSpecial extends TmpfsNode {
  constructor(
    fs: TmpfsFileSystem,
    mode: u32,
    inode: u64,
    private deviceNumber: u64,
  ) {
    super(fs, mode, inode);
  }

  nodeDevice(): u64 {
    return this.deviceNumber;
  }

  open(dentry: Dentry | null, flags: u32): usize {
    return dentry ? openSpecial(this, dentry, flags) : asError(-ENXIO);
  }
}
