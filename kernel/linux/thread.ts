/**
 * A thread of a Linux program: what the ABI adds to the scheduler's thread (thread id address,
 * robust futexes, signal mask and pending signals, alternate signal stack).
 *
 * Neighbours: `process.ts`, `clone.ts` (makes threads), `exit.ts` (ends them), `signal-state.ts`.
 */
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { Thread } from "../sched/thread";
import { ThreadCpuClock } from "./cpu-clocks";
import { FutexKey } from "./futex-key";
import { FutexWaiter } from "./futex-table";
import { LinuxProcess } from "./process";
import { SeccompFilter } from "./seccomp";
import { PendingSignals } from "./signal-state";

/** Memory of a thread: 256 bytes scratch, two 8-byte value slots, the name. */
const SCRATCH_BYTES: usize = 256;
const COMM_OFFSET: usize = SCRATCH_BYTES + 16;
const MEMORY_BYTES: usize = COMM_OFFSET + 16;

/** sigaltstack(2): no alternate stack. */
const SS_DISABLE: u32 = 2;

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
  /** A system call put another mask in force and has not ended yet. */
  hasTemporaryMask: bool = false;
  /** Signals that rt_sigtimedwait waits for although they are blocked. */
  waitedSignals: u64 = 0;
  /** Signals sent to this thread; guarded by the process's `lock`. */
  pending: PendingSignals = new PendingSignals();

  /** Alternate signal stack (sigaltstack(2)): base, size (0 = none), SS_* flags. */
  alternateStack: usize = 0;
  alternateStackBytes: usize = 0;
  alternateStackFlags: u32 = SS_DISABLE;

  /** The last exception in user mode, for the signal frame: vector, error code, CR2. */
  faultVector: u64 = 0;
  faultError: u64 = 0;
  faultAddress: u64 = 0;

  /**
   * What restart_syscall(2) continues: the deadline, monotonic or a reading of CPU-time clock
   * `restartClock`, and where to report the rest.
   */
  restartsOnCpuClock: bool = false;
  restartClock: i32 = 0;
  restartDeadlineNs: u64 = 0;
  restartRemaining: usize = 0;

  /** rseq(2) area and the signature that precedes abort handlers; 0 = not registered. */
  rseqArea: usize = 0;
  rseqSignature: u32 = 0;

  /** Where futex(2) of this thread puts the identity of a futex for a moment. */
  futexKey: FutexKey = new FutexKey();
  /** This thread's place in the futex table while it waits. */
  futexWaiter: FutexWaiter = new FutexWaiter();

  /** Somebody may wait for a PI futex that this thread has (`futex-pi.ts`). */
  isWaitedFor: bool = false;

  /** seccomp(2): SECCOMP_* mode, and the newest filter with a reference. */
  seccompMode: u32 = 0;
  seccompFilter: SeccompFilter | null = null;

  /** The thread was told to end (exit_group, execve by another thread). */
  mustExit: bool = false;

  /** A copy in a system call found no memory for a page: the program ends on the way back. */
  lacksMemory: bool = false;

  /** sched_setscheduler(2) policy and parameter, nice value; kept to be read back. */
  policy: i32 = 0;
  priority: i32 = 0;
  nice: i32 = 0;
  /** set_mempolicy(2) mode and ioprio_set(2) value, kept to be read back. */
  memoryPolicy: u32 = 0;
  ioPriority: i32 = 0;

  /** The thread counts as a holder of its process (`LinuxProcess.addThread`). */
  holdsProcess: bool = false;

  private memory: usize = 0;

  /** Makes a thread that does not run yet; `isComplete()` is false if memory ran out. */
  constructor() {
    super();
    this.memory = heapAllocate(MEMORY_BYTES);
    if (this.memory != 0) memory.fill(this.memory, 0, MEMORY_BYTES);
  }

  /** False if the thread lacks memory and must be given back by `reap`. */
  isComplete(): bool {
    return this.memory != 0 && this.hasStack() && this.fpuArea != 0;
  }

  /** The process the thread belongs to. */
  owner(): LinuxProcess {
    return changetype<LinuxProcess>(this.process);
  }

  /** See `user-memory.ts`. */
  scratchAddress(): usize {
    return this.memory;
  }

  /** Two 8-byte slots used by the single-value accessors of `user-memory.ts`. */
  valueSlot(): usize {
    return this.memory + SCRATCH_BYTES;
  }

  /** The name, zero-terminated, 16 bytes (`thread-name.ts`). */
  commAddress(): usize {
    return this.memory + COMM_OFFSET;
  }

  /** The thread has left the CPU for the last time; see `Thread.reap`. */
  reap(): void {
    this.pending.discard(~(<u64>0));
    free(this.pending);
    this.futexWaiter.destroy();
    free(this.futexKey);
    const filter = this.seccompFilter;
    if (filter) filter.release();
    if (this.memory != 0) heapFree(this.memory);
    if (this.cpuClock) changetype<ThreadCpuClock>(this.cpuClock).letGo();
    const process = this.owner();
    const held = this.holdsProcess;
    super.reap();
    if (held) process.letGo();
  }
}
