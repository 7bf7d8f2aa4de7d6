/**
 * Takes the place of `kernel/mm/heap` when a kernel module is compiled for Node. Memory comes by
 * imports that `compiler/testing.ts` supplies, with leak checks and injected failures.
 */

/** Returns 16-byte aligned memory, or 0 when the test wants the allocation to fail. */
export declare function heapAllocate(sizeBytes: usize): usize;

/** Returns memory from `heapAllocate`. */
export declare function heapFree(pointer: usize): void;

/** How many bytes the block at `pointer` has room for. */
export declare function heapSize(pointer: usize): usize;

/** Whole pages in use: this heap has none. */
export function largeFrameCount(): u64 {
  return 0;
}

/** Free objects kept by processors: this heap keeps none. */
export function objectsInMagazines(_sizeClass: u32): u32 {
  return 0;
}
