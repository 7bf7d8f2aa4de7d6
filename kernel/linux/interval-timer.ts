/**
 * A timer that sends a signal once or again and again: the engine of setitimer(2), alarm(2) and
 * timer_create(2), in real time or on a CPU-time clock.
 *
 * Locks: `guard` guards settings and arming; the timer interrupt takes it too, but not while it calls
 * `fire`. Only who ends the timer waits for an expiration that runs on another CPU.
 *
 * Neighbours: `sched/timer`, `sched/cpu-clock`, `itimer-calls.ts`, `posix-timer-calls.ts`.
 */
import { SpinLock } from "../arch/spinlock";
import { free } from "../lib/object";
import { monotonicNs } from "../sched/clock";
import { CpuClock } from "../sched/cpu-clock";
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
  /** The reading of its clock at which it expires next; 0 = disarmed. */
  expiryNs: u64 = 0;

  /** @param cpuClock what it counts, null = monotonic time; must last as long as the timer */
  constructor(
    protected process: LinuxProcess,
    protected cpuClock: CpuClock | null,
  ) {
    super();
  }

  /** What to do at an expiration; `missed` more fell due in the meantime. Interrupt context. */
  abstract fire(missed: u64): void;

  /**
   * Arms the timer.
   * @param expiryNs reading of the clock at the first expiration; 0 disarms, FOREVER never expires
   */
  set(expiryNs: u64, intervalNs: u64): void {
    this.guard.acquire();
    disarmTimer(this);
    this.expiryNs = expiryNs;
    this.intervalNs = intervalNs;
    if (expiryNs != 0 && expiryNs != FOREVER) this.arm(expiryNs);
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
    const now = this.nowNs();
    return this.expiryNs > now ? this.expiryNs - now : 1;
  }

  /** Reading of the timer's clock. */
  nowNs(): u64 {
    const clock = this.cpuClock;
    return clock ? clock.readNs() : monotonicNs();
  }

  private arm(deadlineNs: u64): void {
    const clock = this.cpuClock;
    if (clock) clock.add(this, deadlineNs);
    else armTimer(this, deadlineNs);
  }

  expired(): void {
    this.guard.acquire();
    const due = this.expiryNs;
    const now = this.nowNs();
    // Set anew between the interrupt and here.
    if (due == 0 || due > now) {
      this.guard.release();
      return;
    }
    let missed: u64 = 0;
    if (this.intervalNs != 0) {
      missed = (now - due) / this.intervalNs;
      this.expiryNs = due + (missed + 1) * this.intervalNs;
      this.arm(max(this.expiryNs, now + LEAST_GAP_NS));
    } else this.expiryNs = 0;
    this.guard.release();
    this.fire(missed);
  }
}
