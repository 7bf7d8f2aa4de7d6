/**
 * Wait queues: how threads sleep until something happens.
 *
 * A queue is a list of links; each link belongs to an entry, and an entry may sit in several queues
 * by several links (poll). Waking a queue calls `onWake` of its entries, from any context. A thread
 * that sleeps on one queue uses the link built into it.
 *
 * What one of many can take, such as a connection to accept, would wake all of them for nothing
 * (a thundering herd): `wakeForOne` goes on to the next exclusive entry only if nobody behind the
 * last one sleeps.
 *
 * Locks: `WaitQueue.lock` guards the list. Order: the lock of the condition (given to `sleep`), the
 * queue's lock, the thread's lock, the run queue's lock.
 */
import { currentThreadAddress } from "../arch/cpu";
import { SpinLock } from "../arch/spinlock";
import { free } from "../lib/object";
import { EINTR, ETIMEDOUT } from "../lib/errno";
import { monotonicNs } from "./clock";
import { schedule, wakeThread } from "./switch";
import { Thread, THREAD_SLEEPING, currentThread } from "./thread";

/** A deadline that never comes. */
export const FOREVER: u64 = u64.MAX_VALUE;

/** What `wakeAll` tells when it is not known what became possible. */
export const ANY_EVENT: u32 = u32.MAX_VALUE;

/** Something to be told when a queue is woken. */
export abstract class WaitEntry {
  /**
   * Runs with the queue's lock held, perhaps in an interrupt: must not sleep.
   * @param events what became possible, as POLL* bits, so that who waits for something else need
   *   not look
   * @returns true if a thread that slept will look at what has happened
   */
  abstract onWake(events: u32): bool;
}

/** Woken by every wake-up. */
export const WAIT_SHARED: u8 = 0;
/** One of several by `wakeForOne`; stays in the queue (EPOLLEXCLUSIVE). */
export const WAIT_EXCLUSIVE: u8 = 1;
/** Likewise, and leaves the queue then: a thread that takes one thing (accept(2)). */
export const WAIT_ONCE: u8 = 2;

/** Membership of an entry in one queue. */
export class WaitLink {
  /** WAIT_* */
  mode: u8 = WAIT_SHARED;
  next: WaitLink | null = null;
  previous: WaitLink | null = null;
  queue: WaitQueue | null = null;

  constructor(public entry: WaitEntry) {}
}

/** Lets a thread wait for whichever of several queues is woken first. */
export class ThreadWaiter extends WaitEntry {
  private woken: bool = false;
  /** The thread that waits; the running one unless set otherwise. */
  thread: Thread | null = null;

  constructor() {
    super();
    if (currentThreadAddress() != 0) this.thread = currentThread();
  }

  onWake(_events: u32): bool {
    this.woken = true;
    wakeThread(this.thread!);
    return true;
  }

  /** Forgets earlier wake-ups. Call before the conditions are checked. */
  reset(): void {
    this.woken = false;
  }

  /** True if a queue was woken since the last `reset`. */
  wasWoken(): bool {
    return this.woken;
  }

  /**
   * Sleeps until one of the queues is woken.
   * @param deadlineNs monotonic time, or FOREVER
   * @returns 0 when woken, -ETIMEDOUT at the deadline, -EINTR when a signal is pending
   */
  wait(deadlineNs: u64, interruptible: bool): i32 {
    const thread = this.thread!;
    let result: i32 = 0;
    while (true) {
      if (deadlineNs != FOREVER && monotonicNs() >= deadlineNs) {
        result = this.woken ? 0 : -ETIMEDOUT;
        break;
      }
      thread.lock.acquire();
      if (this.woken || (interruptible && thread.interruptPending)) {
        thread.lock.release();
        result = this.woken ? 0 : -EINTR;
        break;
      }
      thread.state = THREAD_SLEEPING;
      thread.interruptible = interruptible;
      if (deadlineNs != FOREVER) thread.timer.start(deadlineNs);
      schedule();
      if (deadlineNs != FOREVER) thread.timer.stop();
    }
    return result;
  }
}

export class WaitQueue {
  private lock: SpinLock = new SpinLock();
  private first: WaitLink | null = null;
  private last: WaitLink | null = null;

  /** Adds a link at the end; the link must not be in a queue. */
  add(link: WaitLink): void {
    this.lock.acquire();
    link.queue = this;
    link.next = null;
    const last = this.last;
    link.previous = last;
    if (last) last.next = link;
    else this.first = link;
    this.last = link;
    this.lock.release();
  }

  /** Takes a link out; one that is not in this queue is left alone. */
  remove(link: WaitLink): void {
    this.lock.acquire();
    if (link.queue == this) this.unlink(link);
    this.lock.release();
  }

  private unlink(link: WaitLink): void {
    const previous = link.previous;
    const next = link.next;
    if (previous) previous.next = next;
    else this.first = next;
    if (next) next.previous = previous;
    else this.last = previous;
    link.queue = null;
  }

  /** Frees what the queue owns; call before `free(queue)`. */
  dispose(): void {
    free(this.lock);
  }

  /** True if nobody waits. */
  isEmpty(): bool {
    return this.first == null;
  }

  /**
   * Sleeps until the queue is woken. The caller holds `lock`, which guards the condition it waits
   * for; it is released while asleep and held again on return. Check the condition again in a loop.
   * @returns 0 when woken, -ETIMEDOUT at the deadline, -EINTR when a signal is pending
   */
  sleep(lock: SpinLock, deadlineNs: u64 = FOREVER, interruptible: bool = true): i32 {
    return this.sleepAs(WAIT_SHARED, lock, deadlineNs, interruptible);
  }

  /**
   * As `sleep`, for a thread that takes one thing: `wakeForOne` wakes it for itself alone, and it must
   * look for the thing whatever this returns.
   */
  sleepForOne(lock: SpinLock, deadlineNs: u64): i32 {
    return this.sleepAs(WAIT_ONCE, lock, deadlineNs, true);
  }

  private sleepAs(mode: u8, lock: SpinLock, deadlineNs: u64, interruptible: bool): i32 {
    const thread = currentThread();
    thread.waiter.reset();
    thread.link.mode = mode;
    this.add(thread.link);
    lock.release();
    const result = thread.waiter.wait(deadlineNs, interruptible);
    this.remove(thread.link);
    thread.link.mode = WAIT_SHARED;
    lock.acquire();
    // Chosen by `wakeOne` between the end of the wait and leaving the queue: the wake-up counts.
    return thread.waiter.wasWoken() ? 0 : result;
  }

  /** Wakes the entry that has waited longest, taking it out of the queue; false if none waits. */
  wakeOne(): bool {
    if (this.first == null) return false;
    this.lock.acquire();
    const link = this.first;
    if (link) {
      this.unlink(link);
      link.entry.onWake(ANY_EVENT);
    }
    this.lock.release();
    return link != null;
  }

  /**
   * Wakes every entry; they stay in the queue until they leave it themselves.
   * @param events POLL* bits; see `WaitEntry.onWake`
   * @returns true if a thread that slept will look at what has happened
   */
  wakeAll(events: u32 = 0xffffffff /* ANY_EVENT */): bool {
    return this.wake(events, false);
  }

  /**
   * Something has come that one can take: wakes the shared entries, and exclusive ones until a thread
   * that slept will look.
   * @param events POLL* bits; see `WaitEntry.onWake`
   * @returns true if a thread that slept will look at what has happened
   */
  wakeForOne(events: u32 = 0xffffffff /* ANY_EVENT */): bool {
    return this.wake(events, true);
  }

  private wake(events: u32, isForOne: bool): bool {
    if (this.first == null) return false;
    let isSeen = false;
    let isTaken = false;
    this.lock.acquire();
    let link = this.first;
    while (link) {
      const at = link;
      link = at.next;
      const isExclusive = isForOne && at.mode != WAIT_SHARED;
      if (isExclusive && isTaken) continue;
      if (isExclusive && at.mode == WAIT_ONCE) this.unlink(at);
      if (!at.entry.onWake(events)) continue;
      isSeen = true;
      if (isExclusive) isTaken = true;
    }
    this.lock.release();
    return isSeen;
  }
}
