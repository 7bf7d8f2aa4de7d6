/**
 * Sleeping until a time. The timer is built into the thread, so sleeping allocates nothing.
 */
import { ETIMEDOUT } from "../lib/errno";
import { Timer, armTimer, cancelTimer } from "./timer";
import { wakeThread } from "./switch";
import { Thread, currentThread } from "./thread";

/** Wakes its thread at a deadline. */
export class SleepTimer extends Timer {
  thread: Thread | null = null;

  expired(): void {
    wakeThread(this.thread!);
  }

  /** Arms the timer for `deadlineNs` (monotonic). */
  start(deadlineNs: u64): void {
    armTimer(this, deadlineNs);
  }

  /** Disarms it, if it has not expired. */
  stop(): void {
    cancelTimer(this);
  }
}

/**
 * Sleeps until monotonic time `deadlineNs`.
 * @returns 0, or -EINTR when a signal is pending
 */
export function sleepUntil(deadlineNs: u64, interruptible: bool): i32 {
  const waiter = currentThread().waiter;
  waiter.reset();
  const result = waiter.wait(deadlineNs, interruptible);
  return result == -ETIMEDOUT ? 0 : result;
}
