/**
 * A mapped file as `vm/` sees it: hands out the frames of the page cache. One object for each
 * mmap(2), so that /proc/self/maps shows the name the file was opened by.
 *
 * Neighbours: `regular-file` makes it, `vnode.pageForMapping` finds the frames.
 */
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { Pager } from "../vm/pager";
import { Dentry } from "./dentry";
import { writePathOf } from "./path-name";

export class FileMapping extends Pager {
  /**
   * Takes a reference of the dentry.
   * @param shared true if the file was opened for writing: the mapping must show what is written
   */
  constructor(
    private dentry: Dentry,
    private shared: bool,
  ) {
    super();
    dentry.retain();
    dentry.node.countMapping(1);
  }

  contentKey(): usize {
    return changetype<usize>(this.dentry.node);
  }

  page(index: u64, forWrite: bool): i64 {
    return this.dentry.node.pageForMapping(index, forWrite, this.shared);
  }

  cachedPage(index: u64): u64 {
    return this.dentry.node.pageInMemory(index, this.shared);
  }

  sizeBytes(): u64 {
    return this.dentry.node.sizeBytes();
  }

  writePath(out: ByteWriter): void {
    writePathOf(this.dentry, null, out, true);
  }

  device(): u64 {
    return this.dentry.node.fs.device;
  }

  inode(): u64 {
    return this.dentry.node.inode;
  }

  destroy(): void {
    this.dentry.node.countMapping(-1);
    this.dentry.release();
    free(this);
  }
}
