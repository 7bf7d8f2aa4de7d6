/**
 * Start of scheduling, and what a CPU does when nothing is ready: look out for work for a moment
 * (halt-polling.ts), then halt until an interrupt.
 */
import {
  cli,
  mfence,
  setCurrentThreadAddress,
  setIdleThreadAddress,
  stiHlt,
  sti,
} from "../arch/cpu";
import { HaltPolling } from "./halt-polling";
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
  const queue = runQueue();
  const polling = new HaltPolling();
  while (true) {
    polling.begin();
    cli();
    // Announced before the queue is looked at: whoever adds a thread later sends an interrupt.
    queue.isIdle = true;
    mfence();
    while (queue.isEmpty() && !anyoneWaits(queue)) {
      const isQuiet = !polling.look(queue);
      // STI takes effect after the next instruction, so no interrupt slips in before HLT.
      if (isQuiet && queue.isEmpty() && !anyoneWaits(queue)) stiHlt();
      polling.end();
      cli();
    }
    queue.isIdle = false;
    sti();
    thread.lock.acquire();
    thread.state = THREAD_READY;
    schedule();
  }
}
