/**
 * Stands in for the vnode of an open file that has none (pipes, sockets, epoll), so that
 * stat("/proc/self/fd/1") and open("/dev/stdout") work on it.
 */
import { free } from "../../lib/object";
import { Dentry } from "../dentry";
import { File } from "../file";
import { Stat } from "../stat";
import { FileSystem, Vnode } from "../vnode";

export class FileVnode extends Vnode {
  /** Takes over the file's reference. */
  constructor(
    fs: FileSystem,
    private file: File,
  ) {
    super(fs, 0, 0);
    const stat = new Stat();
    file.stat(stat);
    this.mode = stat.mode;
    this.inode = stat.inode;
    free(stat);
  }

  attributes(out: Stat): i64 {
    return this.file.stat(out);
  }

  open(_dentry: Dentry | null, flags: u32): usize {
    return this.file.reopen(flags);
  }

  destroy(): void {
    const file = this.file;
    free(this);
    file.release();
  }
}
