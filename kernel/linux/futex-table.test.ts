/** Futex buckets against a model, and the spread of the hash. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  add(number: number, owner: bigint, address: bigint, bitset: number, purpose: number): void;
  remove(number: number): void;
  isIn(number: number): number;
  wake(owner: bigint, address: bigint, count: number, bitset: number): bigint;
  length(): number;
  hash(owner: bigint, address: bigint): number;
}

const compiled = loadKernelModule<Exports>("kernel/linux/futex-table.testentry.ts", {
  replace: { "kernel/mm/heap": "compiler/runtime/testheap" },
});

type Step =
  | {
      kind: "add";
      number: number;
      owner: number;
      address: number;
      bitset: number;
      purpose: number;
    }
  | { kind: "remove"; number: number }
  | { kind: "wake"; owner: number; address: number; count: number; bitset: number };

const number = fc.nat(31);
const key = { owner: fc.nat(1), address: fc.constantFrom(0, 4, 8) };
const bitset = fc.constantFrom(0xffffffff, 1, 2, 3, 0x80000000);
/** To be woken, as a rule; or for a PI futex. */
const purpose = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.constantFrom(1, 2));
const EINVAL = -22n;
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), number, ...key, bitset, purpose }),
  fc.record({ kind: fc.constant("remove" as const), number }),
  fc.record({ kind: fc.constant("wake" as const), ...key, count: fc.nat(5), bitset }),
);

test("the waiters that waited longest and match are woken, up to one for a PI futex", async () => {
  const module = await compiled;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const { exports } = module.fresh();
      let model: Extract<Step, { kind: "add" }>[] = [];
      for (const action of steps) {
        if (action.kind === "add") {
          if (model.some((one) => one.number === action.number)) continue;
          const { owner, address } = action;
          const { number, bitset, purpose } = action;
          exports.add(number, BigInt(owner), BigInt(address), bitset, purpose);
          model.push(action);
        } else if (action.kind === "remove") {
          if (!model.some((one) => one.number === action.number)) continue;
          exports.remove(action.number);
          model = model.filter((one) => one.number !== action.number);
        } else {
          const woken: typeof model = [];
          let isRefused = false;
          for (const one of model) {
            if (woken.length === action.count) break;
            if (one.owner !== action.owner || one.address !== action.address) continue;
            isRefused = one.purpose !== 0;
            if (isRefused) break;
            if ((one.bitset & action.bitset) !== 0) woken.push(one);
          }
          const result = exports.wake(
            BigInt(action.owner),
            BigInt(action.address),
            action.count,
            action.bitset,
          );
          assert.equal(result, isRefused ? EINVAL : BigInt(woken.length));
          model = model.filter((one) => !woken.includes(one));
        }
        assert.equal(exports.length(), model.length);
        for (let each = 0; each < 32; each++) {
          const expected = model.some((one) => one.number === each) ? 1 : 0;
          assert.equal(exports.isIn(each), expected);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test("futexes of usual layouts spread over the buckets", async () => {
  const { exports } = (await compiled).fresh();
  const owner = 0xffff_8000_0123_4560n;
  const layouts: [string, (index: number) => bigint][] = [
    ["an array of words", (index) => 0x5555_5555_8000n + BigInt(index) * 4n],
    ["an array of mutexes", (index) => 0x5555_5555_8010n + BigInt(index) * 40n],
    ["one a cache line", (index) => 0x7fff_f7d0_0000n + BigInt(index) * 64n],
    ["one a thread stack", (index) => 0x7fff_f000_0910n - BigInt(index) * 0x801000n],
    ["one a page", (index) => 0x7fff_e000_0000n + BigInt(index) * 4096n],
  ];
  for (const [name, place] of layouts) {
    const counts = new Array<number>(128).fill(0);
    for (let index = 0; index < 512; index++) {
      const bucket = exports.hash(owner, place(index));
      assert.ok(bucket >= 0 && bucket < 128);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    assert.ok(Math.max(...counts) <= 16, `${name}: ${Math.max(...counts)} of 512 in one bucket`);
  }
});
