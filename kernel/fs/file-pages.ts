/**
 * The pages of one file in memory. A file on disk has them in the page cache, where they may be
 * evicted; a file in memory (tmpfs) has them nowhere else, so they stay until the file shrinks.
 *
 * A frame in the tree holds one reference of the cache; `find` and `get` take one more for the
 * caller, who gives it back by `releaseFrame`. A frame that is being read has FRAME_LOADING and no
 * FRAME_VALID; whoever needs it sleeps until the flag goes.
 *
 * Locks: `lock` guards the tree and the flags of its frames. Order: cacheLock of `page-cache`
 * (held while a victim is judged), then `lock`. Allocation and reading happen under neither.
 * Neighbours: `page-cache` (replacement), `vnode` (`readPages` fills frames), `paged-file` (read,
 * write), `file-mapping` (mmap).
 */
import { SpinLock } from "../arch/spinlock";
import { ENOMEM } from "../lib/errno";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import {
  FRAME_CACHE,
  FRAME_LOADING,
  FRAME_REFERENCED,
  FRAME_VALID,
  Frame,
  allocateUserFrame,
  frameOf,
  physicalOf,
  releaseFrame,
  retainFrame,
} from "../mm/frames";
import { FOREVER, WaitQueue } from "../sched/wait";
import { Counter } from "./counter";
import { cacheInsert, cacheRemove, countMemoryPages } from "./page-cache";
import { NO_INDEX, PageTree } from "./page-tree";
import { Vnode } from "./vnode";
import { PAGE_SHIFT } from "./constants";

/** Most pages read in one go: 128 KiB … */
export const CLUSTER_PAGES: u32 = 32;
/**
 * … but a mapped file of up to 1 MiB is read as a whole: a program jumps about in its file, and each
 * wait for the disk takes longer than the rest of the file.
 */
const SMALL_FILE_PAGES: u32 = 256;

/** For `get`: a mapping was touched, so pages before and behind may be next. */
export const READ_AROUND: u32 = u32.MAX_VALUE;

/** Woken whenever a page has been read, successfully or not. */
const pageLoaded = new WaitQueue();

/** Numbers the page sets, so that ghosts of a dead file never mean a new one. */
const nextId = new Counter(1);

export class FilePages {
  private lock: SpinLock = new SpinLock();
  private tree: PageTree = new PageTree();
  /** Stands for the file in the keys of `arc`. */
  id: u32 = <u32>nextId.next();
  /** Pages in memory. */
  count: u64 = 0;

  /**
   * @param vnode the file; it owns this object
   * @param evictable true for a file on disk, false if memory is the only place of its data
   */
  constructor(
    private vnode: Vnode,
    private evictable: bool,
  ) {}

  /**
   * The frame of a page if it is in memory and valid, with a reference for the caller; 0 if not.
   * @param isNewUse false if this continues the last access to the page, which then counts as one
   * @returns physical address
   */
  find(index: u64, isNewUse: bool = true): u64 {
    if (this.count == 0) return 0;
    const lock = this.lock;
    lock.acquire();
    const frame = changetype<Frame>(this.tree.get(index));
    let physical: u64 = 0;
    if (changetype<usize>(frame) && frame.flags & FRAME_VALID) {
      retainFrame(frame);
      if (isNewUse) frame.flags |= FRAME_REFERENCED;
      physical = physicalOf(frame);
    }
    lock.release();
    return physical;
  }

  /**
   * The frame of a page of a file on disk, which is read if need be, with a reference for the
   * caller. May sleep.
   * @param ahead how many pages from `index` on to read if this one is not there, 1 …
   * CLUSTER_PAGES; READ_AROUND: the absent ones around it in an aligned cluster or small file
   * @returns physical address, or -EIO, -EUCLEAN, -ENOMEM
   */
  get(index: u64, ahead: u32, isNewUse: bool = true): i64 {
    let wanted = ahead;
    while (true) {
      const physical = this.find(index, isNewUse);
      if (physical) return <i64>physical;
      if (this.awaitLoading(index)) continue;
      let first = index;
      if (wanted == READ_AROUND) {
        const cluster = this.isSmall ? SMALL_FILE_PAGES : CLUSTER_PAGES;
        first = this.firstAbsent(index, cluster);
        wanted = cluster - (<u32>first & (cluster - 1));
      }
      const status = this.load(first, wanted);
      if (status < 0) return status;
      // Memory may have been too short to get as far as the page itself: then only that.
      wanted = 1;
    }
  }

  private get isSmall(): bool {
    return this.vnode.sizeBytes() <= (<u64>SMALL_FILE_PAGES) << PAGE_SHIFT;
  }

  /** The first of the absent pages that lead up to `index` without a gap in its aligned cluster. */
  private firstAbsent(index: u64, cluster: u32): u64 {
    const start = index & ~(<u64>cluster - 1);
    let first = index;
    this.lock.acquire();
    while (first > start && !this.tree.get(first - 1)) first--;
    this.lock.release();
    return first;
  }

  /**
   * Puts a frame into an empty place; the caller's reference becomes the tree's.
   * @returns false if the place was taken, or the tree has no memory to grow
   */
  add(index: u64, physical: u64): bool {
    const frame = frameOf(physical);
    this.lock.acquire();
    const added = this.tree.get(index) == 0 && this.tree.set(index, changetype<usize>(frame));
    if (added) {
      this.own(frame, index, FRAME_VALID);
      this.count++;
    }
    this.lock.release();
    if (added && !this.evictable) countMemoryPages(1);
    return added;
  }

  /** Drops all pages from `first` on. Pages that are mapped live on until unmapped. */
  truncate(first: u64): void {
    this.removeRange(first, NO_INDEX);
  }

  /** Drops the pages `first` … `end` - 1. */
  removeRange(first: u64, end: u64): void {
    let index = first;
    while (true) {
      this.lock.acquire();
      index = this.tree.next(index);
      if (index >= end) {
        this.lock.release();
        return;
      }
      const frame = changetype<Frame>(this.tree.remove(index));
      this.count--;
      this.lock.release();
      if (this.evictable) cacheRemove(frame);
      else countMemoryPages(-1);
      frame.owner = 0;
      releaseFrame(frame);
      index++;
    }
  }

  /** The smallest index from `from` on that has a page, or NO_INDEX. */
  nextPresent(from: u64): u64 {
    this.lock.acquire();
    const index = this.tree.next(from);
    this.lock.release();
    return index;
  }

  /**
   * For the page cache, which holds its lock: takes out a page that nobody has used or holds.
   * @returns a PAGE_* verdict of `arc`, given as its three values
   */
  tryEvict(frame: Frame, used: u32, held: u32, evicted: u32): u32 {
    this.lock.acquire();
    let verdict = held;
    if (frame.flags & FRAME_REFERENCED) {
      frame.flags &= ~FRAME_REFERENCED;
      verdict = used;
    } else if (frame.references == 1 && this.tree.get(frame.index) == changetype<usize>(frame)) {
      this.tree.remove(frame.index);
      this.count--;
      verdict = evicted;
    }
    this.lock.release();
    return verdict;
  }

  /** Drops every page and the object; the vnode is going. */
  dispose(): void {
    this.truncate(0);
    free(this.tree);
    free(this.lock);
    free(this);
  }

  private own(frame: Frame, index: u64, flags: u8): void {
    frame.kind = FRAME_CACHE;
    frame.tag = 0;
    frame.flags = flags;
    frame.owner = changetype<usize>(this);
    frame.index = index;
  }

  /** Sleeps while the page is being read by somebody else; false if nobody reads it. */
  private awaitLoading(index: u64): bool {
    this.lock.acquire();
    const frame = changetype<Frame>(this.tree.get(index));
    if (!changetype<usize>(frame)) {
      this.lock.release();
      return false;
    }
    if (frame.flags & FRAME_LOADING) pageLoaded.sleep(this.lock, FOREVER, false);
    this.lock.release();
    return true;
  }

  /** Reads up to `ahead` absent pages from `first` on; 0, also if somebody else was quicker. */
  private load(first: u64, ahead: u32): i64 {
    const pagesLeft = ((this.vnode.sizeBytes() + 4095) >> PAGE_SHIFT) - first;
    const wanted = <u32>min<u64>(max<u32>(ahead, 1), max<u64>(pagesLeft, 1));
    const frames = heapAllocate(<usize>wanted * 8);
    if (!frames) return -ENOMEM;
    const allocated = allocateCluster(frames, wanted);
    const count = this.addLoading(first, frames, allocated);
    for (let i = count; i < allocated; i++) releaseFrame(frameIn(frames, i));
    let status: i64 = allocated ? 0 : -ENOMEM;
    if (count) {
      status = this.vnode.readPages(first, frames, count);
      this.finishLoading(first, frames, count, status == 0);
    }
    heapFree(frames);
    return status;
  }

  /** Puts frames into the tree as long as places are empty; returns how many. */
  private addLoading(first: u64, frames: usize, count: u32): u32 {
    this.lock.acquire();
    let added: u32 = 0;
    for (; added < count; added++) {
      const index = first + added;
      const frame = frameIn(frames, added);
      if (this.tree.get(index) || !this.tree.set(index, changetype<usize>(frame))) break;
      this.own(frame, index, FRAME_LOADING);
    }
    this.count += added;
    this.lock.release();
    return added;
  }

  /** Declares the pages valid, or takes them out again. */
  private finishLoading(first: u64, frames: usize, count: u32, isValid: bool): void {
    this.lock.acquire();
    for (let i: u32 = 0; i < count; i++) {
      const frame = frameIn(frames, i);
      frame.flags = isValid ? FRAME_VALID : 0;
      if (!isValid) this.tree.remove(first + i);
    }
    if (!isValid) this.count -= count;
    this.lock.release();
    for (let i: u32 = 0; i < count; i++) {
      if (isValid) cacheInsert(frameIn(frames, i));
      else releaseFrame(frameIn(frames, i));
    }
    pageLoaded.wakeAll();
  }
}

/** Allocates up to `count` frames; returns how many. */
function allocateCluster(frames: usize, count: u32): u32 {
  let allocated: u32 = 0;
  while (allocated < count) {
    const physical = allocateUserFrame();
    if (!physical) break;
    store<u64>(frames + allocated * 8, physical);
    allocated++;
  }
  return allocated;
}

function frameIn(frames: usize, index: u32): Frame {
  return frameOf(load<u64>(frames + index * 8));
}
