/**
 * Mutual exclusion between processors, and between a processor and its own interrupts.
 *
 * Interrupts stay off while any spin lock is held; a per-CPU state counts the locks and remembers
 * whether interrupts were off before the first one, in a form that the last release tests for free. Never sleep and never touch application memory with a spin lock held.
 */
import { serveFlush } from "./shootdown";
import {
  LOCK_ONE,
  LOCK_WAS_OFF,
  dropLock,
  lockState,
  pause,
  saveFlagsCli,
  setLockState,
  sti,
} from "./cpu";

const RFLAGS_IF: u64 = 0x200;

export class SpinLock {
  private held: u32 = 0;

  /** Waits until the lock is free and takes it; interrupts are off from here to `release`. */
  acquire(): void {
    disableInterrupts();
    if (atomic.xchg<u32>(changetype<usize>(this) + offsetof<SpinLock>("held"), 1) != 0) this.spin();
  }

  private spin(): void {
    do {
      // The holder may be waiting for this processor to forget translations.
      serveFlush();
      pause();
    } while (atomic.xchg<u32>(changetype<usize>(this) + offsetof<SpinLock>("held"), 1) != 0);
  }

  /** Takes the lock if it is free; otherwise nothing changes. */
  tryAcquire(): bool {
    disableInterrupts();
    if (atomic.xchg<u32>(changetype<usize>(this) + offsetof<SpinLock>("held"), 1) == 0) return true;
    enableInterrupts();
    return false;
  }

  /** Gives the lock back; turns interrupts on again if this was the last lock and they were on. */
  release(): void {
    atomic.store<u32>(changetype<usize>(this) + offsetof<SpinLock>("held"), 0);
    enableInterrupts();
  }

  /** True while somebody holds the lock; for assertions. */
  isHeld(): bool {
    return this.held != 0;
  }
}

/** Turns interrupts off; calls nest. */
export function disableInterrupts(): void {
  let state = lockState();
  // While a lock is held they are off already.
  if (state < LOCK_ONE) state = saveFlagsCli() & RFLAGS_IF ? 0 : LOCK_WAS_OFF;
  setLockState(state + LOCK_ONE);
}

/** Undoes one `disableInterrupts`. */
export function enableInterrupts(): void {
  if (dropLock()) sti();
}
