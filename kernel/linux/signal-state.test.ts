/** Pending signals against a model: standard signals merge, real-time signals queue in order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  reset(): void;
  add(info: bigint): number;
  set(): bigint;
  next(blocked: bigint): number;
  take(signal: number, infoOut: bigint): void;
  discard(mask: bigint): void;
  addOverrun(info: bigint): number;
}

const compiled = loadKernelModule<Exports>("kernel/linux/signal-state.testentry.ts", {
  replace: { "kernel/mm/heap": "compiler/runtime/testheap" },
});

type Step =
  | { kind: "add"; signal: number; value: number }
  | { kind: "take"; blocked: bigint }
  | { kind: "discard"; mask: bigint };

const signal = fc.oneof(fc.integer({ min: 1, max: 64 }), fc.constantFrom(1, 9, 31, 32, 34, 64));
const mask = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("add" as const), signal, value: fc.nat(1000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("take" as const),
      blocked: fc.oneof(fc.constant(0n), mask),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("discard" as const), mask }) },
);

const bit = (number: number): bigint => 1n << BigInt(number - 1);

test("signals come out as signal(7) says", async () => {
  const module = await compiled;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const { exports, memory, heap } = module.fresh();
      const info = heap.reserve(128);
      let model: { signal: number; value: number }[] = [];
      for (const action of steps) {
        if (action.kind === "add") {
          memory.write(info, 32, BigInt(action.signal));
          memory.write(info + 16n, 32, BigInt(action.value));
          assert.equal(exports.add(info), 1);
          const merges = action.signal < 32 && model.some((one) => one.signal === action.signal);
          if (!merges) model.push({ signal: action.signal, value: action.value });
        } else if (action.kind === "take") {
          const free = model.filter((one) => (bit(one.signal) & action.blocked) === 0n);
          const expected = free.toSorted((a, b) => a.signal - b.signal)[0];
          assert.equal(exports.next(action.blocked), expected?.signal ?? 0);
          if (!expected) continue;
          exports.take(expected.signal, info);
          assert.equal(memory.read(info, 32), BigInt(expected.signal));
          assert.equal(memory.read(info + 16n, 32), BigInt(expected.value));
          model.splice(model.indexOf(expected), 1);
        } else {
          exports.discard(action.mask);
          model = model.filter((one) => (bit(one.signal) & action.mask) === 0n);
        }
        const set = model.reduce((bits, one) => bits | bit(one.signal), 0n);
        assert.equal(BigInt.asUintN(64, exports.set()), set);
      }
      const before = heap.liveBlocks;
      exports.discard((1n << 64n) - 1n);
      assert.equal(before - heap.liveBlocks, model.length, "what is discarded is freed");
    }),
    { numRuns: 150 },
  );
});

test("without memory a standard signal arrives, a real-time signal is refused", async () => {
  const { exports, memory, heap } = (await compiled).fresh();
  const info = heap.reserve(128);
  heap.failAfter(0);
  memory.write(info, 32, 15n);
  assert.equal(exports.add(info), 1);
  memory.write(info, 32, 40n);
  assert.equal(exports.add(info), 0);
  assert.equal(exports.next(0n), 15);
  exports.take(15, info);
  assert.equal(memory.read(info, 32), 15n);
  assert.equal(exports.set(), 0n);
});

test("expirations of a timer whose signal is pending count as its overrun", async () => {
  const { exports, memory, heap } = (await compiled).fresh();
  const info = heap.reserve(128);
  const overrunOf = (): bigint => memory.read(info + 20n, 32);
  /** siginfo_t of an expiration: number, SI_TIMER, id, overrun. */
  const expiration = (signal: number, timer: bigint, overrun: bigint): void => {
    memory.write(info, 32, BigInt(signal));
    memory.write(info + 8n, 32, BigInt.asUintN(32, -2n));
    memory.write(info + 16n, 32, timer);
    memory.write(info + 20n, 32, overrun);
  };
  expiration(40, 7n, 2n);
  assert.equal(exports.addOverrun(info), 0, "nothing is pending");
  exports.add(info);
  expiration(40, 8n, 0n);
  assert.equal(exports.addOverrun(info), 0, "another timer");
  expiration(41, 7n, 0n);
  assert.equal(exports.addOverrun(info), 0, "another signal");
  expiration(40, 7n, 3n);
  assert.equal(exports.addOverrun(info), 1);
  exports.take(40, info);
  assert.equal(overrunOf(), 6n);
  // DELAYTIMER_MAX
  expiration(40, 7n, 0x7ffffff0n);
  exports.add(info);
  expiration(40, 7n, 100n);
  exports.addOverrun(info);
  exports.take(40, info);
  assert.equal(overrunOf(), 0x7fffffffn);
});
