/**
 * Timers in the order of their deadlines: a pairing heap (Fredman, Sedgewick, Sleator, Tarjan, 1986).
 * What the deadlines are readings of, and who looks when one is reached, is up to the subclasses:
 * real time (timer.ts) or CPU time (cpu-clock.ts).
 *
 * Lock: `TimerQueue.lock` guards the heap; it is taken with thread locks held, and is not held while
 * `expired` runs.
 */
import { cpuId, pause } from "../arch/cpu";
import { SpinLock } from "../arch/spinlock";

export abstract class Timer {
  /** True from when it is added to a queue until it expires or is cancelled. */
  armed: bool = false;
  /** Reading of the queue's clock at which it expires. */
  deadlineNs: u64 = 0;
  /** The queue it is in while armed. */
  queue: TimerQueue | null = null;
  /** First child, next sibling, and previous sibling or, for a first child, parent. */
  child: Timer | null = null;
  next: Timer | null = null;
  previous: Timer | null = null;

  /** Called at the deadline, in an interrupt: must not sleep. */
  abstract expired(): void;
}

export abstract class TimerQueue {
  protected lock: SpinLock = new SpinLock();
  /** The timer with the earliest deadline. */
  protected first: Timer | null = null;
  /** The timer whose `expired` runs now, and the CPU where. */
  private firing: Timer | null = null;
  private firingCpu: u32 = 0;

  /** Adds a timer; true if it is the first now. Hold `lock`. */
  protected insert(timer: Timer, deadlineNs: u64): bool {
    timer.deadlineNs = deadlineNs;
    timer.armed = true;
    timer.queue = this;
    timer.child = null;
    timer.next = null;
    timer.previous = null;
    this.first = meld(this.first, timer);
    return this.first == timer;
  }

  /**
   * Takes a timer out, with `waits` only when it is not expiring on another CPU.
   * @returns true if it was in
   */
  remove(timer: Timer, waits: bool): bool {
    this.lock.acquire();
    while (waits && this.firing == timer && this.firingCpu != cpuId()) {
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

  /** Takes the first timer out and lets it expire. Hold `lock`, which is free meanwhile. */
  protected fire(timer: Timer): void {
    this.unlink(timer);
    timer.armed = false;
    this.firing = timer;
    this.firingCpu = cpuId();
    this.lock.release();
    timer.expired();
    this.lock.acquire();
    this.firing = null;
  }

  private unlink(timer: Timer): void {
    const below = meldPairs(timer.child);
    timer.child = null;
    if (timer == this.first) {
      this.first = below;
      if (below) below.previous = null;
      return;
    }
    const before = timer.previous!;
    const next = timer.next;
    if (before.child == timer) before.child = next;
    else before.next = next;
    if (next) next.previous = before;
    this.first = meld(this.first, below);
  }
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
