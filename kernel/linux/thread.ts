/**
 * A thread of a Linux program: what the ABI adds to the scheduler's thread (thread id address,
 * robust futexes, signal mask and pending signals, alternate signal stack).
 *
 * Neighbours: `process.ts`, `clone.ts` (makes threads), `exit.ts` (ends them), `signal-state.ts`.
 */
import { heapAllocate, heapFree } from "../mm/heap";
import { Thread } from "../sched/thread";
import { FutexWaiter } from "./futex-table";
import { LinuxProcess } from "./process";
import { PendingSignals } from "./signal-state";

/** Bytes of scratch memory a thread owns: 256 for system calls, then two 8-byte value slots. */
const SCRATCH_ALLOCATION: usize = 256 + 16;

export class LinuxThread extends Thread {
  /** Links of the process's thread list; guarded by `LinuxProcess.lock`. */
  nextInProcess: LinuxThread | null = null;
  previousInProcess: LinuxThread | null = null;

  /** Where to store 0 and wake a futex when the thread ends (set_tid_address(2)); 0 = nowhere. */
  clearChildTid: usize = 0;
  /** Head of the robust futex list (set_robust_list(2)); 0 = none. */
  robustList: usize = 0;

  /** Blocked signals, bit n-1 for signal n. Changed only by the thread itself. */
  signalMask: u64 = 0;
  /** Mask to go back to after a handler that interrupted sigsuspend, ppoll, pselect or epoll_pwait. */
  savedSignalMask: u64 = 0;
  restoreSignalMask: bool = false;
  /** Signals that rt_sigtimedwait waits for although they are blocked. */
  waitedSignals: u64 = 0;
  /** Signals sent to this thread; guarded by the process's `lock`. */
  pending: PendingSignals = new PendingSignals();

  /** Alternate signal stack (sigaltstack(2)): base, size, SS_* flags. */
  alternateStack: usize = 0;
  alternateStackBytes: usize = 0;
  alternateStackFlags: u32 = 2;

  /** rseq(2) area of this thread and the signature that precedes abort handlers; 0 = none. */
  rseqArea: usize = 0;
  rseqSignature: u32 = 0;

  /** This thread's place in the futex table while it waits. */
  futexWaiter: FutexWaiter = new FutexWaiter();

  /** The thread was told to end (exit_group, execve by another thread). */
  mustExit: bool = false;

  private scratchMemory: usize = heapAllocate(SCRATCH_ALLOCATION);

  /** The process the thread belongs to. */
  owner(): LinuxProcess {
    return changetype<LinuxProcess>(this.process);
  }

  /** See `user-memory.ts`. */
  scratchAddress(): usize {
    return this.scratchMemory;
  }

  /** Two 8-byte slots used by the single-value accessors of `user-memory.ts`. */
  valueSlot(): usize {
    return this.scratchMemory + 256;
  }

  /** Frees what the thread owns beside the scheduler's part. Called once, when it has ended. */
  releaseLinuxState(): void {
    heapFree(this.scratchMemory);
    this.scratchMemory = 0;
  }
}
