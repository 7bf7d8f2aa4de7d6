/**
 * Loads a small test entry that has memory: it must export `startMemory` of `testing/memory`.
 */
import assert from "node:assert/strict";
import { type KernelModule, loadKernelModule } from "../../../compiler/testing.ts";

const MIB = 1 << 20;
const PAGE = 4096;
/** Where the kernel's early heap would be; here it is empty. */
const EARLY_HEAP = 0xffffffff80100000n;

interface WithMemory {
  startMemory(base: bigint, bytes: bigint): number;
}

/** Makes an instance with `ramMib` MiB of frames and a heap on them. */
export async function loadWithMemory<E>(
  entry: string,
  ramMib = 4,
): Promise<() => KernelModule<E & WithMemory>> {
  const loaded = await loadKernelModule<E & WithMemory>(entry, {
    pages: (16 + ramMib) * 16,
    symbols: {
      __data_start: EARLY_HEAP,
      __early_heap_start: EARLY_HEAP,
      __early_heap_end: EARLY_HEAP,
    },
  });
  return () => {
    const kernel = loaded.fresh();
    const ram = kernel.heap.reserve(ramMib * MIB, PAGE);
    assert.equal(kernel.exports.startMemory(ram, BigInt(ramMib * MIB)), 1);
    return kernel;
  };
}
