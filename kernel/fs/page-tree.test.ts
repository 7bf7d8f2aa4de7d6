/** The page tree against a map: random indices from small to huge, and its memory is given back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadWithMemory } from "./testing/load.ts";

interface TreeExports {
  get(index: bigint): bigint;
  set(index: bigint, value: bigint): number;
  remove(index: bigint): bigint;
  next(from: bigint): bigint;
  isEmpty(): number;
}

const MAX = 2n ** 64n - 1n;
const index = fc.oneof(
  fc.bigInt({ min: 0n, max: 70n }),
  fc.bigInt({ min: 0n, max: 5000n }),
  fc.bigInt({ min: 0n, max: 2n ** 52n }),
  fc.constantFrom(0n, 63n, 64n, 4095n, 4096n, 2n ** 36n, 2n ** 60n, 2n ** 63n, MAX - 1n),
);
const step = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), index }),
  fc.record({ kind: fc.constant("remove" as const), index }),
  fc.record({ kind: fc.constant("next" as const), index }),
);

const start = loadWithMemory<TreeExports>("kernel/fs/page-tree.testentry.ts");

test("set, remove and next agree with a map", async () => {
  const fresh = await start;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const { exports } = fresh();
      const model = new Map<bigint, bigint>();
      let value = 16n;
      for (const { kind, index: at } of steps) {
        const known = model.get(at) ?? 0n;
        assert.equal(exports.get(at), known);
        if (kind === "set" && known === 0n) {
          value += 16n;
          assert.equal(exports.set(at, value), 1);
          model.set(at, value);
        } else if (kind === "remove") {
          assert.equal(exports.remove(at), known);
          model.delete(at);
        } else if (kind === "next") {
          const above = [...model.keys()].filter((key) => key >= at);
          const expected = above.reduce((a, b) => (a < b ? a : b), MAX);
          assert.equal(BigInt.asUintN(64, exports.next(at)), expected);
        }
      }
      for (const [at, stored] of model) assert.equal(exports.remove(at), stored);
      assert.equal(exports.isEmpty(), 1);
    }),
  );
});
