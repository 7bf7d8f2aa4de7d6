/** The lock of address spaces: quick when free, asleep when not, nobody forgotten. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  lock(): void;
  tryLock(): number;
  unlock(): void;
  isHeld(): number;
}

/** What the other threads do, and how often one of them was woken. */
const others = { onSleep: (): void => {}, wakeUps: 0 };

const compiled = loadKernelModule<Exports>("kernel/vm/space-lock.testentry.ts", {
  pages: 128,
  replace: { "kernel/sched/wait": "kernel/vm/wait.testdouble" },
  imports: () => ({
    "wait.testdouble": {
      onSleep: () => others.onSleep(),
      onWake: () => {
        others.wakeUps++;
      },
    },
  }),
});

test("a free lock is taken and given back without the wait queue", async () => {
  const { exports } = (await compiled).fresh();
  others.onSleep = () => assert.fail("slept although the lock was free");
  others.wakeUps = 0;
  exports.lock();
  assert.equal(exports.isHeld(), 1);
  assert.equal(exports.tryLock(), 0);
  exports.unlock();
  assert.equal(exports.tryLock(), 1);
  exports.unlock();
  assert.equal(exports.isHeld(), 0);
  assert.equal(others.wakeUps, 0);
});

test("a held lock is waited for, and its holder wakes the waiter", async () => {
  const { exports } = (await compiled).fresh();
  others.wakeUps = 0;
  exports.lock();
  let sleeps = 0;
  others.onSleep = () => {
    sleeps++;
    // Woken for nothing once; then the holder lets go.
    if (sleeps === 2) exports.unlock();
  };
  exports.lock();
  assert.equal(sleeps, 2);
  assert.equal(others.wakeUps, 1);
  assert.equal(exports.isHeld(), 1);
  // There may be more waiters: whoever waited wakes the next.
  exports.unlock();
  assert.equal(others.wakeUps, 2);
  assert.equal(exports.isHeld(), 0);
});

test("a thread that comes first while another wakes up makes that one sleep again", async () => {
  const { exports } = (await compiled).fresh();
  exports.lock();
  let sleeps = 0;
  others.onSleep = () => {
    sleeps++;
    exports.unlock();
    if (sleeps === 1) assert.equal(exports.tryLock(), 1);
  };
  exports.lock();
  assert.equal(sleeps, 2);
  assert.equal(exports.tryLock(), 0);
});
