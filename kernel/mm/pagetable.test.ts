/** The kernel's own page tables: what is mapped with which rights, guard pages, clean failure. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type KernelModule, loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  setDirectMap(address: bigint): void;
  addMemory(start: bigint, end: bigint): void;
  reserveMemory(start: bigint, end: bigint): void;
  initFrames(): number;
  initHeap(): void;
  initPagetables(): number;
  kernelRoot(): bigint;
  createRoot(): bigint;
  freeRoot(root: bigint): void;
  mapDevice(physical: bigint, size: bigint, flags: bigint): bigint;
  allocateKernelStack(size: bigint): bigint;
  freeKernelStack(top: bigint): void;
  allocateFrame(): bigint;
  freeFrameCount(): bigint;
}

const PAGE = 4096n;
const MIB = 1n << 20n;
const GIB = 1n << 30n;
const RAM_BASE = 8n << 20n;
const DIRECT_MAP = 0xffff800000000000n;
const KERNEL_IMAGE = 0xffffffff80000000n;
const IMAGE = KERNEL_IMAGE + MIB;
const STACK_BYTES = 4n * PAGE;

const symbols = {
  __image_start: IMAGE,
  __text_start: IMAGE + 0x4000n,
  __text_end: IMAGE + 0x40000n,
  __rodata_start: IMAGE + 0x40000n,
  __rodata_end: IMAGE + 0x60000n,
  __image_end: IMAGE + 0x90000n,
  __data_start: IMAGE + 0x70000n,
  __early_heap_start: IMAGE + 0x70000n,
  __early_heap_end: IMAGE + 0x90000n,
  bootPageTables: IMAGE + 0x61000n,
  bootPageTablesEnd: IMAGE + 0x68000n,
};

const compiled = loadKernelModule<Exports>("kernel/mm/pagetable.testentry.ts", { symbols });

async function machine(ramEnd: bigint): Promise<KernelModule<Exports>> {
  const kernel = (await compiled).fresh();
  const { exports } = kernel;
  exports.setDirectMap(RAM_BASE);
  exports.addMemory(MIB, ramEnd);
  exports.reserveMemory(MIB, MIB + 0x90000n);
  assert.equal(exports.initFrames(), 1);
  return kernel;
}

interface Translation {
  physical: bigint;
  write: boolean;
  user: boolean;
  execute: boolean;
  uncached: boolean;
  size: bigint;
}

/** Walks the tables as the processor does; null if nothing is mapped. */
function translate(
  kernel: KernelModule<Exports>,
  root: bigint,
  address: bigint,
): Translation | null {
  let table = root;
  let write = true;
  let user = true;
  let execute = true;
  for (let level = 4; level > 0; level--) {
    const shift = BigInt(3 + 9 * level);
    const index = (BigInt.asUintN(48, address) >> shift) & 511n;
    const entry = kernel.memory.read(RAM_BASE + table + index * 8n, 64);
    if (!(entry & 1n)) return null;
    write &&= (entry & 2n) !== 0n;
    user &&= (entry & 4n) !== 0n;
    execute &&= entry >> 63n === 0n;
    const target = entry & 0x000ffffffffff000n;
    if (level === 1 || entry & 128n) {
      const size = 1n << shift;
      const physical = (target & ~(size - 1n)) + (address & (size - 1n));
      return { physical, write, user, execute, uncached: (entry & 16n) !== 0n, size };
    }
    table = target;
  }
  return null;
}

test("the image is W^X, in both places where it is seen, and nothing is the application's", async () => {
  const kernel = await machine(9n * MIB);
  assert.equal(kernel.exports.initPagetables(), 1);
  const root = kernel.exports.kernelRoot();
  assert.equal(kernel.hardware.controlRegisters.get(3), root);
  for (let at = IMAGE; at < IMAGE + 0x90000n; at += PAGE) {
    const seen = translate(kernel, root, at);
    const alias = translate(kernel, root, DIRECT_MAP + (at - KERNEL_IMAGE));
    assert.ok(seen && alias);
    const isText = at >= symbols.__text_start && at < symbols.__text_end;
    const isConstant = at >= symbols.__rodata_start && at < symbols.__rodata_end;
    assert.equal(seen.physical, at - KERNEL_IMAGE);
    assert.equal(alias.physical, at - KERNEL_IMAGE);
    assert.equal(seen.execute, isText);
    assert.equal(seen.write, !isText && !isConstant);
    assert.equal(alias.execute, false);
    assert.equal(alias.write, seen.write);
    assert.equal(seen.user || alias.user, false);
  }
  assert.equal(translate(kernel, root, IMAGE + 0x90000n), null);
  assert.equal(translate(kernel, root, IMAGE - PAGE), null);
  assert.equal(translate(kernel, root, 0x1000n), null, "the identity map is gone");
});

test("all RAM is in the direct map, writable, not executable", async () => {
  const kernel = await machine(9n * MIB + 3n * PAGE);
  kernel.exports.initPagetables();
  for (let at = 2n * MIB; at < 9n * MIB + 3n * PAGE; at += PAGE) {
    const seen = translate(kernel, kernel.exports.kernelRoot(), DIRECT_MAP + at);
    assert.ok(seen);
    assert.deepEqual(seen, {
      physical: at,
      write: true,
      user: false,
      execute: false,
      uncached: false,
      size: 2n * MIB,
    });
  }
});

test("1 GiB pages are used where the processor has them", async () => {
  for (const [edx, size] of [
    [0, 2n * MIB],
    [1 << 26, GIB],
  ] as const) {
    const kernel = (await compiled).fresh();
    const { exports } = kernel;
    kernel.hardware.cpuidLeaves.set(`${0x80000001}:0`, [0, 0, 0, edx]);
    kernel.hardware.cpuidLeaves.set(`${0x80000001 | 0}:0`, [0, 0, 0, edx]);
    exports.setDirectMap(RAM_BASE);
    exports.addMemory(MIB, 24n * MIB);
    exports.addMemory(GIB, 2n * GIB);
    exports.reserveMemory(MIB, MIB + 0x90000n);
    exports.reserveMemory(GIB, 2n * GIB);
    assert.equal(exports.initFrames(), 1);
    assert.equal(exports.initPagetables(), 1);
    const seen = translate(kernel, exports.kernelRoot(), DIRECT_MAP + GIB + 12345n);
    assert.equal(seen?.size, size);
    assert.equal(seen?.physical, GIB + 12345n);
    assert.equal(translate(kernel, exports.kernelRoot(), DIRECT_MAP + 2n * GIB), null);
  }
});

test("device registers are mapped uncached at the right offset", async () => {
  const kernel = await machine(9n * MIB);
  kernel.exports.initPagetables();
  const first = BigInt.asUintN(64, kernel.exports.mapDevice(0xfee00020n, 0x100n, 0n));
  const second = BigInt.asUintN(64, kernel.exports.mapDevice(0xfebffff0n, 0x20n, 1n));
  assert.equal(first % PAGE, 0x20n);
  const root = kernel.exports.kernelRoot();
  assert.deepEqual(translate(kernel, root, first), {
    physical: 0xfee00020n,
    write: true,
    user: false,
    execute: false,
    uncached: true,
    size: PAGE,
  });
  assert.equal(translate(kernel, root, second)?.physical, 0xfebffff0n);
  assert.equal(translate(kernel, root, second + 0x10n)?.physical, 0xfec00000n);
  assert.equal(translate(kernel, root, second)?.uncached, false);
});

test("kernel stacks have a guard page, are reused, and give their memory back", async () => {
  const kernel = await machine(9n * MIB);
  const { exports } = kernel;
  exports.initPagetables();
  exports.initHeap();
  const tops: bigint[] = [];
  for (let i = 0; i < 20; i++) {
    const top = BigInt.asUintN(64, exports.allocateKernelStack(STACK_BYTES));
    assert.notEqual(top, 0n);
    const root = exports.kernelRoot();
    const seen = new Set<bigint>();
    for (let at = top - STACK_BYTES; at < top; at += PAGE) {
      const page = translate(kernel, root, at);
      assert.ok(page?.write && !page.execute && !page.user);
      seen.add(page.physical);
      // What is on a stack is the kernel's own: give the test a place to write the free list.
    }
    assert.equal(seen.size, 4);
    assert.equal(translate(kernel, root, top - STACK_BYTES - PAGE), null, "guard page");
    tops.push(top);
  }
  assert.equal(new Set(tops).size, 20);
});

test("without memory tables and stacks fail cleanly", async () => {
  const kernel = await machine(9n * MIB);
  const { exports } = kernel;
  exports.initPagetables();
  exports.initHeap();
  while (exports.freeFrameCount() > 5n) exports.allocateFrame();
  const free = exports.freeFrameCount();
  const top = exports.allocateKernelStack(STACK_BYTES);
  assert.equal(top, 0n, "two tables and four pages do not fit into five frames");
  // The tables stay for the next stack, the pages come back; a slab page may be in use.
  assert.ok(exports.freeFrameCount() >= free - 3n);
  const small = await machine(2n * MIB);
  while (small.exports.freeFrameCount() > 4n) small.exports.allocateFrame();
  assert.equal(small.exports.initPagetables(), 0);
});
