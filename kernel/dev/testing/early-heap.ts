/**
 * Gives a module under test the early heap of the kernel image, so that code which asks
 * `kernel/mm/heap` for memory runs without frames.
 */
import type { KernelInstanceParts, LoadOptions } from "../../../compiler/testing.ts";

/** Load options with an early heap of `sizeBytes` bytes, merged into `options`. */
export function withEarlyHeap(sizeBytes = 8 << 20, options: LoadOptions = {}): LoadOptions {
  const starts = new WeakMap<KernelInstanceParts, bigint>();
  return {
    ...options,
    symbols: (parts) => {
      let start = starts.get(parts);
      if (start === undefined) {
        start = parts.heap.reserve(sizeBytes, 4096);
        starts.set(parts, start);
      }
      return { __early_heap_start: start, __early_heap_end: start + BigInt(sizeBytes) };
    },
  };
}
