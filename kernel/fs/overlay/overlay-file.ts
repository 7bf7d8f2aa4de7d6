/**
 * A regular file of the overlay: pages that were written are in memory, the others show through from
 * the image without a copy.
 *
 * A mapping made before the file was first opened for writing goes on showing the image's pages
 * (mmap(2) leaves that open for MAP_PRIVATE); later ones see every change.
 */
import { O_ACCMODE, O_RDONLY, PAGE_BYTES, PAGE_SHIFT } from "../constants";
import { Dentry } from "../dentry";
import { TmpfsFile } from "../tmpfs/file";
import { TmpfsFileSystem } from "../tmpfs/file-system";
import { Vnode } from "../vnode";

export class OverlayFile extends TmpfsFile {
  /** Pages from this index on do not show through. */
  private lowerPages: u64;
  private hasWriters: bool = false;

  constructor(
    fs: TmpfsFileSystem,
    private below: Vnode,
  ) {
    super(fs, below.mode, below.inode);
    this.size = below.sizeBytes();
    this.lowerPages = (this.size + PAGE_BYTES - 1) >> PAGE_SHIFT;
  }

  hasLower(index: u64): bool {
    return index < this.lowerPages;
  }

  lowerPage(index: u64, ahead: u32, isNewUse: bool): i64 {
    return this.below.pageForRead(index, ahead, isNewUse);
  }

  lowerInMemory(index: u64): u64 {
    return this.below.pageInMemory(index, false);
  }

  cutLower(index: u64): void {
    if (index < this.lowerPages) this.lowerPages = index;
  }

  isSharedWithWriters(): bool {
    return this.hasWriters;
  }

  usedPages(): u64 {
    return (this.size + PAGE_BYTES - 1) >> PAGE_SHIFT;
  }

  open(dentry: Dentry | null, flags: u32): usize {
    if ((flags & O_ACCMODE) != O_RDONLY) this.hasWriters = true;
    return super.open(dentry, flags);
  }
}
