/**
 * Physical memory: allocation of page frames.
 *
 *   allocateFrame ──► per-CPU cache of single frames ──(refill, drain: 32 at a time)──► buddy lists
 *   allocateFrames(order > 0) ─────────────────────────────────────────────────────────► buddy lists
 *
 * A processor has two caches, for thread context and for interrupt handlers; each is used by one
 * context only, so neither needs a lock or interrupts off. The kernel is not preemptible.
 *
 * A part of memory is the kernel's reserve: frames for applications and the page cache
 * (`allocateUserFrame`) leave it alone, so that when applications have eaten all memory, the kernel
 * can still handle it: end the application, print the figures.
 *
 * Neighbours: `frame` (descriptors), `buddy` (free lists), `memory-map` (what is RAM at boot).
 */
import { cpuId, interruptDepth } from "../arch/cpu";
import {
  buddyFreeCount,
  buddyLock,
  claim,
  giveBlock,
  giveRange,
  largestOrder,
  splitBlock,
  takeBlock,
} from "./buddy";
import {
  dropFrame,
  FRAME_FREE,
  FRAME_PARKED,
  FRAME_PINNED,
  FRAME_RESERVED,
  Frame,
  frameByNumber,
  frameOf,
  numberOf,
} from "./frame";
import { PAGE_SHIFT, PAGE_SIZE, toVirtual } from "./layout";
import { clearPage } from "./page-content";
import { cacheFloor, countFrames, reservedFrameCount } from "./reserve";

export * from "./frame";
export { toPhysical, toVirtual } from "./layout";
export { addMemory, initFrames, reserveMemory } from "./memory-map";
export { reservedFrameCount, totalFrameCount } from "./reserve";

/** Cached single frames of one processor and context, linked through `Frame.next`. */
@unmanaged
class FrameCache {
  head: u32;
  count: u32;
}

const MAX_CPUS: u32 = 64;
/** log2 of the frames moved between a cache and the buddy lists at a time. */
const BATCH_ORDER: u32 = 5;
const BATCH: u32 = 1 << BATCH_ORDER;
const CACHE_LIMIT: u32 = 2 * BATCH;
/** Interrupt handlers rarely allocate: their cache takes fewer. */
const INTERRUPT_BATCH_ORDER: u32 = 2;

const caches = memory.data(8 * 2 * 64);
let reclaimer: ((frames: u64) => u64) | null = null;
let mappedReclaimer: ((everything: bool) => u64) | null = null;
let cacheCounter: (() => u64) | null = null;

function currentCache(): FrameCache {
  const index = (cpuId() << 1) + <u32>(interruptDepth() != 0);
  return changetype<FrameCache>(caches + ((<usize>index) << 3));
}

/** Frames free now, the kernel's reserve and the caches included. */
export function freeFrameCount(): u64 {
  let cached: u64 = 0;
  for (let i: usize = 0; i < MAX_CPUS * 2; i++) {
    cached += changetype<FrameCache>(caches + (i << 3)).count;
  }
  return buddyFreeCount() + cached;
}

/** Frames that applications can still get without reclaiming. */
export function availableFrameCount(): u64 {
  const free = freeFrameCount();
  const kept = reservedFrameCount();
  return free > kept ? free - kept : 0;
}

/** True when half of the reserve is gone: refuse new kernel objects with -ENOMEM. */
export function isMemoryShort(): bool {
  const limit = reservedFrameCount() / 2;
  return buddyFreeCount() < limit && freeFrameCount() < limit;
}

/**
 * Registers who can free memory: it gets the number of frames wanted and returns the number it freed.
 * It runs in the context of `allocateUserFrame`, so it may sleep.
 */
export function setReclaimer(reclaim: (frames: u64) => u64): void {
  reclaimer = reclaim;
}

/**
 * Registers who can take pages of files out of page tables, so that the reclaimer can free them:
 * it spares recently used pages unless asked for everything. Never sleeps.
 */
export function setMappedReclaimer(reclaim: (everything: bool) => u64): void {
  mappedReclaimer = reclaim;
}

/** Registers who knows how many frames the page cache holds. */
export function setCacheCounter(count: () => u64): void {
  cacheCounter = count;
}

/**
 * True if the page cache is larger than what anonymous memory may not take from it. Without that limit
 * a machine whose memory is full would throw away and read again the very code it executes, for ever.
 */
export function cacheMayShrink(): bool {
  const count = cacheCounter;
  return !count || count() > cacheFloor();
}

/** Runs the reclaimer; returns the number of frames freed. May sleep. */
export function reclaimFrames(frames: u64): u64 {
  const reclaim = reclaimer;
  return reclaim ? reclaim(frames) : 0;
}

/**
 * A block of 2^order frames for the kernel, aligned to its size, content undefined, one reference.
 * May use the reserve. Never sleeps.
 * @returns physical address, 0 = none
 */
export function allocateFrames(order: u32): u64 {
  if (order == 0) return allocateFrame();
  buddyLock.acquire();
  let number = takeBlock(order);
  buddyLock.release();
  if (!number) {
    drainFrameCache();
    buddyLock.acquire();
    number = takeBlock(order);
    buddyLock.release();
  }
  return (<u64>number) << PAGE_SHIFT;
}

/** Frees a block whatever its number of references; `order` is that of its allocation. */
export function freeFrames(physical: u64, order: u32): void {
  if (order == 0) {
    freeFrame(physical);
    return;
  }
  const frame = frameOf(physical);
  assert(
    frame.kind != FRAME_FREE && <u32>frame.order == order,
    "a block of frames is freed wrongly",
  );
  buddyLock.acquire();
  giveBlock(numberOf(frame), order);
  buddyLock.release();
}

/** One frame for the kernel itself, content undefined. Never sleeps. Physical address, 0 = none. */
export function allocateFrame(): u64 {
  const cache = currentCache();
  const number = cache.head;
  if (!number) {
    if (!refillCache(cache, 0)) return 0;
    return popFrame(cache, cache.head);
  }
  return popFrame(cache, number);
}

/** As `allocateFrame`, filled with zero bytes. */
export function allocateZeroedFrame(): u64 {
  const physical = allocateFrame();
  if (physical) clearPage(toVirtual(physical));
  return physical;
}

/**
 * One frame for application memory or the page cache, content undefined: leaves the kernel's reserve
 * alone and runs the reclaimer when memory is short, so it may sleep. Physical address, 0 = none.
 */
export function allocateUserFrame(): u64 {
  const cache = currentCache();
  const number = cache.head;
  if (number) return popFrame(cache, number);
  return allocateSlowly(false);
}

/**
 * As `allocateUserFrame`, for memory that cannot be reclaimed (anonymous pages, page tables, files in
 * memory): it leaves the page cache as much as programs need to go on running.
 */
export function allocateAnonymousFrame(): u64 {
  const cache = currentCache();
  const number = cache.head;
  if (number) return popFrame(cache, number);
  return allocateSlowly(true);
}

/** As `allocateAnonymousFrame`, filled with zero bytes. */
export function allocateZeroedAnonymousFrame(): u64 {
  const physical = allocateAnonymousFrame();
  if (physical) clearPage(toVirtual(physical));
  return physical;
}

/**
 * A block for application memory, for which smaller blocks would do as well: taken only while memory
 * is plentiful: at least four such blocks above the reserve.
 */
export function allocateUserBlock(order: u32): u64 {
  if (buddyFreeCount() < reservedFrameCount() + ((<u64>4) << order)) return 0;
  buddyLock.acquire();
  const number = takeBlock(order);
  buddyLock.release();
  return (<u64>number) << PAGE_SHIFT;
}

/** Frees one frame of order 0, whatever its number of references. */
export function freeFrame(physical: u64): void {
  const frame = frameOf(physical);
  assert(
    frame.kind != FRAME_PARKED && frame.kind != FRAME_FREE && frame.order == 0,
    "a frame is freed wrongly",
  );
  const cache = currentCache();
  frame.kind = FRAME_PARKED;
  frame.next = cache.head;
  cache.head = <u32>(physical >> PAGE_SHIFT);
  cache.count++;
  if (cache.count > CACHE_LIMIT) drainCache(cache, BATCH);
}

/** Drops one reference; frees the block that starts at this frame with the last one. */
export function releaseFrame(frame: Frame): void {
  if (!dropFrame(frame)) return;
  if (frame.flags & FRAME_PINNED) frame.references = 1;
  else freeFrames((<u64>numberOf(frame)) << PAGE_SHIFT, <u32>frame.order);
}

/**
 * Makes every frame of an allocated block an allocated frame of order 0 of the same kind with one
 * reference, so that each can be freed alone.
 */
export function splitFrames(physical: u64, order: u32): void {
  splitBlock(<u32>(physical >> PAGE_SHIFT), order);
}

/** Hands the reserved range [start, end) (boot data no longer needed) to the allocator. */
export function giveFrames(start: u64, end: u64): void {
  const first = <u32>((start + (PAGE_SIZE - 1)) >> PAGE_SHIFT);
  const limit = <u32>(end >> PAGE_SHIFT);
  if (first >= limit) return;
  for (let number = first; number < limit; number++) {
    assert(frameByNumber(number).kind == FRAME_RESERVED, "a range that is not reserved was given");
  }
  buddyLock.acquire();
  giveRange(first, limit);
  buddyLock.release();
  countFrames(<u64>(limit - first));
}

function popFrame(cache: FrameCache, number: u32): u64 {
  const frame = frameByNumber(number);
  cache.head = frame.next;
  cache.count--;
  claim(frame, 0);
  return (<u64>number) << PAGE_SHIFT;
}

function allocateSlowly(sparesCache: bool): u64 {
  let cache = currentCache();
  if (refillCache(cache, reservedFrameCount())) return popFrame(cache, cache.head);
  for (let attempt: u32 = 0; attempt < 3; attempt++) {
    if (sparesCache && !cacheMayShrink()) return 0;
    if (attempt > 0) {
      const unmap = mappedReclaimer;
      if (unmap) unmap(attempt > 1);
      else break;
    }
    reclaimFrames(<u64>BATCH);
    // The thread may have slept, and another context may have used what was freed.
    cache = currentCache();
    if (cache.head || refillCache(cache, reservedFrameCount())) return popFrame(cache, cache.head);
  }
  return 0;
}

/** Moves a batch of frames into an empty cache, but leaves `keep` frames in the lists. */
function refillCache(cache: FrameCache, keep: u64): bool {
  buddyLock.acquire();
  const free = buddyFreeCount();
  if (free <= keep) {
    buddyLock.release();
    return false;
  }
  const wanted = interruptDepth() != 0 ? INTERRUPT_BATCH_ORDER : BATCH_ORDER;
  let order = largestOrder(wanted);
  while ((<u64>1) << order > free - keep) order--;
  const first = takeBlock(<u32>order);
  buddyLock.release();
  const count: u32 = 1 << order;
  // Highest first, so that the frames come out in ascending order.
  let head: u32 = 0;
  for (let number = first + count - 1; number >= first; number--) {
    const frame = frameByNumber(number);
    frame.kind = FRAME_PARKED;
    frame.order = 0;
    frame.next = head;
    head = number;
  }
  cache.head = head;
  cache.count = count;
  return true;
}

/** Returns this processor's cached frames to the free lists, where they join with their buddies. */
export function drainFrameCache(): void {
  drainCache(currentCache(), 0);
}

/** Returns frames of a cache to the lists until `keep` are left. */
function drainCache(cache: FrameCache, keep: u32): void {
  buddyLock.acquire();
  let number = cache.head;
  let count = cache.count;
  while (count > keep) {
    const next = frameByNumber(number).next;
    giveBlock(number, 0);
    number = next;
    count--;
  }
  cache.head = number;
  cache.count = count;
  buddyLock.release();
}
