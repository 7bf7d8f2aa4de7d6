/**
 * How much memory there is, and how much of it is kept for the kernel itself: page frames that
 * applications and the page cache cannot have, so that objects of the kernel can still be made when
 * applications have taken the rest.
 */

/** The reserve is 1/64 of memory within these bounds, in frames. */
const RESERVE_MIN: u64 = 24;
const RESERVE_MAX: u64 = 1024;
const RESERVE_DIVISOR: u64 = 64;

/** What is left to the page cache is 1/32 of memory within these bounds, in frames. */
const CACHE_FLOOR_MIN: u64 = 32;
const CACHE_FLOOR_MAX: u64 = 2048;
const CACHE_FLOOR_DIVISOR: u64 = 32;

let total: u64 = 0;
let reserve: u64 = 0;

/** Adds to the number of frames the system has. */
export function countFrames(frames: u64): void {
  total += frames;
  reserve = max(RESERVE_MIN, min(RESERVE_MAX, total / RESERVE_DIVISOR));
}

/** Frames that the allocator was ever given. */
export function totalFrameCount(): u64 {
  return total;
}

/** Size of the kernel's reserve in frames. */
export function reservedFrameCount(): u64 {
  return reserve;
}

/** Frames that anonymous memory leaves to the page cache. */
export function cacheFloor(): u64 {
  return max(CACHE_FLOOR_MIN, min(CACHE_FLOOR_MAX, total / CACHE_FLOOR_DIVISOR));
}

/** Starts counting anew (unit tests). */
export function resetFrameCount(): void {
  total = 0;
  reserve = 0;
}
