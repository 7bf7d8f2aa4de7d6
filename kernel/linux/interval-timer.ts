/**
 * A timer that sends a signal once or again and again: the engine of setitimer(2), alarm(2) and
 * timer_create(2).
 *
 * Its fields are guarded by the lock of its process. `expired` runs in an interrupt.
 *
 * Neighbours: `sched/timer`, `itimer-calls.ts`, `posix-timer-calls.ts`.
 */
import { monotonicNs } from "../sched/clock";
import { Timer, armTimer, cancelTimer } from "../sched/timer";
import { FOREVER } from "../sched/wait";
import { LinuxProcess } from "./process";

export abstract class IntervalTimer extends Timer {
  /** Time between expirations, 0 = only one. */
  intervalNs: u64 = 0;
  /** When it expires next, monotonic; 0 = disarmed. */
  expiryNs: u64 = 0;

  constructor(protected process: LinuxProcess) {
    super();
  }

  /** What to do at an expiration; `missed` more fell due in the meantime. Interrupt context. */
  abstract fire(missed: u64): void;

  /**
   * Arms the timer.
   * @param expiryNs monotonic time of the first expiration; 0 disarms, FOREVER never expires
   */
  set(expiryNs: u64, intervalNs: u64): void {
    if (this.armed) cancelTimer(this);
    this.expiryNs = expiryNs;
    this.intervalNs = intervalNs;
    if (expiryNs != 0 && expiryNs != FOREVER) armTimer(this, expiryNs);
  }

  /** Time until the next expiration in nanoseconds, at least 1 while armed; 0 = disarmed. */
  remainingNs(): u64 {
    if (this.expiryNs == 0) return 0;
    const now = monotonicNs();
    return this.expiryNs > now ? this.expiryNs - now : 1;
  }

  expired(): void {
    const due = this.expiryNs;
    let missed: u64 = 0;
    if (this.intervalNs != 0) {
      const late = monotonicNs() - due;
      missed = late / this.intervalNs;
      this.expiryNs = due + (missed + 1) * this.intervalNs;
      armTimer(this, this.expiryNs);
    } else this.expiryNs = 0;
    this.fire(missed);
  }
}
