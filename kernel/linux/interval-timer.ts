/**
 * A timer that sends a signal once or again and again: the engine of setitimer(2), alarm(2) and
 * timer_create(2).
 *
 * Locks: `guard` guards settings and arming; the timer interrupt takes it too, but not while it calls
 * `fire`. Only who ends the timer waits for an expiration that runs on another CPU.
 *
 * Neighbours: `sched/timer`, `itimer-calls.ts`, `posix-timer-calls.ts`.
 */
import { SpinLock } from "../arch/spinlock";
import { free } from "../lib/object";
import { monotonicNs } from "../sched/clock";
import { Timer, armTimer, cancelTimer, disarmTimer } from "../sched/timer";
import { FOREVER } from "../sched/wait";
import { LinuxProcess } from "./process";

/**
 * Least time between two interrupts of a timer. Shorter intervals expire just as often, but several
 * times at once: otherwise a CPU would do nothing but serve its timer.
 */
const LEAST_GAP_NS: u64 = 100_000;

export abstract class IntervalTimer extends Timer {
  private guard: SpinLock = new SpinLock();
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
    this.guard.acquire();
    disarmTimer(this);
    this.expiryNs = expiryNs;
    this.intervalNs = intervalNs;
    if (expiryNs != 0 && expiryNs != FOREVER) armTimer(this, expiryNs);
    this.guard.release();
  }

  /** Disarms the timer for good, and frees it once no expiration runs any more. No lock is held. */
  destroy(): void {
    this.set(0, 0);
    cancelTimer(this);
    free(this.guard);
    free(this);
  }

  /** Time until the next expiration in nanoseconds, at least 1 while armed; 0 = disarmed. */
  remainingNs(): u64 {
    if (this.expiryNs == 0) return 0;
    const now = monotonicNs();
    return this.expiryNs > now ? this.expiryNs - now : 1;
  }

  expired(): void {
    this.guard.acquire();
    const due = this.expiryNs;
    const now = monotonicNs();
    // Set anew between the interrupt and here.
    if (due == 0 || due > now) {
      this.guard.release();
      return;
    }
    let missed: u64 = 0;
    if (this.intervalNs != 0) {
      missed = (now - due) / this.intervalNs;
      this.expiryNs = due + (missed + 1) * this.intervalNs;
      armTimer(this, max(this.expiryNs, now + LEAST_GAP_NS));
    } else this.expiryNs = 0;
    this.guard.release();
    this.fire(missed);
  }
}
