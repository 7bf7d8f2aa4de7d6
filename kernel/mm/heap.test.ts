/** The kernel heap: sizes, alignment, nothing overlaps, everything is given back, failure is clean. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../compiler/testing.ts";
import type { FrameExports } from "./frames.test.ts";

interface HeapExports extends FrameExports {
  initHeap(): void;
  heapAllocate(size: bigint): bigint;
  heapFree(pointer: bigint): void;
  heapSize(pointer: bigint): bigint;
  slabFrameCount(): bigint;
  largeFrameCount(): bigint;
}

const MIB = 1n << 20n;
/** The kernel image as the linker symbols claim it: the early heap lies at its end. */
const KERNEL_IMAGE = 0xffffffff80000000n;
const RAM_BASE = 8n << 20n;
const EARLY_BYTES = 0x20000n;
const INTERRUPT_DEPTH_OFFSET = 88;

const compiled = loadKernelModule<HeapExports>("kernel/mm/frames.testentry.ts", {
  pages: 1024,
  symbols: {
    __data_start: KERNEL_IMAGE + MIB,
    __early_heap_start: KERNEL_IMAGE + MIB,
    __early_heap_end: KERNEL_IMAGE + MIB + EARLY_BYTES,
  },
});

async function boot(megabytes: bigint): Promise<KernelModule<HeapExports>> {
  const kernel = (await compiled).fresh();
  kernel.exports.setDirectMap(RAM_BASE);
  kernel.exports.addMemory(MIB, MIB + megabytes * MIB);
  kernel.exports.reserveMemory(MIB, MIB + EARLY_BYTES);
  assert.equal(kernel.exports.initFrames(), 1);
  return kernel;
}

function setInterrupt(kernel: KernelModule<HeapExports>, on: boolean): void {
  kernel.hardware.perCpu.setUint32(INTERRUPT_DEPTH_OFFSET, on ? 1 : 0, true);
}

test("the early heap hands out memory in order, ends, and its rest becomes frames", async () => {
  const kernel = await boot(4n);
  const { exports } = kernel;
  const first = BigInt.asUintN(64, exports.heapAllocate(20n));
  assert.equal(first, KERNEL_IMAGE + MIB);
  const second = BigInt.asUintN(64, exports.heapAllocate(1n));
  assert.equal(second, first + 32n);
  exports.heapFree(second);
  assert.equal(BigInt.asUintN(64, exports.heapAllocate(5000n)), second);
  exports.heapFree(first);
  assert.equal(exports.heapAllocate(EARLY_BYTES), 0n);
  const before = exports.freeFrameCount();
  exports.initHeap();
  // 5032 bytes are in use: two pages of 32 stay.
  assert.equal(exports.freeFrameCount(), before + 30n);
  exports.heapFree(second);
  assert.ok(exports.heapAllocate(5000n) < RAM_BASE + 8n * MIB);
});

const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("allocate" as const),
      size: fc.oneof(fc.nat(300), fc.nat(2100), fc.nat(40000)),
      interrupt: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("free" as const),
      which: fc.nat(),
      interrupt: fc.boolean(),
    }),
  },
);

test("random sizes: aligned, disjoint, kept intact, and all memory comes back", async () => {
  const base = await boot(0n + 12n);
  fc.assert(
    fc.property(fc.array(action, { maxLength: 400, size: "max" }), (actions) => {
      const kernel = base.fresh();
      const { exports } = kernel;
      exports.setDirectMap(RAM_BASE);
      exports.addMemory(MIB, 13n * MIB);
      exports.reserveMemory(MIB, MIB + EARLY_BYTES);
      exports.initFrames();
      exports.initHeap();
      const total = exports.freeFrameCount();
      const held: { pointer: bigint; size: number; mark: number }[] = [];
      const check = (block: { pointer: bigint; size: number; mark: number }): void => {
        const bytes = kernel.memory.bytes(block.pointer, block.size);
        assert.ok(
          bytes.every((byte) => byte === block.mark),
          "content of a block changed",
        );
      };
      actions.forEach((action, number) => {
        setInterrupt(kernel, action.interrupt);
        if (action.kind === "allocate") {
          const pointer = exports.heapAllocate(BigInt(action.size));
          if (pointer === 0n) return;
          assert.equal(pointer % 16n, 0n);
          assert.ok(exports.heapSize(pointer) >= BigInt(action.size));
          const block = { pointer, size: action.size, mark: number & 255 };
          // Filling its whole usable size must not touch a neighbour.
          kernel.memory.bytes(pointer, Number(exports.heapSize(pointer))).fill(block.mark);
          held.push(block);
        } else if (held.length > 0) {
          const [block] = held.splice(action.which % held.length, 1);
          assert.ok(block);
          check(block);
          exports.heapFree(block.pointer);
        }
      });
      for (const block of held) {
        check(block);
        exports.heapFree(block.pointer);
      }
      assert.equal(exports.largeFrameCount(), 0n);
      assert.equal(exports.freeFrameCount() + exports.slabFrameCount(), total);
      // Only what the magazines hold is left in slabs: at most one batch and a bit of each class.
      assert.ok(exports.slabFrameCount() <= 2n * 2n * 21n, `${exports.slabFrameCount()} slabs`);
    }),
    { numRuns: 100 },
  );
});

test("without memory the heap returns 0, also for absurd sizes, and recovers", async () => {
  const kernel = await boot(2n);
  const { exports } = kernel;
  exports.initHeap();
  assert.equal(exports.heapAllocate(33n << 20n), 0n);
  assert.equal(exports.heapAllocate((1n << 64n) - 1n), 0n);
  assert.equal(exports.heapAllocate(1n << 44n), 0n);
  const pointers: bigint[] = [];
  for (const size of [8192n, 100n]) {
    for (let pointer = exports.heapAllocate(size); pointer; pointer = exports.heapAllocate(size)) {
      pointers.push(pointer);
    }
  }
  assert.ok(pointers.length > 100);
  assert.equal(exports.freeFrameCount(), 0n);
  for (const pointer of pointers) exports.heapFree(pointer);
  assert.notEqual(exports.heapAllocate(100_000n), 0n);
});

test("freeing what is not the heap's is caught", async () => {
  const kernel = await boot(2n);
  kernel.exports.initHeap();
  const frame = kernel.exports.allocateFrame();
  assert.throws(() => kernel.exports.heapFree(RAM_BASE + frame), /not the heap's/);
});
