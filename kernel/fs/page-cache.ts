/**
 * The page cache as a whole: which frames hold file data, and which of them go when memory is short.
 *
 * Lock: `cacheLock` guards the replacement lists. Order: cacheLock, then FilePages.lock.
 * Neighbours: `file-pages` (the pages of one file), `arc` (the policy), `mm/frames` (calls the
 * reclaimer).
 */
import { SpinLock } from "../arch/spinlock";
import {
  cacheMayShrink,
  Frame,
  isMemoryShort,
  releaseFrame,
  setCacheCounter,
  setReclaimer,
} from "../mm/frames";
import { Arc, ArcPages, LIST_NONE, PAGE_EVICTED, PAGE_HELD, PAGE_USED } from "./arc";
import { Counter } from "./counter";
import { FilePages } from "./file-pages";
import { shrinkNames } from "./name-cache";

/** How many frames to free when kernel memory is short. */
const RECLAIM_FRAMES: u64 = 128;

/** The pages of files on disk, for the policy. */
class CachePages extends ArcPages {
  keyOf(frame: Frame): u64 {
    return ((<u64>changetype<FilePages>(frame.owner).id) << 32) | (frame.index & 0xffffffff);
  }

  judge(frame: Frame): u32 {
    const pages = changetype<FilePages>(frame.owner);
    return pages.tryEvict(frame, PAGE_USED, PAGE_HELD, PAGE_EVICTED);
  }

  discard(frame: Frame): void {
    releaseFrame(frame);
  }
}

const cacheLock = new SpinLock();
const arc = new Arc(new CachePages());
/** Frames that hold files in memory (tmpfs). */
const memoryPages = new Counter();

/** Puts a frame that was just filled under the policy's rule; its file is in use, so stays. */
export function cacheInsert(frame: Frame): void {
  cacheLock.acquire();
  arc.insert(frame);
  cacheLock.release();
}

/** Takes a frame, whose file has let go of it, from the lists. */
export function cacheRemove(frame: Frame): void {
  cacheLock.acquire();
  if (frame.tag != LIST_NONE) arc.remove(frame);
  cacheLock.release();
}

/** Counts pages of files in memory. */
export function countMemoryPages(change: i64): void {
  memoryPages.add(<u64>change);
}

/** Frames that hold data of files on disk. */
export function cachedFrameCount(): u64 {
  return arc.length;
}

/** Frames that hold files in memory ("Shmem" in /proc/meminfo). */
export function memoryFileFrameCount(): u64 {
  return memoryPages.current;
}

/** Frees up to `frames` frames: cached pages first, and names nobody uses in proportion. */
export function reclaimFrames(frames: u64): u64 {
  cacheLock.acquire();
  const freed = arc.evict(frames);
  cacheLock.release();
  if (freed < frames) shrinkNames(<u32>max<u64>(64, (frames - freed) * 16));
  return freed;
}

/** True if no kernel object should be made now, although the cache gave back what it could. */
export function kernelMemoryIsShort(): bool {
  if (!isMemoryShort()) return false;
  if (cacheMayShrink()) reclaimFrames(RECLAIM_FRAMES);
  return isMemoryShort();
}

/** Tells the frame allocator that the cache can shrink. */
export function initPageCache(): void {
  setReclaimer(reclaimFrames);
  setCacheCounter(cachedFrameCount);
}
