/**
 * A disk under /dev: read through the page cache of the disk.
 */
import { BlockDevice } from "../../dev/block";
import { ENXIO, asError } from "../../lib/errno";
import { BlockVnode, blockVnodeOf } from "../block-vnode";
import { Dentry } from "../dentry";
import { RegularFile } from "../regular-file";
import { Stat } from "../stat";
import { TmpfsFileSystem } from "../tmpfs/file-system";
import { TmpfsNode } from "../tmpfs/node";

export class BlockNode extends TmpfsNode {
  private disk: BlockVnode;

  constructor(
    fs: TmpfsFileSystem,
    mode: u32,
    device: BlockDevice,
    private deviceNumber: u64,
  ) {
    super(fs, mode, fs.newInode());
    this.disk = blockVnodeOf(device);
  }

  nodeDevice(): u64 {
    return this.deviceNumber;
  }

  sizeBytes(): u64 {
    return this.disk.sizeBytes();
  }

  attributes(out: Stat): i64 {
    const status = super.attributes(out);
    out.sizeBytes = 0;
    return status;
  }

  pageForRead(index: u64, ahead: u32, isNewUse: bool): i64 {
    return this.disk.pageForRead(index, ahead, isNewUse);
  }

  pageForMapping(index: u64, forWrite: bool, shared: bool): i64 {
    return this.disk.pageForMapping(index, forWrite, shared);
  }

  open(dentry: Dentry | null, flags: u32): usize {
    return dentry ? changetype<usize>(new RegularFile(dentry, flags)) : asError(-ENXIO);
  }

  dispose(): void {
    this.disk.release();
  }
}
