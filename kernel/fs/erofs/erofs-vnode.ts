/**
 * A file, directory, link or node of an EROFS image.
 *
 * Neighbours: `inode` fills it in, `data` finds its blocks, `directory` reads directories.
 */
import { EIO, ENOTDIR, ENXIO, EINVAL, asError } from "../../lib/errno";
import { free } from "../../lib/object";
import { openSpecial } from "../special";
import { PAGE_BYTES, PAGE_SHIFT } from "../constants";
import { Dentry } from "../dentry";
import { DirectoryFile } from "../directory-file";
import { FilePages } from "../file-pages";
import { RegularFile } from "../regular-file";
import { Stat } from "../stat";
import { DirectorySink, Vnode } from "../vnode";
import { fillPages, readData } from "./data";
import { findEntry, listEntries } from "./directory";
import { ErofsFileSystem } from "./file-system";

/** Targets of links shorter than this take no block on ext4. */
const INLINE_LINK_BYTES: u64 = 60;

export class ErofsVnode extends Vnode {
  hashNext: usize = 0;
  hashValue: u64 = 0;
  size: u64 = 0;
  uid: u32 = 0;
  gid: u32 = 0;
  linkCount: u32 = 0;
  modifyNs: u32 = 0;
  modifySeconds: u64 = 0;
  deviceNumber: u64 = 0;
  /** LAYOUT_*. */
  layout: u32 = 0;
  /** First block, or chunk format. */
  place: u32 = 0;
  /** Byte offset on the disk of the inline tail, or of the chunk table. */
  inlineOffset: u64 = 0;
  /** log2 of blocks per chunk, and of bytes per entry of the chunk table. */
  chunkShift: u32 = 0;
  chunkEntryShift: u32 = 0;

  constructor(
    readonly erofs: ErofsFileSystem,
    nid: u64,
  ) {
    super(erofs, 0, nid);
  }

  sizeBytes(): u64 {
    return this.size;
  }

  nodeDevice(): u64 {
    return this.deviceNumber;
  }

  attributes(out: Stat): i64 {
    out.device = this.fs.device;
    out.inode = this.inode;
    out.mode = this.mode;
    out.linkCount = this.linkCount;
    out.uid = this.uid;
    out.gid = this.gid;
    out.nodeDevice = this.deviceNumber;
    const pages = (this.size + PAGE_BYTES - 1) >> PAGE_SHIFT;
    // Directories are shown in whole blocks and short links without any, as ext4 does.
    const isInline = this.isSymlink && this.size < INLINE_LINK_BYTES;
    out.sizeBytes = this.isDirectory ? pages << PAGE_SHIFT : this.size;
    out.blocks512 = isInline ? 0 : pages * (PAGE_BYTES / 512);
    out.accessSeconds =
      out.modifySeconds =
      out.changeSeconds =
      out.birthSeconds =
        this.modifySeconds;
    out.accessNs = out.modifyNs = out.changeNs = out.birthNs = this.modifyNs;
    return 0;
  }

  lookup(name: usize, nameLength: usize): usize {
    if (!this.isDirectory) return asError(-ENOTDIR);
    const nid = findEntry(this, name, nameLength);
    return nid < 0 ? asError(nid) : this.erofs.vnodeOf(nid);
  }

  iterate(position: u64, sink: DirectorySink): i64 {
    return this.isDirectory ? listEntries(this, position, sink) : -ENOTDIR;
  }

  readlink(buffer: usize, capacity: usize): i64 {
    if (!this.isSymlink) return -EINVAL;
    const length = min<usize>(capacity, <usize>min<u64>(this.size, 65536));
    const status = readData(this, 0, buffer, length);
    return status < 0 ? status : length;
  }

  open(dentry: Dentry | null, flags: u32): usize {
    if (!dentry) return asError(-ENXIO);
    if (this.isRegular) return changetype<usize>(new RegularFile(dentry, flags));
    if (this.isDirectory) return changetype<usize>(new DirectoryFile(dentry, flags));
    return openSpecial(this, dentry, flags);
  }

  readPages(first: u64, frames: usize, count: u32): i32 {
    return fillPages(this, first, frames, count);
  }

  pageForRead(index: u64, ahead: u32, isNewUse: bool): i64 {
    if (index << PAGE_SHIFT >= this.size) return -EIO;
    return this.filePages().get(index, ahead, isNewUse);
  }

  pageInMemory(index: u64, _shared: bool): u64 {
    const pages = this.pages;
    return pages ? pages.find(index, false) : 0;
  }

  destroy(): void {
    this.erofs.forget(this);
    const pages = this.pages;
    if (pages) pages.dispose();
    free(this);
  }

  private filePages(): FilePages {
    const existing = this.pages;
    if (existing) return existing;
    const made = new FilePages(this, true);
    const slot = changetype<usize>(this) + offsetof<Vnode>("pages");
    const winner = atomic.cmpxchg<usize>(slot, 0, changetype<usize>(made));
    if (winner == 0) return made;
    made.dispose();
    return changetype<FilePages>(winner);
  }
}
