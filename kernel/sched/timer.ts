/**
 * One-shot timers: for each CPU a pairing heap (Fredman, Sedgewick, Sleator, Tarjan, 1986) ordered by
 * deadline, and its local APIC timer programmed to the earliest one. Nothing ticks.
 *
 * Lock: `TimerQueue.lock` guards the heap; it is taken with thread locks held, and is not held while
 * `expired` runs.
 */
import { cpuId, pause, setTimerQueueAddress, timerQueueAddress } from "../arch/cpu";
import { SpinLock } from "../arch/spinlock";
import { monotonicNs, programTimer } from "./clock";

export abstract class Timer {
  /** True from `armTimer` until it expires or is cancelled. */
  armed: bool = false;
  /** Monotonic time of expiry. */
  deadlineNs: u64 = 0;
  /** The CPU's queue it is in while armed. */
  queue: TimerQueue | null = null;
  /** First child, next sibling, and previous sibling or, for a first child, parent. */
  child: Timer | null = null;
  next: Timer | null = null;
  previous: Timer | null = null;

  /** Called at the deadline, in an interrupt: must not sleep. */
  abstract expired(): void;
}

/** Armed timers of one CPU. */
export class TimerQueue {
  private lock: SpinLock = new SpinLock();
  private root: Timer | null = null;
  /** The timer whose `expired` runs now. */
  private firing: Timer | null = null;
  private cpu: u32 = cpuId();
  /** The deadline the hardware is programmed to; 0 when it is idle. */
  private programmedNs: u64 = 0;

  /** Adds a timer. Runs on the CPU that owns the queue, whose hardware it programs. */
  add(timer: Timer, deadlineNs: u64): void {
    this.lock.acquire();
    timer.deadlineNs = deadlineNs;
    timer.armed = true;
    timer.queue = this;
    timer.child = null;
    timer.next = null;
    timer.previous = null;
    this.root = meld(this.root, timer);
    if (this.root == timer && (this.programmedNs == 0 || deadlineNs < this.programmedNs)) {
      this.programmedNs = deadlineNs;
      programTimer(deadlineNs);
    }
    this.lock.release();
  }

  /**
   * Takes a timer out, with `waits` only when it is not expiring on another CPU.
   * @returns true if it was in
   */
  remove(timer: Timer, waits: bool): bool {
    this.lock.acquire();
    while (waits && this.firing == timer && this.cpu != cpuId()) {
      this.lock.release();
      pause();
      this.lock.acquire();
    }
    const isIn = timer.armed && timer.queue == this;
    if (isIn) {
      this.unlink(timer);
      timer.armed = false;
    }
    this.lock.release();
    return isIn;
  }

  /** Runs what has expired and programs the hardware for the rest. */
  run(): void {
    this.lock.acquire();
    this.programmedNs = 0;
    while (true) {
      const first = this.root;
      if (first == null) break;
      if (first.deadlineNs > monotonicNs()) {
        this.programmedNs = first.deadlineNs;
        programTimer(first.deadlineNs);
        break;
      }
      this.unlink(first);
      first.armed = false;
      this.firing = first;
      this.lock.release();
      first.expired();
      this.lock.acquire();
      this.firing = null;
    }
    this.lock.release();
  }

  private unlink(timer: Timer): void {
    const below = meldPairs(timer.child);
    timer.child = null;
    if (timer == this.root) {
      this.root = below;
      if (below) below.previous = null;
      return;
    }
    const before = timer.previous!;
    const next = timer.next;
    if (before.child == timer) before.child = next;
    else before.next = next;
    if (next) next.previous = before;
    this.root = meld(this.root, below);
  }
}

/** Gives this CPU its timers. Call once on each CPU. */
export function initTimers(): void {
  setTimerQueueAddress(changetype<usize>(new TimerQueue()));
}

/** Arms `timer` on this CPU for `deadlineNs`; one that is armed already is moved. */
export function armTimer(timer: Timer, deadlineNs: u64): void {
  if (timer.armed) cancelTimer(timer);
  changetype<TimerQueue>(timerQueueAddress()).add(timer, deadlineNs);
}

/**
 * Disarms `timer`. If it is expiring on another CPU, waits until that is over, so that the timer may
 * be freed afterwards; the caller must hold no lock that `expired` takes. The hardware is left alone:
 * an interrupt too many costs less than reprogramming.
 */
export function cancelTimer(timer: Timer): void {
  const queue = timer.queue;
  if (queue) queue.remove(timer, true);
}

/**
 * Disarms `timer` without waiting: `expired` may still run, and must find out that it is not due.
 * @returns true if it was armed: it will not expire for that
 */
export function disarmTimer(timer: Timer): bool {
  const queue = timer.queue;
  return queue != null && queue.remove(timer, false);
}

/** Runs this CPU's expired timers. Called by the timer interrupt. */
export function runTimers(): void {
  changetype<TimerQueue>(timerQueueAddress()).run();
}

/** Joins two heaps; either may be null. */
function meld(a: Timer | null, b: Timer | null): Timer | null {
  if (a == null) return b;
  if (b == null) return a;
  const parent = a.deadlineNs <= b.deadlineNs ? a : b;
  const child = a.deadlineNs <= b.deadlineNs ? b : a;
  const first = parent.child;
  child.next = first;
  if (first) first.previous = child;
  child.previous = parent;
  parent.child = child;
  parent.next = null;
  parent.previous = null;
  return parent;
}

/** Joins the siblings of a list two by two, then all of them from the back. */
function meldPairs(first: Timer | null): Timer | null {
  let joined: Timer | null = null;
  let rest = first;
  while (rest) {
    const a = rest;
    const b = a.next;
    rest = b ? b.next : null;
    a.next = null;
    if (b) b.next = null;
    const pair = meld(a, b)!;
    // Chain the pairs through `next`, last first.
    pair.next = joined;
    joined = pair;
  }
  let result: Timer | null = null;
  while (joined) {
    const next = joined.next;
    joined.next = null;
    joined.previous = null;
    result = meld(result, joined);
    joined = next;
  }
  return result;
}
