/**
 * An open directory: getdents64(2), seekdir. Neighbour: `vnode.iterate` reports the entries.
 */
import { EINVAL, EISDIR, ENOENT } from "../lib/errno";
import { SEEK_CUR, SEEK_SET } from "./constants";
import { NamedFile } from "./named-file";
import { IN_ACCESS, notifyFile } from "./notify";
import { DirectorySink } from "./vnode";

export class DirectoryFile extends NamedFile {
  read(_buffer: usize, _length: usize): i64 {
    return -EISDIR;
  }

  readAt(_buffer: usize, _length: usize, _offset: u64): i64 {
    return -EISDIR;
  }

  seek(offset: i64, origin: u32): i64 {
    let target = offset;
    if (origin == SEEK_CUR) target += <i64>this.offset;
    else if (origin != SEEK_SET) return -EINVAL;
    if (target < 0) return -EINVAL;
    this.offset = target;
    return target;
  }

  iterate(sink: DirectorySink): i64 {
    const dentry = this.dentry;
    if (!dentry) return -ENOENT;
    const node = dentry.node;
    if (dentry.isDeleted) return -ENOENT;
    node.fs.namespaceLock.lock();
    const next = node.iterate(this.offset, sink);
    node.fs.namespaceLock.unlock();
    if (next >= 0) {
      this.offset = next;
      notifyFile(dentry, IN_ACCESS);
    }
    return next < 0 ? next : 0;
  }
}
