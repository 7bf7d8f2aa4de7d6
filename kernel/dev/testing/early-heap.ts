/**
 * Gives a module under test the early heap of the kernel image, so that code which asks
 * `kernel/mm/heap` for memory runs without frames.
 */
import type { KernelInstanceParts, LoadOptions } from "../../../compiler/testing.ts";

/**
 * Load options with an early heap of `sizeBytes` bytes.
 * @param topBytes left free at the very end of memory, so that reading beyond it traps
 */
export function withEarlyHeap(sizeBytes = 8 << 20, topBytes = 0): LoadOptions {
  const starts = new WeakMap<KernelInstanceParts, bigint>();
  return {
    symbols: (parts) => {
      let start = starts.get(parts);
      if (start === undefined) {
        if (topBytes > 0) parts.heap.reserve(topBytes);
        start = parts.heap.reserve(sizeBytes, 4096);
        starts.set(parts, start);
      }
      return {
        __data_start: start,
        __early_heap_start: start,
        __early_heap_end: start + BigInt(sizeBytes),
      };
    },
  };
}
