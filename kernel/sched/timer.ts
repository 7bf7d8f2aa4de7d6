/**
 * One-shot timers of this CPU: a pairing heap (Fredman, Sedgewick, Sleator, Tarjan, 1986) ordered by
 * deadline, and the local APIC timer programmed to the earliest one. Nothing ticks.
 *
 * Lock: `timerLock` guards the heap; it is taken with thread locks held, and is not held while
 * `expired` runs.
 */
import { SpinLock } from "../arch/spinlock";
import { monotonicNs, programTimer } from "./clock";

export abstract class Timer {
  /** True from `armTimer` until it expires or is cancelled. */
  armed: bool = false;
  /** Monotonic time of expiry. */
  deadlineNs: u64 = 0;
  /** First child, next sibling, and previous sibling or, for a first child, parent. */
  child: Timer | null = null;
  next: Timer | null = null;
  previous: Timer | null = null;

  /** Called at the deadline, in an interrupt: must not sleep. */
  abstract expired(): void;
}

const timerLock = new SpinLock();
let root: Timer | null = null;
/** The deadline the hardware is programmed to; 0 when it is idle. */
let programmedNs: u64 = 0;

/** Arms `timer` for `deadlineNs`; one that is armed already is moved. */
export function armTimer(timer: Timer, deadlineNs: u64): void {
  timerLock.acquire();
  if (timer.armed) unlink(timer);
  timer.deadlineNs = deadlineNs;
  timer.armed = true;
  timer.child = null;
  timer.next = null;
  timer.previous = null;
  root = meld(root, timer);
  if (root == timer && (programmedNs == 0 || deadlineNs < programmedNs)) {
    programmedNs = deadlineNs;
    programTimer(deadlineNs);
  }
  timerLock.release();
}

/** Disarms `timer`. The hardware is left alone: an interrupt too many costs less than reprogramming. */
export function cancelTimer(timer: Timer): void {
  timerLock.acquire();
  if (timer.armed) {
    unlink(timer);
    timer.armed = false;
  }
  timerLock.release();
}

/** Runs what has expired and programs the hardware for the rest. Called by the timer interrupt. */
export function runTimers(): void {
  timerLock.acquire();
  programmedNs = 0;
  while (true) {
    const first = root;
    if (first == null) break;
    if (first.deadlineNs > monotonicNs()) {
      // An `expired` may have programmed an earlier one meanwhile; `root` is the earliest of all.
      programmedNs = first.deadlineNs;
      programTimer(first.deadlineNs);
      break;
    }
    unlink(first);
    first.armed = false;
    timerLock.release();
    first.expired();
    timerLock.acquire();
  }
  timerLock.release();
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

/** Takes a timer out of the heap. */
function unlink(timer: Timer): void {
  const below = meldPairs(timer.child);
  timer.child = null;
  if (timer == root) {
    root = below;
    if (below) below.previous = null;
    return;
  }
  const before = timer.previous!;
  const next = timer.next;
  if (before.child == timer) before.child = next;
  else before.next = next;
  if (next) next.previous = before;
  root = meld(root, below);
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
