/** CPU-time clocks against a model: threads come and go, time passes nanosecond by nanosecond. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  init(): void;
  toggle(thread: number): void;
  arm(timer: number, deadlineNs: bigint, intervalNs: bigint): void;
  disarm(timer: number): void;
  run(): number;
  usedNs(): bigint;
  readingCount(): number;
  isMarked(thread: number): number;
}

const module = await loadKernelModule<Exports>("kernel/sched/cpu-clock.testentry.ts");

/** A clock whose four threads do not run. */
function freshClock() {
  const { exports, hardware } = module.fresh();
  hardware.tscStep = 0n;
  exports.init();
  const pass = (ns: number): number => {
    let expired = 0;
    for (let i = 0; i < ns; i += 1) {
      hardware.tsc += 1n;
      expired |= exports.run();
    }
    return expired;
  };
  return { exports, hardware, pass };
}

type Step =
  | { kind: "toggle"; thread: number }
  | { kind: "arm"; timer: number; delay: number }
  | { kind: "disarm"; timer: number }
  | { kind: "pass"; ns: number };

const timerNumber = fc.nat(15);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("toggle" as const), thread: fc.nat(3) }),
  fc.record({ kind: fc.constant("arm" as const), timer: timerNumber, delay: fc.nat(300) }),
  fc.record({ kind: fc.constant("disarm" as const), timer: timerNumber }),
  fc.record({ kind: fc.constant("pass" as const), ns: fc.nat(100) }),
);

test("timers expire in the nanosecond in which the threads have used their time", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { exports, pass } = freshClock();
      const running = new Set<number>();
      const armed = new Map<number, bigint>();
      let used = 0n;
      for (const action of steps) {
        if (action.kind === "toggle") {
          exports.toggle(action.thread);
          if (!running.delete(action.thread)) running.add(action.thread);
        } else if (action.kind === "arm") {
          const deadline = used + BigInt(action.delay) + 1n;
          exports.arm(action.timer, deadline, 0n);
          armed.set(action.timer, deadline);
        } else if (action.kind === "disarm") {
          exports.disarm(action.timer);
          armed.delete(action.timer);
        } else {
          for (let i = 0; i < action.ns; i += 1) {
            const expired = pass(1);
            used += BigInt(running.size);
            assert.equal(exports.usedNs(), used);
            for (const [timer, deadline] of armed) {
              assert.equal((expired >> timer) & 1, deadline <= used ? 1 : 0, `timer ${timer}`);
              if (deadline <= used) armed.delete(timer);
            }
          }
        }
      }
    }),
    { numRuns: 200 },
  );
});

test("a clock whose threads sleep is not looked at, and one look at the deadline is enough", () => {
  const { exports, pass } = freshClock();
  exports.arm(0, 1000n, 0n);
  const before = exports.readingCount();
  assert.equal(pass(2000), 0);
  assert.equal(exports.readingCount(), before);
  for (const thread of [0, 1, 2]) exports.toggle(thread);
  assert.equal(pass(333), 0);
  assert.equal(exports.readingCount(), before);
  assert.equal(pass(1), 1); // 3 threads for 334 ns
  assert.equal(exports.readingCount(), before + 1);
});

test("an interval goes on by itself", () => {
  const { exports, pass } = freshClock();
  exports.toggle(0);
  exports.arm(3, 50n, 100n);
  const expiries: number[] = [];
  for (let i = 1; i <= 400; i += 1) if (pass(1) !== 0) expiries.push(i);
  assert.deepEqual(expiries, [50, 150, 250, 350]);
});

test("threads are marked while there are timers, and no longer", () => {
  const { exports, pass } = freshClock();
  exports.toggle(0); // runs before the first timer
  assert.equal(exports.isMarked(0), 0);
  exports.arm(0, 100n, 0n);
  assert.deepEqual([exports.isMarked(0), exports.isMarked(1)], [1, 1]);
  exports.toggle(1);
  assert.equal(pass(50), 1);
  for (const thread of [0, 1]) exports.toggle(thread);
  assert.deepEqual([exports.isMarked(0), exports.isMarked(1)], [0, 0]);
  exports.toggle(2);
  assert.equal(exports.isMarked(2), 0);
  // A timer with a deadline that is past expires although no thread runs.
  exports.toggle(2);
  exports.arm(1, 1n, 0n);
  assert.equal(pass(1), 2);
});
