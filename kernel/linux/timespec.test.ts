/** Deadlines: relative, absolute, on either clock, and out of range. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  deadline(timeNs: bigint, clock: number, isAbsolute: number): bigint;
  now(): bigint;
  setWallClock(ns: bigint): void;
}

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const FOREVER = (1n << 64n) - 1n;
const compiled = loadKernelModule<Exports>("kernel/linux/timespec.testentry.ts", {
  replace: { "kernel/mm/heap": "compiler/runtime/testheap" },
});
const time = fc.oneof(
  fc.bigInt({ min: 0n, max: 1n << 40n }),
  fc.bigInt({ min: 0n, max: FOREVER }),
  fc.constantFrom(FOREVER, FOREVER - 1n, 1n << 63n),
);

test("a deadline lies as far in the future as was asked for", async () => {
  const { exports, hardware } = (await compiled).fresh();
  hardware.tscStep = 0n;
  hardware.tsc = 1n << 35n;
  const now = BigInt.asUintN(64, exports.now());
  assert.ok(now > 0n);
  const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
  fc.assert(
    fc.property(time, fc.bigInt({ min: 1n << 50n, max: 1n << 61n }), (timeNs, wall) => {
      exports.setWallClock(wall);
      const relative = unsigned(exports.deadline(timeNs, CLOCK_REALTIME, 0));
      const after = (delay: bigint): bigint => (delay >= FOREVER - now ? FOREVER : now + delay);
      assert.equal(relative, after(timeNs));
      assert.equal(unsigned(exports.deadline(timeNs, CLOCK_MONOTONIC, 1)), timeNs);
      const real = unsigned(exports.deadline(timeNs, CLOCK_REALTIME, 1));
      if (timeNs === FOREVER) assert.equal(real, FOREVER);
      else assert.equal(real, timeNs <= wall ? now : after(timeNs - wall));
    }),
    { numRuns: 2000 },
  );
});
