/**
 * A directory of the overlay: what is in memory, then what the image has and memory does not hide.
 */
import { isError } from "../../lib/errno";
import { free } from "../../lib/object";
import { Stat } from "../stat";
import { TmpfsDirectory } from "../tmpfs/directory";
import { TmpfsFileSystem } from "../tmpfs/file-system";
import { DirectorySink, Vnode } from "../vnode";
import { nodeAbove } from "./overlay";

/** Set in positions that lie in the lower directory. */
const LOWER_BIT: u64 = 1 << 62;
const DOT: u8 = 0x2e;

export class OverlayDirectory extends TmpfsDirectory {
  constructor(
    fs: TmpfsFileSystem,
    private below: Vnode,
  ) {
    super(fs, below.mode, below.inode);
  }

  attributes(out: Stat): i64 {
    const status = this.below.attributes(out);
    const sizeBytes = out.sizeBytes;
    const blocks512 = out.blocks512;
    super.attributes(out);
    out.sizeBytes = sizeBytes;
    out.blocks512 = blocks512;
    return status;
  }

  lowerLookup(name: usize, nameLength: usize): usize {
    const found = this.below.lookup(name, nameLength);
    if (isError(found)) return found;
    return changetype<usize>(nodeAbove(this.tmpfs, changetype<Vnode>(found), this.inode));
  }

  lowerHas(name: usize, nameLength: usize): bool {
    const found = this.below.lookup(name, nameLength);
    if (isError(found)) return false;
    changetype<Vnode>(found).release();
    return true;
  }

  lowerIterate(position: u64, sink: DirectorySink): i64 {
    const filter = new LowerFilter(this, sink);
    const from = position & LOWER_BIT ? position & ~LOWER_BIT : 0;
    const reached = this.below.iterate(from, filter);
    free(filter);
    return reached < 0 ? reached : reached | LOWER_BIT;
  }
}

/** Passes on the entries of the lower directory that memory neither hides nor has itself. */
class LowerFilter extends DirectorySink {
  constructor(
    private directory: TmpfsDirectory,
    private sink: DirectorySink,
  ) {
    super();
  }

  entry(name: usize, nameLength: usize, inode: u64, type: u32, nextPosition: u64): bool {
    if (isDots(name, nameLength) || this.directory.find(name, nameLength)) return true;
    return this.sink.entry(name, nameLength, inode, type, nextPosition | LOWER_BIT);
  }
}

function isDots(name: usize, nameLength: usize): bool {
  if (nameLength > 2 || load<u8>(name) != DOT) return false;
  return nameLength == 1 || load<u8>(name, 1) == DOT;
}
