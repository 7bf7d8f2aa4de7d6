/** Takes the place of `sched/wait` in the test of the space lock: sleeping calls into the test. */
import { SpinLock } from "../arch/spinlock";

export const FOREVER: u64 = u64.MAX_VALUE;

/** The test acts as the other threads while this one sleeps. */
declare function onSleep(): void;
declare function onWake(): void;

export class WaitQueue {
  sleep(lock: SpinLock, _deadlineNs: u64, _interruptible: bool): i32 {
    lock.release();
    onSleep();
    lock.acquire();
    return 0;
  }

  wakeOne(): bool {
    onWake();
    return true;
  }

  dispose(): void {}
}
