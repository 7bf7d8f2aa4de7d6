/** skeleton */
import { Frame } from "./frame";
export * from "./frame";
export { toPhysical, toVirtual } from "./layout";

/** Declares usable RAM [start, end), page-aligned physical addresses. Before `initFrames`. */
export function addMemory(start: u64, end: u64): void {
  abort("unwritten");
}
/** Declares RAM [start, end) that is in use (kernel image, boot module). Before `initFrames`. */
export function reserveMemory(start: u64, end: u64): void {
  abort("unwritten");
}
/** Builds the frame table and the free lists from what was declared. */
export function initFrames(): void {
  abort("unwritten");
}
/** Hands a range that was reserved (boot data no longer needed) to the allocator. */
export function giveFrames(start: u64, end: u64): void {
  abort("unwritten");
}
/** A block of 2^order frames for the kernel, one reference; physical address, 0 = none. */
export function allocateFrames(order: u32): u64 {
  abort("unwritten");
  return 0;
}
/** Frees a block whatever its references. */
export function freeFrames(physical: u64, order: u32): void {
  abort("unwritten");
}
/** One frame for the kernel itself (may use the reserve; never sleeps); 0 = none. */
export function allocateFrame(): u64 {
  abort("unwritten");
  return 0;
}
/** As allocateFrame, filled with zero bytes. */
export function allocateZeroedFrame(): u64 {
  abort("unwritten");
  return 0;
}
export function freeFrame(physical: u64): void {
  abort("unwritten");
}
/** Drops one reference; frees the frame with the last. */
export function releaseFrame(frame: Frame): void {
  abort("unwritten");
}
/**
 * One frame for application memory or the page cache: leaves the kernel's reserve alone, and asks the
 * reclaimer when memory is short, so it may sleep. 0 = none.
 */
export function allocateUserFrame(): u64 {
  abort("unwritten");
  return 0;
}
/** Makes every frame of an allocated block an allocated frame of order 0 with one reference. */
export function splitFrames(physical: u64, order: u32): void {
  abort("unwritten");
}
export function freeFrameCount(): u64 {
  return 0;
}
export function totalFrameCount(): u64 {
  return 0;
}
/** Registers who can free memory: gets the number of frames wanted, returns the number freed. */
export function setReclaimer(reclaim: (frames: u64) => u64): void {
  abort("unwritten");
}
/** True when so little memory is left that new kernel objects should be refused with -ENOMEM. */
export function isMemoryShort(): bool {
  return false;
}
