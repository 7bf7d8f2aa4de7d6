/**
 * The lock of an address space: a sleeping mutex that costs one atomic operation when nobody else
 * wants it, which page faults rely on.
 *
 *   state 0 free · 1 held · 2 held, and somebody may be waiting
 *
 * Lock order: this lock comes before those of the page cache, the heap and the frames. The holder may
 * sleep for memory, but must not touch application memory.
 */
import { SpinLock } from "../arch/spinlock";
import { free } from "../lib/object";
import { FOREVER, WaitQueue } from "../sched/wait";

export class SpaceLock {
  private state: u32 = 0;
  private guard: SpinLock = new SpinLock();
  private queue: WaitQueue = new WaitQueue();

  /** Takes the lock, sleeping (uninterruptibly) while somebody else has it. */
  lock(): void {
    if (atomic.cmpxchg<u32>(this.address(), 0, 1) != 0) this.wait();
  }

  /** Takes the lock if it is free. */
  tryLock(): bool {
    return atomic.cmpxchg<u32>(this.address(), 0, 1) == 0;
  }

  unlock(): void {
    if (atomic.cmpxchg<u32>(this.address(), 1, 0) != 1) this.wake();
  }

  /** True while somebody holds it; for assertions. */
  isHeld(): bool {
    return this.state != 0;
  }

  /** Frees the lock's parts; call before `free(lock)`. */
  dispose(): void {
    this.queue.dispose();
    free(this.queue);
    free(this.guard);
  }

  private wait(): void {
    this.guard.acquire();
    // Whoever gets the lock this way leaves state 2 behind, so that it wakes the next one.
    while (atomic.xchg<u32>(this.address(), 2) != 0) this.queue.sleep(this.guard, FOREVER, false);
    this.guard.release();
  }

  private wake(): void {
    this.guard.acquire();
    atomic.store<u32>(this.address(), 0);
    this.queue.wakeOne();
    this.guard.release();
  }

  private address(): usize {
    return changetype<usize>(this) + offsetof<SpaceLock>("state");
  }
}
