/**
 * Start of scheduling, and what a CPU does when nothing is ready: halt until an interrupt.
 */
import { cli, setCurrentThreadAddress, setIdleThreadAddress, stiHlt, sti } from "../arch/cpu";
import { runQueue, schedule } from "./switch";
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
    if (runQueue().isEmpty()) {
      // STI takes effect after the next instruction, so no interrupt slips in before HLT.
      stiHlt();
    } else {
      sti();
      thread.lock.acquire();
      thread.state = THREAD_READY;
      schedule();
    }
  }
}
