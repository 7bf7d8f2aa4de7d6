/** skeleton */
/** Returns 16-byte aligned memory with undefined content; 0 = none. */
export function heapAllocate(sizeBytes: usize): usize {
  abort("unwritten");
  return 0;
}
/** Returns memory from `heapAllocate`. */
export function heapFree(pointer: usize): void {
  abort("unwritten");
}
/** Usable bytes of an allocation (at least what was asked for). */
export function heapSize(pointer: usize): usize {
  abort("unwritten");
  return 0;
}
/** Switches from the early heap to slabs; after `initFrames`. */
export function initHeap(): void {
  abort("unwritten");
}
