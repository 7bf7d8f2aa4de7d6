/**
 * Start of scheduling, and what a CPU does when nothing is ready: halt until an interrupt.
 */
import {
  cli,
  mfence,
  setCurrentThreadAddress,
  setIdleThreadAddress,
  stiHlt,
  sti,
} from "../arch/cpu";
import { anyoneWaits, runQueue } from "./run-queue";
import { schedule } from "./switch";
import { Thread, THREAD_READY, THREAD_RUNNING } from "./thread";

/** Turns the boot context of this CPU into its idle thread. */
export function adoptBootThread(): void {
  const thread = new Thread(false);
  thread.state = THREAD_RUNNING;
  setIdleThreadAddress(changetype<usize>(thread));
  setCurrentThreadAddress(changetype<usize>(thread));
}

/** Runs ready threads for ever. Only the idle thread calls it; it never returns. */
export function idle(thread: Thread): void {
  while (true) {
    cli();
    const queue = runQueue();
    // Announced before the queue is looked at: whoever adds a thread later sends an interrupt.
    queue.isIdle = true;
    mfence();
    if (queue.isEmpty() && !anyoneWaits(queue)) {
      // STI takes effect after the next instruction, so no interrupt slips in before HLT.
      stiHlt();
      queue.isIdle = false;
    } else {
      queue.isIdle = false;
      sti();
      thread.lock.acquire();
      thread.state = THREAD_READY;
      schedule();
    }
  }
}
