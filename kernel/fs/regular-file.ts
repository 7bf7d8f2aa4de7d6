/**
 * An open regular file of any file system that keeps its data in pages: read, write, seek, map.
 *
 * Reading asks the vnode for page after page and copies from the frame to the application; a hole
 * reads as zeros. Neighbours: `vnode` (pageForRead, pageForWrite), `file-mapping` (mmap),
 * `write-locks`.
 */
import { clearUser, copyUser } from "../arch/cpu";
import { EFAULT, EFBIG, EINVAL, ENODEV, ENXIO, EPERM, asError } from "../lib/errno";
import { frameOf, releaseFrame, toVirtual } from "../mm/frames";
import {
  F_SEAL_GROW,
  F_SEAL_WRITE,
  O_APPEND,
  PAGE_BYTES,
  PAGE_SHIFT,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "./constants";
import { preemptionPoint } from "../sched/switch";
import { Dentry } from "./dentry";
import { NamedFile } from "./named-file";
import { FileMapping } from "./file-mapping";
import { CLUSTER_PAGES } from "./file-pages";
import { IN_ACCESS, IN_MODIFY, notifyFile } from "./notify";
import { Vnode } from "./vnode";
import { truncateVnode, writeLockOf } from "./write-locks";

/** Largest size of a file: offsets are signed (off_t). */
const SIZE_MAX: u64 = 0x7fff_ffff_ffff_ffff;
/** Pages read at the start of a file, before it is known whether the reader goes on. */
const FIRST_PAGES: u32 = 16;

export class RegularFile extends NamedFile {
  /** Where the last read ended: one that starts here is sequential. */
  private sequentialAt: u64 = 0;
  private hasRead: bool = false;
  private node: Vnode;
  /** Counted among the writers, which keep the file from being run. */
  private isWriter: bool = false;

  /** Takes a reference of the dentry. */
  constructor(dentry: Dentry, flags: u32) {
    super(dentry, flags);
    this.node = dentry.node;
  }

  /** Keeps the file from being run while it is open; false if it is being run (ETXTBSY). */
  claimForWriting(): bool {
    this.isWriter = this.node.beginWriting();
    return this.isWriter;
  }

  dispose(): void {
    if (this.isWriter) this.node.endWriting();
    super.dispose();
  }

  read(buffer: usize, length: usize): i64 {
    const count = this.readAt(buffer, length, this.offset);
    if (count > 0) this.offset += count;
    return count;
  }

  readAt(buffer: usize, length: usize, offset: u64): i64 {
    const node = this.node;
    const size = node.sizeBytes();
    if (offset >= size) return 0;
    const end = offset + min<u64>(length, size - offset);
    const isSequential = offset == this.sequentialAt;
    const ahead = this.pagesAhead(isSequential);
    let at = offset;
    let target = buffer;
    while (at < end) {
      const within = <usize>at & (PAGE_BYTES - 1);
      const chunk = <usize>min<u64>(PAGE_BYTES - within, end - at);
      const wanted = <u32>(
        min<u64>((end - at + within + PAGE_BYTES - 1) >> PAGE_SHIFT, CLUSTER_PAGES)
      );
      // A read that continues in the middle of a page is the same use of it.
      const isNewUse = within == 0 || !isSequential || at != offset;
      const page = node.pageForRead(at >> PAGE_SHIFT, max<u32>(ahead, wanted), isNewUse);
      if (page < 0) return at > offset ? this.endRead(offset, at) : page;
      const missed = copyOut(target, page, within, chunk);
      at += chunk - missed;
      target += chunk - missed;
      preemptionPoint();
      if (missed) return at > offset ? this.endRead(offset, at) : -EFAULT;
    }
    return this.endRead(offset, at);
  }

  write(buffer: usize, length: usize): i64 {
    const lock = writeLockOf(this.node);
    lock.lock();
    if (this.flags & O_APPEND) this.offset = this.node.sizeBytes();
    const count = this.writeLocked(buffer, length, this.offset);
    if (count > 0) this.offset += count;
    lock.unlock();
    if (count > 0) this.tell(IN_MODIFY);
    return count;
  }

  writeAt(buffer: usize, length: usize, offset: u64): i64 {
    const lock = writeLockOf(this.node);
    lock.lock();
    // pwrite(2), BUGS: Linux appends whatever the offset.
    const at = this.flags & O_APPEND ? this.node.sizeBytes() : offset;
    const count = this.writeLocked(buffer, length, at);
    lock.unlock();
    if (count > 0) this.tell(IN_MODIFY);
    return count;
  }

  seek(offset: i64, origin: u32): i64 {
    const size = <i64>this.node.sizeBytes();
    let target: i64 = 0;
    switch (origin) {
      case SEEK_SET:
        target = offset;
        break;
      case SEEK_CUR:
        target = <i64>this.offset + offset;
        break;
      case SEEK_END:
        target = size + offset;
        break;
      case SEEK_DATA:
      case SEEK_HOLE:
        if (offset < 0 || offset >= size) return -ENXIO;
        target = this.node.seekData(offset, origin == SEEK_HOLE);
        if (target < 0) return target;
        break;
      default:
        return -EINVAL;
    }
    if (target < 0) return -EINVAL;
    this.offset = target;
    return target;
  }

  pager(): usize {
    const dentry = this.dentry;
    if (!dentry) return asError(-ENODEV);
    return changetype<usize>(new FileMapping(dentry, this.isWritable));
  }

  truncate(sizeBytes: u64): i64 {
    const status = truncateVnode(this.node, sizeBytes);
    if (status == 0) this.tell(IN_MODIFY);
    return status;
  }

  allocate(mode: u32, offset: u64, length: u64): i64 {
    const lock = writeLockOf(this.node);
    lock.lock();
    const status = this.node.allocate(mode, offset, length);
    lock.unlock();
    if (status == 0) this.tell(IN_MODIFY);
    return status;
  }

  private tell(event: u32): void {
    const dentry = this.dentry;
    if (dentry) notifyFile(dentry, event);
  }

  /** How many pages to read when one is missing. */
  private pagesAhead(isSequential: bool): u32 {
    if (!isSequential) return 1;
    return this.hasRead ? CLUSTER_PAGES : FIRST_PAGES;
  }

  private endRead(start: u64, end: u64): i64 {
    this.sequentialAt = end;
    this.hasRead = true;
    this.tell(IN_ACCESS);
    return end - start;
  }

  private writeLocked(buffer: usize, length: usize, offset: u64): i64 {
    const node = this.node;
    if (length == 0) return 0;
    if (offset >= SIZE_MAX) return -EFBIG;
    if (node.seals) {
      if (node.seals & F_SEAL_WRITE) return -EPERM;
      if (node.seals & F_SEAL_GROW && offset + length > node.sizeBytes()) return -EPERM;
    }
    const end = offset + min<u64>(length, SIZE_MAX - offset);
    let at = offset;
    let source = buffer;
    while (at < end) {
      const within = <usize>at & (PAGE_BYTES - 1);
      const chunk = <usize>min<u64>(PAGE_BYTES - within, end - at);
      const page = node.pageForWrite(at >> PAGE_SHIFT);
      if (page < 0) return at > offset ? at - offset : page;
      const missed = copyUser(toVirtual(page) + within, source, chunk);
      releaseFrame(frameOf(page));
      at += chunk - missed;
      source += chunk - missed;
      if (chunk != missed) node.written(at);
      preemptionPoint();
      if (missed) return at > offset ? at - offset : -EFAULT;
    }
    return at - offset;
  }
}

/** Copies a part of a page (0: a hole) out and gives the page back; returns the bytes not copied. */
function copyOut(target: usize, page: i64, within: usize, length: usize): usize {
  if (page == 0) return clearUser(target, length);
  const missed = copyUser(target, toVirtual(page) + within, length);
  releaseFrame(frameOf(page));
  return missed;
}
