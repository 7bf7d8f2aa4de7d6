/** The timer heap against a sorted list. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  init(): void;
  arm(number: number, deadlineNs: bigint): void;
  cancel(number: number): void;
  run(): void;
  expiredNumbers(): number;
  expiredAt(index: number): number;
}

type Step =
  | { kind: "arm"; timer: number; delay: number }
  | { kind: "cancel"; timer: number }
  | { kind: "advance"; by: number };

const timerNumber = fc.integer({ min: 0, max: 40 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("arm" as const), timer: timerNumber, delay: fc.nat(1000) }),
  fc.record({ kind: fc.constant("cancel" as const), timer: timerNumber }),
  fc.record({ kind: fc.constant("advance" as const), by: fc.nat(400) }),
);

test("timers expire once, in order of their deadlines, and not when cancelled", async () => {
  const module = await loadKernelModule<Exports>("kernel/sched/timer.testentry.ts");
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { exports, hardware } = module.fresh();
      hardware.tscStep = 0n;
      exports.init();
      const armed = new Map<number, bigint>();
      for (const action of steps) {
        if (action.kind === "arm") {
          const deadline = hardware.tsc + BigInt(action.delay);
          exports.arm(action.timer, deadline);
          armed.set(action.timer, deadline);
        } else if (action.kind === "cancel") {
          exports.cancel(action.timer);
          armed.delete(action.timer);
        } else {
          hardware.tsc += BigInt(action.by);
          exports.run();
          const due = [...armed].filter(([, deadline]) => deadline <= hardware.tsc);
          const expired = Array.from({ length: exports.expiredNumbers() }, (_, index) =>
            exports.expiredAt(index),
          );
          assert.deepEqual(
            expired.map((number) => armed.get(number)),
            due.map(([, deadline]) => deadline).sort((a, b) => Number(a - b)),
          );
          assert.deepEqual([...expired].sort(), due.map(([number]) => number).sort());
          for (const number of expired) armed.delete(number);
        }
      }
    }),
    { numRuns: 200 },
  );
});
