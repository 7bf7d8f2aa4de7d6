/**
 * A regular file in memory: its pages live in its own page tree, absent ones are holes.
 *
 * The overlay's files extend this: `lowerPage` supplies what lies below.
 * Locks: writers, truncation and allocation hold the file's write lock (`write-locks`); faults of
 * mappings do not, so pages are added by whoever comes first.
 */
import { EFBIG, EINVAL, ENOMEM, ENOSPC, ENXIO, EOPNOTSUPP, EPERM, asError } from "../../lib/errno";
import { allocateAnonymousFrame, frameOf, releaseFrame, toVirtual } from "../../mm/frames";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  F_SEAL_GROW,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  PAGE_BYTES,
  PAGE_SHIFT,
} from "../constants";
import { Dentry } from "../dentry";
import { FilePages, READ_AROUND } from "../file-pages";
import { kernelMemoryIsShort, memoryFileFrameCount } from "../page-cache";
import { RegularFile } from "../regular-file";
import { memoryFileLimit } from "./file-system";
import { TmpfsNode } from "./node";
import { Vnode } from "../vnode";

const SIZE_MAX: u64 = 0x7fff_ffff_ffff_ffff;
const PAGE_MASK: u64 = <u64>PAGE_BYTES - 1;
/** Beyond every offset, and a multiple of the page size. */
const FILE_END: u64 = 1 << 63;

export class TmpfsFile extends TmpfsNode {
  protected size: u64 = 0;

  /** The pages that are in memory here, not below; made with the first of them. */
  private get own(): FilePages {
    const existing = this.pages;
    if (existing) return existing;
    const made = new FilePages(this, false);
    const slot = changetype<usize>(this) + offsetof<Vnode>("pages");
    const winner = atomic.cmpxchg<usize>(slot, 0, changetype<usize>(made));
    if (winner == 0) return made;
    made.dispose();
    return changetype<FilePages>(winner);
  }

  /** The page if it is in memory here, with a reference; else 0. */
  private findOwn(index: u64): u64 {
    const pages = this.pages;
    return pages ? pages.find(index, false) : 0;
  }

  private hasOwn(index: u64): bool {
    const pages = this.pages;
    return pages ? pages.nextPresent(index) == index : false;
  }

  /** The first page from `index` on that is in memory here; beyond every file if there is none. */
  private nextOwn(index: u64): u64 {
    const pages = this.pages;
    return pages ? pages.nextPresent(index) : u64.MAX_VALUE;
  }

  // ---- what lies below (overlay) ----

  /** True if the page, which is not in memory here, has data below. */
  hasLower(_index: u64): bool {
    return false;
  }

  /** That page for reading, with a reference, or a negative error. */
  lowerPage(_index: u64, _ahead: u32, _isNewUse: bool): i64 {
    return 0;
  }

  /** That page if it is in memory, with a reference, else 0. */
  lowerInMemory(_index: u64): u64 {
    return 0;
  }

  /** Nothing from page `index` on shows through any more. */
  cutLower(_index: u64): void {}

  /** True once the file was opened for writing: mappings then show pages of our own only. */
  isSharedWithWriters(): bool {
    return true;
  }

  // ---- pages ----

  sizeBytes(): u64 {
    return this.size;
  }

  usedPages(): u64 {
    return this.ownCount();
  }

  private ownCount(): u64 {
    const pages = this.pages;
    return pages ? pages.count : 0;
  }

  pageForRead(index: u64, ahead: u32, isNewUse: bool): i64 {
    const physical = this.findOwn(index);
    if (physical) return <i64>physical;
    return this.hasLower(index) ? this.lowerPage(index, ahead, isNewUse) : 0;
  }

  pageForWrite(index: u64): i64 {
    while (true) {
      const physical = this.findOwn(index);
      if (physical) return <i64>physical;
      const made = this.makePage(index);
      if (made < 0) return made;
      if (this.own.add(index, made)) continue;
      releaseFrame(frameOf(made));
      if (kernelMemoryIsShort()) return -ENOMEM;
    }
  }

  /** A new frame with what the page holds so far. */
  private makePage(index: u64): i64 {
    if (memoryFileFrameCount() >= memoryFileLimit()) return -ENOSPC;
    const physical = allocateAnonymousFrame();
    if (!physical) return -ENOMEM;
    if (!this.hasLower(index)) {
      memory.fill(toVirtual(physical), 0, PAGE_BYTES);
      return <i64>physical;
    }
    const lower = this.lowerPage(index, 1, true);
    if (lower < 0) {
      releaseFrame(frameOf(physical));
      return lower;
    }
    if (lower) {
      memory.copy(toVirtual(physical), toVirtual(lower), PAGE_BYTES);
      releaseFrame(frameOf(lower));
    } else {
      memory.fill(toVirtual(physical), 0, PAGE_BYTES);
    }
    return <i64>physical;
  }

  pageForMapping(index: u64, forWrite: bool, shared: bool): i64 {
    const physical = this.findOwn(index);
    if (physical) return <i64>physical;
    const needsOwn = forWrite || shared || this.isSharedWithWriters() || !this.hasLower(index);
    return needsOwn ? this.pageForWrite(index) : this.lowerPage(index, READ_AROUND, true);
  }

  pageInMemory(index: u64, shared: bool): u64 {
    const physical = this.findOwn(index);
    if (physical || shared || this.isSharedWithWriters()) return physical;
    return this.hasLower(index) ? this.lowerInMemory(index) : 0;
  }

  written(end: u64): void {
    if (end > this.size) this.size = end;
    this.touch();
  }

  // ---- size ----

  truncate(sizeBytes: u64): i64 {
    if (sizeBytes > SIZE_MAX) return -EFBIG;
    if (this.seals & F_SEAL_SHRINK && sizeBytes < this.size) return -EPERM;
    if (this.seals & F_SEAL_GROW && sizeBytes > this.size) return -EPERM;
    if (sizeBytes < this.size) {
      const status = this.clearRange(sizeBytes, (sizeBytes + PAGE_MASK) & ~PAGE_MASK);
      if (status < 0) return status;
      const first = (sizeBytes + PAGE_MASK) >> PAGE_SHIFT;
      this.size = sizeBytes;
      this.cutLower(first);
      if (this.pages) this.own.truncate(first);
      this.unmapEverywhere(first << PAGE_SHIFT, FILE_END, true);
    }
    this.size = sizeBytes;
    this.touch();
    return 0;
  }

  allocate(mode: u32, offset: u64, length: u64): i64 {
    if (length == 0 || offset > SIZE_MAX || length > SIZE_MAX - offset) return -EINVAL;
    const end = offset + length;
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
      return -EOPNOTSUPP;
    }
    const clears = (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0;
    if (mode & FALLOC_FL_PUNCH_HOLE && !(mode & FALLOC_FL_KEEP_SIZE)) return -EOPNOTSUPP;
    if (clears && this.seals & F_SEAL_WRITE) return -EPERM;
    const grows = !(mode & FALLOC_FL_KEEP_SIZE) && end > this.size;
    if (grows && this.seals & F_SEAL_GROW) return -EPERM;
    let status: i64 = 0;
    if (clears) status = this.punch(offset, min<u64>(end, this.size));
    else status = this.reserve(offset >> PAGE_SHIFT, (end + PAGE_MASK) >> PAGE_SHIFT);
    if (status < 0) return status;
    if (grows) this.size = end;
    this.touch();
    return 0;
  }

  /** Makes every page of the range exist (posix_fallocate(3): later writes do not fail). */
  private reserve(first: u64, end: u64): i64 {
    const free = memoryFileLimit() - min<u64>(memoryFileFrameCount(), memoryFileLimit());
    if (end - first > free + this.ownCount()) return -ENOSPC;
    for (let index = first; index < end; index++) {
      if (this.hasLower(index)) continue;
      const page = this.pageForWrite(index);
      if (page < 0) return page;
      releaseFrame(frameOf(page));
    }
    return 0;
  }

  /** Clears a range of a file that may be mapped: mappings lose the pages that the file lost. */
  private punch(start: u64, end: u64): i64 {
    const status = this.clearRange(start, end);
    if (start < end)
      this.unmapEverywhere(start & ~PAGE_MASK, (end + PAGE_MASK) & ~PAGE_MASK, false);
    return status;
  }

  /** Makes the bytes `start` … `end` - 1 zeros; whole pages go, except where one lies below. */
  private clearRange(start: u64, end: u64): i64 {
    let at = start;
    while (at < end) {
      const index = at >> PAGE_SHIFT;
      const within = at & PAGE_MASK;
      const chunk = min<u64>(PAGE_BYTES - within, end - at);
      const exists = this.hasOwn(index);
      if (!exists && !this.hasLower(index)) {
        // A hole, perhaps a huge one: on to the next page there is.
        const next = this.nextOwn(index);
        if (next >= (end + PAGE_MASK) >> PAGE_SHIFT) return 0;
        at = next << PAGE_SHIFT;
        continue;
      }
      const isWhole = chunk == PAGE_BYTES;
      if (isWhole && !this.hasLower(index)) {
        if (exists) this.own.removeRange(index, index + 1);
      } else if (exists || this.hasLower(index)) {
        const page = this.pageForWrite(index);
        if (page < 0) return page;
        memory.fill(toVirtual(page) + <usize>within, 0, <usize>chunk);
        releaseFrame(frameOf(page));
      }
      at += chunk;
    }
    return 0;
  }

  seekData(offset: i64, forHole: bool): i64 {
    let index = <u64>offset >> PAGE_SHIFT;
    const end = (this.size + PAGE_MASK) >> PAGE_SHIFT;
    while (index < end) {
      const isData = this.hasLower(index) || this.hasOwn(index);
      if (isData != forHole) return max<i64>(offset, index << PAGE_SHIFT);
      index = isData ? index + 1 : this.nextOwn(index);
    }
    return forHole ? this.size : -ENXIO;
  }

  open(dentry: Dentry | null, flags: u32): usize {
    return dentry ? changetype<usize>(new RegularFile(dentry, flags)) : asError(-ENXIO);
  }

  dispose(): void {
    if (this.pages) this.own.dispose();
  }
}
