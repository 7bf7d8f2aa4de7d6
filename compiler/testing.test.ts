/** The unit-test helper, tested on a module of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { KernelAbort, loadKernelModule } from "./testing.ts";

interface Exports {
  next(): bigint;
  makePoint(x: number, y: bigint): bigint;
  sumPoint(point: bigint): bigint;
  dropPoint(point: bigint): void;
  nameAt(index: number): number;
  madeAt(index: number): number;
  exchange(port: number, value: number): number;
  high(a: bigint, b: bigint): bigint;
  textStart(): bigint;
  greeting(): bigint;
  writePast(pointer: bigint): void;
}

const load = () => loadKernelModule<Exports>("compiler/testdata/testing.ts");

test("globals are initialised and belong to one instance", async () => {
  const first = await load();
  const second = first.fresh();
  assert.equal(first.exports.next(), 42n);
  assert.equal(first.exports.next(), 43n);
  assert.equal(second.exports.next(), 42n);
  assert.equal(first.exports.madeAt(15), 0);
});

test("objects are tracked by the heap", async () => {
  const { exports, heap } = await load();
  const before = heap.liveBlocks;
  const point = exports.makePoint(-3, 10n);
  assert.equal(exports.sumPoint(point), 7n);
  assert.equal(heap.liveBlocks, before + 1);
  exports.dropPoint(point);
  assert.equal(heap.liveBlocks, before);
  assert.throws(() => exports.dropPoint(point), /not a live block/);
});

test("writes past the end of a block are noticed", async () => {
  const { exports, heap } = await load();
  const block = heap.allocate(24n);
  exports.writePast(block + 23n);
  heap.check();
  exports.writePast(block + 24n);
  assert.throws(() => heap.check(), /past its end/);
});

test("a failed allocation and a failed bounds check abort with their place", async () => {
  const { exports, heap } = await load();
  assert.throws(
    () => exports.nameAt(3),
    (error: unknown) => error instanceof KernelAbort && error.file === "~lib/staticarray.ts",
  );
  heap.failAfter(0);
  assert.throws(() => exports.makePoint(1, 1n), /out of kernel memory/);
});

test("ports, wide arithmetic, symbols and strings", async () => {
  const { exports, hardware, memory } = await load();
  hardware.readPort = (port) => port + 1;
  assert.equal(exports.exchange(0x60, 0x155), 0x61);
  assert.deepEqual(hardware.portLog, [
    { port: 0x60, bits: 8, direction: "out", value: 0x55 },
    { port: 0x60, bits: 8, direction: "in", value: 0x61 },
  ]);
  assert.equal(BigInt.asUintN(64, exports.high(-1n, -1n)), 0xfffffffffffffffen);
  assert.equal(memory.readString(exports.greeting()), "grüße");
  assert.throws(() => exports.textStart(), /symbols: \{ __text_start/);
  const withSymbol = await loadKernelModule<Exports>("compiler/testdata/testing.ts", {
    symbols: { __text_start: 4096n },
  });
  assert.equal(withSymbol.exports.textStart(), 4096n);
});
