/**
 * One-shot timers in real time: a queue for each CPU, with its local APIC timer programmed to the
 * earliest deadline. Nothing ticks.
 *
 * Neighbours: timer-queue.ts (the order), clock.ts (the hardware).
 */
import { setTimerQueueAddress, timerQueueAddress } from "../arch/cpu";
import { monotonicNs, programTimer } from "./clock";
import { Timer, TimerQueue, cancelTimer } from "./timer-queue";

export { Timer, cancelTimer, disarmTimer } from "./timer-queue";

/** Armed timers of one CPU; their deadlines are monotonic times. */
class RealTimers extends TimerQueue {
  /** The deadline the hardware is programmed to; 0 when it is idle. */
  private programmedNs: u64 = 0;

  /** Adds a timer. Runs on the CPU that owns the queue, whose hardware it programs. */
  add(timer: Timer, deadlineNs: u64): void {
    this.lock.acquire();
    const isFirst = this.insert(timer, deadlineNs);
    if (isFirst && (this.programmedNs == 0 || deadlineNs < this.programmedNs)) {
      this.programmedNs = deadlineNs;
      programTimer(deadlineNs);
    }
    this.lock.release();
  }

  /** Runs what has expired and programs the hardware for the rest. */
  run(): void {
    this.lock.acquire();
    this.programmedNs = 0;
    while (true) {
      const first = this.first;
      if (first == null) break;
      if (first.deadlineNs > monotonicNs()) {
        this.programmedNs = first.deadlineNs;
        programTimer(first.deadlineNs);
        break;
      }
      this.fire(first);
    }
    this.lock.release();
  }
}

/** Gives this CPU its timers. Call once on each CPU. */
export function initTimers(): void {
  setTimerQueueAddress(changetype<usize>(new RealTimers()));
}

/** Arms `timer` on this CPU for `deadlineNs` (monotonic); one that is armed already is moved. */
export function armTimer(timer: Timer, deadlineNs: u64): void {
  if (timer.armed) cancelTimer(timer);
  changetype<RealTimers>(timerQueueAddress()).add(timer, deadlineNs);
}

/** Runs this CPU's expired timers. Called by the timer interrupt. */
export function runTimers(): void {
  changetype<RealTimers>(timerQueueAddress()).run();
}
