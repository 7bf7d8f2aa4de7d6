/**
 * An open file that was found by a name: what regular files, directories and devices have in
 * common. Neighbours: `file`, `dentry`.
 */
import { EBADF, ENXIO, asError } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { Dentry } from "./dentry";
import { File } from "./file";
import { openDentry } from "./open";
import { writePathOf } from "./path-name";

export abstract class NamedFile extends File {
  /** Takes a reference of the dentry. */
  constructor(dentry: Dentry, flags: u32) {
    super(flags);
    dentry.retain();
    this.dentry = dentry;
  }

  reopen(flags: u32): usize {
    const dentry = this.dentry;
    return dentry ? openDentry(dentry, flags) : asError(-ENXIO);
  }

  sync(dataOnly: bool): i64 {
    const vnode = this.vnode;
    return vnode ? vnode.sync(dataOnly) : -EBADF;
  }

  writePath(out: ByteWriter): void {
    const dentry = this.dentry;
    if (dentry) writePathOf(dentry, null, out, true);
  }

  dispose(): void {
    const dentry = this.dentry;
    free(this);
    if (dentry) dentry.release();
  }
}
