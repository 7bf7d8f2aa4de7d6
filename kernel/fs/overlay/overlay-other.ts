/**
 * A link, device node or fifo of the image, seen through the overlay.
 */
import { EINVAL, ENXIO, asError } from "../../lib/errno";
import { Dentry } from "../dentry";
import { openSpecial } from "../special";
import { Stat } from "../stat";
import { TmpfsFileSystem } from "../tmpfs/file-system";
import { TmpfsNode } from "../tmpfs/node";
import { Vnode } from "../vnode";

export class OverlayOther extends TmpfsNode {
  constructor(
    fs: TmpfsFileSystem,
    private below: Vnode,
  ) {
    super(fs, below.mode, below.inode);
  }

  sizeBytes(): u64 {
    return this.below.sizeBytes();
  }

  attributes(out: Stat): i64 {
    this.below.attributes(out);
    const blocks512 = out.blocks512;
    const status = super.attributes(out);
    out.blocks512 = blocks512;
    return status;
  }

  nodeDevice(): u64 {
    return this.below.nodeDevice();
  }

  readlink(buffer: usize, capacity: usize): i64 {
    return this.below.readlink(buffer, capacity);
  }

  open(dentry: Dentry | null, flags: u32): usize {
    if (this.isSymlink) return asError(-EINVAL);
    return dentry ? openSpecial(this, dentry, flags) : asError(-ENXIO);
  }
}
