/** The frame allocator against a model: what is free, what is allocated, nothing twice, all back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelModule, loadKernelModule } from "../../compiler/testing.ts";

export interface FrameExports {
  setDirectMap(address: bigint): void;
  addMemory(start: bigint, end: bigint): void;
  reserveMemory(start: bigint, end: bigint): void;
  initFrames(): number;
  giveFrames(start: bigint, end: bigint): void;
  allocateFrame(): bigint;
  allocateFrames(order: number): bigint;
  allocateUserFrame(): bigint;
  allocateUserBlock(order: number): bigint;
  freeFrame(physical: bigint): void;
  freeFrames(physical: bigint, order: number): void;
  splitFrames(physical: bigint, order: number): void;
  drainFrameCache(): void;
  freeFrameCount(): bigint;
  totalFrameCount(): bigint;
  reservedFrameCount(): bigint;
  isMemoryShort(): number;
  listFreeBlocks(out: bigint, capacity: number): number;
}

const PAGE = 4096n;
/** Where "RAM" starts in the module's memory; before it lie static data and the list of blocks. */
const RAM_BASE = 8n << 20n;
const LIST = 4n << 20n;
const MIB = 1n << 20n;
const INTERRUPT_DEPTH_OFFSET = 88;

const compiled = loadKernelModule<FrameExports>("kernel/mm/frames.testentry.ts", { pages: 1024 });

interface Map {
  ram: [bigint, bigint][];
  reserved: [bigint, bigint][];
}

async function boot(map: Map): Promise<KernelModule<FrameExports>> {
  const kernel = (await compiled).fresh();
  // Stale content must not matter: descriptors start as rubbish.
  kernel.memory.bytes(RAM_BASE, 48 << 20).fill(1);
  kernel.exports.setDirectMap(RAM_BASE);
  for (const [start, end] of map.ram) kernel.exports.addMemory(start, end);
  for (const [start, end] of map.reserved) kernel.exports.reserveMemory(start, end);
  assert.equal(kernel.exports.initFrames(), 1);
  return kernel;
}

/** Free blocks as "order:frame" strings, sorted. */
function freeBlocks(kernel: KernelModule<FrameExports>): string[] {
  const count = kernel.exports.listFreeBlocks(LIST, 100_000);
  const list: string[] = [];
  for (let i = 0n; i < BigInt(count); i++) {
    const order = kernel.memory.read(LIST + i * 8n, 32);
    const frame = kernel.memory.read(LIST + i * 8n + 4n, 32);
    assert.equal(frame % (1n << order), 0n, "a free block is not aligned");
    list.push(`${order}:${frame}`);
  }
  return list.sort();
}

const frames = (bytes: bigint): bigint => bytes / PAGE;

test("all RAM but reserved ranges and the table is free at first, in maximal blocks", async () => {
  const kernel = await boot({
    ram: [
      [0n, 0x9f000n],
      [MIB, 24n * MIB],
      [32n * MIB, 40n * MIB],
    ],
    reserved: [[MIB, 2n * MIB + 5n * PAGE]],
  });
  const table = ((40n * MIB) / PAGE) * 32n;
  const expected =
    frames(0x9f000n) - 1n + frames(23n * MIB + 8n * MIB) - frames(MIB) - 5n - table / PAGE;
  assert.equal(kernel.exports.freeFrameCount(), expected);
  assert.equal(kernel.exports.totalFrameCount(), expected);
  assert.ok(freeBlocks(kernel).includes(`11:${frames(32n * MIB)}`));
});

test("initFrames reports a machine without room for the table", async () => {
  const kernel = (await compiled).fresh();
  kernel.exports.setDirectMap(RAM_BASE);
  kernel.exports.addMemory(MIB, 2n * MIB);
  kernel.exports.reserveMemory(MIB, 2n * MIB);
  assert.equal(kernel.exports.initFrames(), 0);
});

type Step =
  | { kind: "allocate"; order: number; interrupt: boolean }
  | { kind: "user" }
  | { kind: "free"; which: number }
  | { kind: "split"; which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("allocate" as const),
      order: fc.oneof(fc.constant(0), fc.nat(6)),
      interrupt: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("user" as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("free" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("split" as const), which: fc.nat() }) },
);

const range = fc.tuple(fc.nat(3000), fc.integer({ min: 1, max: 1500 }));

test("random allocation never hands a frame out twice, and everything comes back whole", async () => {
  const module = await compiled;
  fc.assert(
    fc.property(
      fc.array(range, { minLength: 1, maxLength: 4 }),
      fc.array(range, { maxLength: 3 }),
      fc.array(step, { maxLength: 300, size: "max" }),
      (ram, reserved, steps) => {
        const kernel = module.fresh();
        const { exports } = kernel;
        kernel.memory.bytes(RAM_BASE, 24 << 20).fill(1);
        exports.setDirectMap(RAM_BASE);
        const usable = new Set<number>();
        for (const [start, length] of ram) {
          exports.addMemory(BigInt(start) * PAGE, BigInt(start + length) * PAGE);
          for (let n = start; n < start + length; n++) if (n > 0) usable.add(n);
        }
        for (const [start, length] of reserved) {
          exports.reserveMemory(BigInt(start) * PAGE, BigInt(start + length) * PAGE);
          for (let n = start; n < start + length; n++) usable.delete(n);
        }
        if (!exports.initFrames()) return;
        const initial = freeBlocks(kernel);
        const total = exports.freeFrameCount();
        assert.ok(Number(total) <= usable.size);
        const held: { first: number; order: number }[] = [];
        const owned = new Set<number>();
        for (const step of steps) {
          if (step.kind === "allocate" || step.kind === "user") {
            const order = step.kind === "user" ? 0 : step.order;
            kernel.hardware.perCpu.setUint32(
              INTERRUPT_DEPTH_OFFSET,
              step.kind === "allocate" && step.interrupt ? 1 : 0,
              true,
            );
            const physical =
              step.kind === "user" ? exports.allocateUserFrame() : exports.allocateFrames(order);
            if (!physical) continue;
            assert.equal(physical % (PAGE << BigInt(order)), 0n);
            const first = Number(physical / PAGE);
            for (let n = first; n < first + (1 << order); n++) {
              assert.ok(usable.has(n), `frame ${n} is not usable RAM`);
              assert.ok(!owned.has(n), `frame ${n} was handed out twice`);
              owned.add(n);
              // The content is the owner's.
              kernel.memory.bytes(RAM_BASE + BigInt(n) * PAGE, 4096).fill(0xee);
            }
            held.push({ first, order });
          } else if (held.length > 0) {
            const index = step.which % held.length;
            const block = held[index];
            assert.ok(block);
            held.splice(index, 1);
            if (step.kind === "split") {
              exports.splitFrames(BigInt(block.first) * PAGE, block.order);
              for (let i = 0; i < 1 << block.order; i++)
                held.push({ first: block.first + i, order: 0 });
            } else {
              exports.freeFrames(BigInt(block.first) * PAGE, block.order);
              for (let n = block.first; n < block.first + (1 << block.order); n++) owned.delete(n);
            }
          }
          assert.equal(exports.freeFrameCount(), total - BigInt(owned.size));
        }
        for (const block of held) exports.freeFrames(BigInt(block.first) * PAGE, block.order);
        for (const depth of [0, 1]) {
          kernel.hardware.perCpu.setUint32(INTERRUPT_DEPTH_OFFSET, depth, true);
          exports.drainFrameCache();
        }
        assert.deepEqual(freeBlocks(kernel), initial);
      },
    ),
    { numRuns: 150 },
  );
});

test("applications cannot take the kernel's reserve, the kernel can", async () => {
  const kernel = await boot({ ram: [[MIB, 6n * MIB]], reserved: [] });
  const { exports } = kernel;
  let taken = 0n;
  while (exports.allocateUserFrame()) taken++;
  const left = exports.freeFrameCount();
  assert.ok(left >= exports.reservedFrameCount(), `${left} frames left`);
  assert.ok(left <= exports.reservedFrameCount() + 1n);
  assert.ok(taken > 1000n);
  assert.equal(exports.allocateUserBlock(9), 0n);
  assert.equal(exports.isMemoryShort(), 0);
  let kernelTaken = 0n;
  while (exports.allocateFrame()) kernelTaken++;
  assert.equal(kernelTaken, left);
  assert.equal(exports.isMemoryShort(), 1);
  assert.equal(exports.allocateFrames(0), 0n);
  assert.equal(exports.allocateFrames(3), 0n);
});

test("reserved boot memory can be given and joins its neighbours", async () => {
  const map: Map = { ram: [[MIB, 9n * MIB]], reserved: [[2n * MIB, 4n * MIB]] };
  const kernel = await boot(map);
  const before = kernel.exports.freeFrameCount();
  kernel.exports.giveFrames(2n * MIB + 1n, 4n * MIB);
  assert.equal(kernel.exports.freeFrameCount(), before + 511n);
  assert.throws(() => kernel.exports.giveFrames(5n * MIB, 6n * MIB), /not reserved/);
});

test("freeing a frame twice is caught", async () => {
  const kernel = await boot({ ram: [[MIB, 9n * MIB]], reserved: [] });
  const frame = kernel.exports.allocateFrame();
  kernel.exports.freeFrame(frame);
  assert.throws(() => kernel.exports.freeFrame(frame), /freed wrongly/);
});
