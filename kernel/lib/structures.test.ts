/** Lists, trees, hash tables and rings against JavaScript's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

type Numbers = (...numbers: number[]) => number;
type Names =
  | "treeInsert"
  | "treeRemove"
  | "treeReweigh"
  | "treeCheck"
  | "treeFirst"
  | "treeLast"
  | "treeNext"
  | "treePrevious"
  | "treeLength"
  | "listPushBack"
  | "listPushFront"
  | "listInsertBefore"
  | "listRemove"
  | "listPopFront"
  | "listPopBack"
  | "listFirst"
  | "listLast"
  | "listNext"
  | "listPrevious"
  | "listLength"
  | "tableInsert"
  | "tableRemove"
  | "tableFind"
  | "tableFirst"
  | "tableNext"
  | "tableLength"
  | "tableDispose"
  | "prepare"
  | "ringPut"
  | "ringTake"
  | "ringTakeLast";
type Exports = Record<Names, Numbers> & {
  ringCreate(capacity: bigint): number;
  ringWrite(source: bigint, length: bigint): bigint;
  ringRead(destination: bigint, length: bigint): bigint;
  ringPeek(index: bigint): number;
  ringLength(): bigint;
  ringSpace(): bigint;
};

const compiled = loadKernelModule<Exports>("kernel/lib/structures.testentry.ts", {
  pages: 128,
  replace: { "kernel/mm/heap": "compiler/runtime/testheap" },
});

const number = fc.nat(150);

test("a tree stays balanced, ordered and summed up", async () => {
  const module = await compiled;
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.constantFrom("toggle", "toggle", "toggle", "reweigh"), number, fc.nat(60)),
        { maxLength: 300, size: "max" },
      ),
      (steps) => {
        const { exports } = module.fresh();
        /** Numbers in order of keys; equal keys in order of insertion. */
        const model: { number: number; key: number }[] = [];
        for (const [kind, number, key] of steps) {
          const index = model.findIndex((element) => element.number === number);
          if (kind === "reweigh") {
            if (index >= 0) exports.treeReweigh(number, key);
          } else if (index >= 0) {
            exports.treeRemove(number);
            model.splice(index, 1);
          } else {
            exports.treeInsert(number, key);
            const after = model.findIndex((element) => element.key > key);
            model.splice(after < 0 ? model.length : after, 0, { number, key });
          }
          assert.equal(exports.treeCheck(), 1, "links, heights, order or summaries are wrong");
        }
        const forward: number[] = [];
        for (let at = exports.treeFirst(); at >= 0; at = exports.treeNext(at)) forward.push(at);
        const backward: number[] = [];
        for (let at = exports.treeLast(); at >= 0; at = exports.treePrevious(at)) backward.push(at);
        assert.deepEqual(
          forward,
          model.map((element) => element.number),
        );
        assert.deepEqual(backward, forward.toReversed());
        assert.equal(exports.treeLength(), model.length);
      },
    ),
    { numRuns: 80 },
  );
});

test("a list is an array with cheap ends", async () => {
  const module = await compiled;
  const kind = fc.constantFrom("back", "front", "before", "remove", "popFront", "popBack");
  fc.assert(
    fc.property(
      fc.array(fc.tuple(kind, number, fc.nat()), { maxLength: 200, size: "max" }),
      (steps) => {
        const { exports } = module.fresh();
        const model: number[] = [];
        for (const [kind, number, other] of steps) {
          const index = model.indexOf(number);
          if (kind === "popFront") assert.equal(exports.listPopFront(), model.shift() ?? -1);
          else if (kind === "popBack") assert.equal(exports.listPopBack(), model.pop() ?? -1);
          else if (index >= 0) {
            if (kind === "remove") {
              exports.listRemove(number);
              model.splice(index, 1);
            }
          } else if (kind === "back") {
            exports.listPushBack(number);
            model.push(number);
          } else if (kind === "front") {
            exports.listPushFront(number);
            model.unshift(number);
          } else if (kind === "before" && model.length > 0) {
            const place = other % model.length;
            exports.listInsertBefore(number, model[place] ?? -1);
            model.splice(place, 0, number);
          }
        }
        const forward: number[] = [];
        for (let at = exports.listFirst(); at >= 0; at = exports.listNext(at)) forward.push(at);
        const backward: number[] = [];
        for (let at = exports.listLast(); at >= 0; at = exports.listPrevious(at)) backward.push(at);
        assert.deepEqual(forward, model);
        assert.deepEqual(backward, model.toReversed());
        assert.equal(exports.listLength(), model.length);
      },
    ),
  );
});

test("a hash table finds what was added, also when hashes collide or memory is short", async () => {
  const module = await compiled;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(400), fc.nat(1000)), { maxLength: 500, size: "max" }),
      fc.constantFrom(1, 3, 1_000_000),
      fc.boolean(),
      (steps, spread, starved) => {
        const { exports, heap } = module.fresh();
        const model = new Map<number, number>();
        for (const [number] of steps) {
          if (model.has(number)) {
            exports.tableRemove(number);
            model.delete(number);
          } else {
            // The element is made before: only the table's growth fails.
            exports.prepare(number);
            if (starved) heap.failAfter(0);
            exports.tableInsert(number, number, spread);
            heap.failAfter(Number.POSITIVE_INFINITY);
            model.set(number, number);
          }
        }
        for (let key = 0; key <= 400; key++)
          assert.equal(exports.tableFind(key, spread), model.get(key) ?? -1);
        const seen: number[] = [];
        for (let at = exports.tableFirst(); at >= 0; at = exports.tableNext(at)) seen.push(at);
        assert.deepEqual(
          seen.toSorted((a, b) => a - b),
          [...model.keys()].toSorted((a, b) => a - b),
        );
        assert.equal(exports.tableLength(), model.size);
        for (const number of model.keys()) exports.tableRemove(number);
        exports.tableDispose();
      },
    ),
  );
});

test("a ring gives back what was put in, in order, and never overflows", async () => {
  const module = await compiled;
  const kind = fc.constantFrom("write", "read", "put", "take", "takeLast");
  fc.assert(
    fc.property(
      fc.array(fc.tuple(kind, fc.nat(40), fc.nat(255)), { maxLength: 200, size: "max" }),
      (steps) => {
        const { exports, memory } = module.fresh();
        const buffer = 3n << 20n;
        assert.equal(exports.ringCreate(32n), 1);
        const model: number[] = [];
        for (const [kind, length, byte] of steps) {
          if (kind === "write") {
            const bytes = Uint8Array.from({ length }, (_, i) => (byte + i) & 255);
            memory.bytes(buffer, length).set(bytes);
            const done = Number(exports.ringWrite(buffer, BigInt(length)));
            assert.equal(done, Math.min(length, 32 - model.length));
            model.push(...bytes.subarray(0, done));
          } else if (kind === "read") {
            const done = Number(exports.ringRead(buffer, BigInt(length)));
            assert.deepEqual([...memory.bytes(buffer, done)], model.splice(0, length));
          } else if (kind === "put") {
            assert.equal(exports.ringPut(byte), model.length < 32 ? 1 : 0);
            if (model.length < 32) model.push(byte);
          } else if (kind === "take") assert.equal(exports.ringTake(), model.shift() ?? -1);
          else assert.equal(exports.ringTakeLast(), model.pop() ?? -1);
          assert.equal(exports.ringLength(), BigInt(model.length));
          assert.equal(exports.ringSpace(), BigInt(32 - model.length));
          if (model.length > 0) {
            const last = model.length - 1;
            assert.equal(exports.ringPeek(BigInt(last)) & 255, model[last]);
          }
        }
      },
    ),
  );
});
