/**
 * Takes the place of `kernel/mm/heap` when a kernel module is compiled for Node: both functions are
 * imports that `compiler/testing.ts` supplies, with leak checks and injected failures.
 */

/** Returns 16-byte aligned memory, or 0 when the test wants the allocation to fail. */
export declare function heapAllocate(sizeBytes: usize): usize;

/** Returns memory from `heapAllocate`. */
export declare function heapFree(pointer: usize): void;

/** How many bytes the block at `pointer` has room for. */
export declare function heapSize(pointer: usize): usize;
