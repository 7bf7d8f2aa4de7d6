/**
 * A Linux process: one program's address space, open files, signal dispositions, identity and
 * limits, shared by its threads.
 *
 * Locks: `lock` guards the thread list, signal dispositions, pending signals and the exit state. It
 * is a spin lock, taken with no other lock held but perhaps a timer's or terminal's (interrupts).
 *
 * Neighbours: `thread.ts`, `fd-table.ts`, `exec.ts` (fills a process), `exit.ts` (ends it).
 */
import { writeCr3 } from "../arch/cpu";
import { SpinLock } from "../arch/spinlock";
import { Dentry } from "../fs/dentry";
import { FsContext } from "../fs/path";
import { heapAllocate } from "../mm/heap";
import { runQueue } from "../sched/switch";
import { Process, currentThread } from "../sched/thread";
import { WaitQueue } from "../sched/wait";
import { AddressSpace } from "../vm/address-space";
import { Credentials } from "./credentials";
import { FdTable } from "./fd-table";
import { SignalTimer } from "./itimer-calls";
import { ResourceLimits } from "./limits";
import { PosixTimer } from "./posix-timer-calls";
import { ProgramMemory } from "./program-memory";
import { SIGINFO_BYTES, SignalState } from "./signal-state";
import { LinuxThread } from "./thread";

export class LinuxProcess extends Process {
  lock: SpinLock = new SpinLock();

  /** Threads, newest first; guarded by `lock`. */
  threads: LinuxThread | null = null;
  threadCount: u32 = 0;
  /** Woken when a thread has left the list: execve waits for the others to go. */
  threadGone: WaitQueue = new WaitQueue();

  signals: SignalState = new SignalState();
  /** siginfo_t for signals that the kernel sends; guarded by `lock`. */
  kernelSignalInfo: usize = heapAllocate(SIGINFO_BYTES);
  credentials: Credentials = new Credentials();
  limits: ResourceLimits = new ResourceLimits();

  /** The program's file (/proc/self/exe); reference owned. */
  executable: Dentry | null = null;
  /** Where arguments, environment, stack and code lie in the application's memory. */
  memory: ProgramMemory = new ProgramMemory();

  /** POSIX timers (timer_create(2)); guarded by `lock`. */
  timers: PosixTimer | null = null;
  timerCount: u32 = 0;
  nextTimerId: i32 = 0;
  private realTimer: SignalTimer | null = null;
  private virtualTimer: SignalTimer | null = null;
  private profilingTimer: SignalTimer | null = null;

  parentId: i32 = 0;
  groupId: i32 = 1;
  sessionId: i32 = 1;
  /** Start of the process, monotonic. */
  startNs: u64 = 0;
  /** CPU time of threads that have ended. */
  endedThreadsNs: u64 = 0;
  /** personality(2). */
  personality: u32 = 0;
  /** prctl(PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS …), kept to be read back. */
  dumpable: u32 = 1;
  noNewPrivileges: u32 = 0;
  childSubreaper: u32 = 0;
  timerSlackNs: u64 = 50000;

  /** Set once by exit_group or a fatal signal. */
  exiting: bool = false;
  /** wait4(2) status word: `status << 8`, or the number of the fatal signal. */
  exitStatus: i32 = 0;

  /**
   * @param addressSpace owned by the process
   * @param fsContext working directory, root and umask; the caller's reference is taken over
   * @param files open files; the caller's reference is taken over
   */
  constructor(
    public addressSpace: AddressSpace,
    public fsContext: FsContext,
    public files: FdTable,
  ) {
    super();
    this.addressSpaceRoot = addressSpace.root;
  }

  /** Adds a thread to the list. */
  addThread(thread: LinuxThread): void {
    this.lock.acquire();
    const first = this.threads;
    thread.nextInProcess = first;
    thread.previousInProcess = null;
    if (first) first.previousInProcess = thread;
    this.threads = thread;
    this.threadCount++;
    this.lock.release();
  }

  /** Takes a thread out of the list; returns how many are left. */
  removeThread(thread: LinuxThread): u32 {
    this.lock.acquire();
    const next = thread.nextInProcess;
    const previous = thread.previousInProcess;
    if (previous) previous.nextInProcess = next;
    else this.threads = next;
    if (next) next.previousInProcess = previous;
    thread.nextInProcess = null;
    thread.previousInProcess = null;
    const left = --this.threadCount;
    this.threadGone.wakeAll();
    this.lock.release();
    return left;
  }

  /** The thread with this id, or null. Hold `lock`, and keep it while the thread is used. */
  findThread(id: i32): LinuxThread | null {
    let thread = this.threads;
    while (thread) {
      if (thread.id == id) return thread;
      thread = thread.nextInProcess;
    }
    return null;
  }

  /** Timer `which` of setitimer(2) (0 real, 1 virtual, 2 profiling), or null. */
  intervalTimer(which: i32): SignalTimer | null {
    if (which == 0) return this.realTimer;
    return which == 1 ? this.virtualTimer : this.profilingTimer;
  }

  /** Gives the process timer `which`. */
  setIntervalTimer(which: i32, timer: SignalTimer): void {
    if (which == 0) this.realTimer = timer;
    else if (which == 1) this.virtualTimer = timer;
    else this.profilingTimer = timer;
  }

  /** Disarms interval timers and deletes POSIX timers (execve(2)); alarm(2) survives. */
  endTimers(): void {
    const virtual = this.virtualTimer;
    if (virtual) virtual.set(0, 0);
    const profiling = this.profilingTimer;
    if (profiling) profiling.set(0, 0);
    this.lock.acquire();
    let timer = this.timers;
    this.timers = null;
    this.timerCount = 0;
    this.lock.release();
    while (timer) {
      const next = timer.nextTimer;
      timer.set(0, 0);
      timer.destroy();
      timer = next;
    }
  }

  /**
   * Makes `space` the process's address space and loads it on this CPU. The process must have only
   * the running thread. Returns the previous one, which the caller destroys or puts back.
   */
  switchAddressSpace(space: AddressSpace): AddressSpace {
    const previous = this.addressSpace;
    this.lock.acquire();
    this.addressSpace = space;
    this.addressSpaceRoot = space.root;
    runQueue().loadedRoot = space.root;
    writeCr3(space.root);
    this.lock.release();
    return previous;
  }
}

/** The process of the running thread; the caller runs for a Linux thread. */
export function currentProcess(): LinuxProcess {
  return changetype<LinuxProcess>(currentThread().process);
}

/** The running thread, which belongs to a Linux process. */
export function currentLinuxThread(): LinuxThread {
  return changetype<LinuxThread>(currentThread());
}
