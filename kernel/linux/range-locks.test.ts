/** Range locks against a model that keeps the lock of every byte and owner apart. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  newList(): bigint;
  endList(list: bigint): void;
  set(list: bigint, owner: bigint, type: number, start: bigint, end: bigint): number;
  conflict(list: bigint, owner: bigint, type: number, start: bigint, end: bigint): bigint;
  releaseAll(list: bigint, owner: bigint): number;
  first(list: bigint): bigint;
  next(lock: bigint): bigint;
  ownerOf(lock: bigint): bigint;
  typeOf(lock: bigint): number;
  startOf(lock: bigint): bigint;
  endOf(lock: bigint): bigint;
}

const READ = 0;
const WRITE = 1;
const NONE = 2;
const BYTES = 24;
const OWNERS = 3;

interface Range {
  owner: number;
  type: number;
  start: number;
  end: number;
}

/** `bytes[owner][byte]` is the type of the lock held there, or NONE. */
type Model = number[][];

function conflictOf(model: Model, wanted: Range): boolean {
  return model.some(
    (bytes, owner) =>
      owner !== wanted.owner &&
      bytes.some(
        (held, byte) =>
          held !== NONE &&
          byte >= wanted.start &&
          byte <= wanted.end &&
          (held === WRITE || wanted.type === WRITE),
      ),
  );
}

/** The locks of the model as maximal ranges, in the order the kernel keeps them. */
function rangesOf(model: Model): Range[] {
  const ranges: Range[] = [];
  model.forEach((bytes, owner) => {
    bytes.forEach((type, byte) => {
      const last = ranges.at(-1);
      if (type === NONE) return;
      if (last?.owner === owner && last.type === type && last.end === byte - 1) last.end = byte;
      else ranges.push({ owner, type, start: byte, end: byte });
    });
  });
  return ranges;
}

const range = fc
  .record({
    owner: fc.nat(OWNERS - 1),
    type: fc.constantFrom(READ, WRITE, NONE),
    a: fc.nat(BYTES - 1),
    b: fc.nat(BYTES - 1),
  })
  .map(({ owner, type, a, b }) => ({ owner, type, start: Math.min(a, b), end: Math.max(a, b) }));

const byPlace = (a: Range, b: Range): number => a.owner - b.owner || a.start - b.start;

test("splitting, joining, conflicts and release agree with a map of bytes", async () => {
  const module = await loadKernelModule<Exports>("kernel/linux/range-locks.testentry.ts");
  const kernel = module.exports;
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof({ weight: 12, arbitrary: range }, { weight: 1, arbitrary: fc.nat(OWNERS - 1) }),
        { maxLength: 60 },
      ),
      (steps) => {
        const blocksBefore = module.heap.liveBlocks;
        const list = kernel.newList();
        const model: Model = Array.from({ length: OWNERS }, () =>
          new Array<number>(BYTES).fill(NONE),
        );
        for (const action of steps) {
          if (typeof action === "number") {
            const held = model[action]?.some((type) => type !== NONE);
            assert.equal(kernel.releaseAll(list, BigInt(action + 1)), held ? 1 : 0);
            model[action]?.fill(NONE);
            continue;
          }
          const { owner, type, start, end } = action;
          if (type !== NONE) {
            const found = kernel.conflict(
              list,
              BigInt(owner + 1),
              type,
              BigInt(start),
              BigInt(end),
            );
            assert.equal(found !== 0n, conflictOf(model, action));
            if (found !== 0n) continue;
          }
          const released = model[owner]?.slice(start, end + 1).some((held) => held !== NONE);
          assert.equal(
            kernel.set(list, BigInt(owner + 1), type, BigInt(start), BigInt(end)),
            released ? 1 : 0,
          );
          model[owner]?.fill(type, start, end + 1);
        }
        const ranges: Range[] = [];
        let previousStart = -1;
        for (let lock = kernel.first(list); lock !== 0n; lock = kernel.next(lock)) {
          const start = Number(kernel.startOf(lock));
          assert.ok(start >= previousStart, "ordered by start");
          previousStart = start;
          ranges.push({
            owner: Number(kernel.ownerOf(lock)) - 1,
            type: kernel.typeOf(lock),
            start,
            end: Number(kernel.endOf(lock)),
          });
        }
        assert.deepEqual(ranges.sort(byPlace), rangesOf(model).sort(byPlace));
        kernel.endList(list);
        assert.equal(module.heap.liveBlocks, blocksBefore);
      },
    ),
    { numRuns: 400 },
  );
});
