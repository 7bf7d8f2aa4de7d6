/**
 * Sleeping mutual exclusion, for what takes long or sleeps itself (address spaces, vnodes).
 */
import { SpinLock } from "../arch/spinlock";
import { free } from "../lib/object";
import { FOREVER, WaitQueue } from "./wait";

export class Mutex {
  private guard: SpinLock = new SpinLock();
  private queue: WaitQueue = new WaitQueue();
  private held: bool = false;

  /** Takes the mutex, sleeping (uninterruptibly) while somebody else has it. */
  lock(): void {
    this.guard.acquire();
    while (this.held) this.queue.sleep(this.guard, FOREVER, false);
    this.held = true;
    this.guard.release();
  }

  /** Takes the mutex if it is free. */
  tryLock(): bool {
    this.guard.acquire();
    const taken = !this.held;
    this.held = true;
    this.guard.release();
    return taken;
  }

  /** Gives the mutex back. */
  unlock(): void {
    this.guard.acquire();
    this.held = false;
    this.queue.wakeOne();
    this.guard.release();
  }

  /** True while somebody holds it; for assertions. */
  isHeld(): bool {
    return this.held;
  }

  /** Frees what the mutex owns; call before `free(mutex)`. */
  dispose(): void {
    this.queue.dispose();
    free(this.queue);
    free(this.guard);
  }
}
