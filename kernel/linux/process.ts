/**
 * A Linux process: one program's address space, open files, signal dispositions, identity and
 * limits, shared by its threads.
 *
 * Locks: `lock` guards the thread list, signal dispositions, pending signals and the exit state. It
 * is a spin lock, taken with no other lock held but perhaps a timer's or terminal's (interrupts).
 *
 * A process outlives its threads as a zombie until its parent has waited for it, and its memory lasts
 * until the last holder (the table, its threads, pidfds) lets go.
 *
 * Neighbours: `thread.ts`, `process-table.ts`, `fd-table.ts`, `exec.ts` (fills a process), `exit.ts` (ends it).
 */
import { writeCr3 } from "../arch/cpu";
import { SpinLock } from "../arch/spinlock";
import { Tty } from "../dev/console/tty";
import { Dentry } from "../fs/dentry";
import { FsContext } from "../fs/path";
import { List } from "../lib/list";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { kernelRoot } from "../mm/pagetable";
import { monotonicNs } from "../sched/clock";
import { runQueue } from "../sched/switch";
import { leaveClocks } from "../sched/switch-extras";
import { Process, currentThread } from "../sched/thread";
import { WaitQueue } from "../sched/wait";
import { AddressSpace } from "../vm/address-space";
import { ProcessCpuClock, ThreadCpuClock } from "./cpu-clocks";
import { CpuLimit } from "./cpu-limit";
import { threadCpuNs } from "./cpu-time";
import { Credentials } from "./credentials";
import { FdTable } from "./fd-table";
import { SignalTimer } from "./itimer-calls";
import { ResourceLimits } from "./limits";
import { PosixTimer } from "./posix-timer-calls";
import { ProgramMemory } from "./program-memory";
import { SIGINFO_BYTES, SignalState } from "./signal-state";
import { LinuxThread } from "./thread";

/** What wait4(2) has not been told yet about a child that lives: nothing, it stopped, it goes on. */
export const JOB_NO_NEWS: u32 = 0;
export const JOB_STOPPED: u32 = 1;
export const JOB_CONTINUED: u32 = 2;

export class LinuxProcess extends Process {
  /** Links of the table and of the parent's children; all family fields: `familyLock`. */
  tableNext: usize = 0;
  tablePrevious: usize = 0;
  siblingNext: usize = 0;
  siblingPrevious: usize = 0;
  parent: LinuxProcess | null = null;
  /** Number of the parent, 0 for none: what getppid(2) reads without the lock. */
  parentId: i32 = 0;
  children: List<LinuxProcess> = new List<LinuxProcess>(offsetof<LinuxProcess>("siblingNext"));
  /** Woken (with `familyLock` as the condition's lock) when wait4(2) may find something new. */
  childEvents: WaitQueue = new WaitQueue();
  /** Woken when the process has ended (pidfds). */
  ended: WaitQueue = new WaitQueue();
  /** What the parent gets at the end: SIGCHLD as a rule, 0 = no signal. */
  exitSignal: i32 = 0;
  /** All threads have ended; the parent has not waited yet. */
  isZombie: bool = false;
  /** Memory, files and directories have been given back. */
  isEmpty: bool = false;
  /** Its parent ended and it was given to another process. */
  isAdopted: bool = false;
  /** It has executed a program since the fork (setpgid(2)). */
  hasExecuted: bool = false;
  /** prctl(PR_SET_PDEATHSIG): sent when the parent ends. */
  parentDeathSignal: i32 = 0;
  /** Stopped by this signal, 0 = not stopped; and what the parent has not been told. */
  stopSignal: i32 = 0;
  jobNews: u32 = JOB_NO_NEWS;
  /** Threads of a stopped process sleep here; guarded by `lock`. */
  goOn: WaitQueue = new WaitQueue();
  /** CPU time of children that were waited for, and their largest resident set. */
  childrenNs: u64 = 0;
  childrenPeakPages: u64 = 0;
  /** Figures kept for the parent when the address space goes. */
  peakPages: u64 = 0;
  /** The address space is the parent's, which waits (vfork(2)); guarded by `lock`. */
  borrowsSpace: bool = false;
  private holders: u32 = 1;

  lock: SpinLock = new SpinLock();

  /** Threads, newest first; guarded by `lock`. */
  threads: LinuxThread | null = null;
  threadCount: u32 = 0;
  /** Woken when a thread has left the list: execve waits for the others to go; and when a borrowed
   * address space is given back. */
  threadGone: WaitQueue = new WaitQueue();

  signals: SignalState = new SignalState();
  /** siginfo_t for signals that the kernel sends; guarded by `lock`. */
  kernelSignalInfo: usize = heapAllocate(SIGINFO_BYTES);
  credentials: Credentials = new Credentials();
  limits: ResourceLimits = ResourceLimits.initial();

  /** The program's file (/proc/self/exe), which nobody may write to; reference owned. */
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
  /** What enforces RLIMIT_CPU, once there is a limit. */
  cpuLimit: CpuLimit | null = null;

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

  /** Controlling terminal of its session; guarded by `familyLock`. */
  terminal: Tty | null = null;

  /** It has done operations on semaphores that are undone at its end (SEM_UNDO). */
  undoesSemaphores: bool = false;

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

  /** One more holder of the object. */
  hold(): void {
    atomic.add<u32>(changetype<usize>(this) + offsetof<LinuxProcess>("holders"), 1);
  }

  /** One holder less; the last one frees the object. Any context. */
  letGo(): void {
    const slot = changetype<usize>(this) + offsetof<LinuxProcess>("holders");
    if (atomic.sub<u32>(slot, 1) == 1) this.destroy();
  }

  /**
   * Says which file the program is from, null for the end. The file must be claimed already
   * (`Vnode.beginRunning`): this takes a claim, and a reference, of its own.
   */
  setExecutable(dentry: Dentry | null): void {
    const previous = this.executable;
    if (dentry) {
      dentry.retain();
      dentry.node.beginRunning();
    }
    this.executable = dentry;
    if (!previous) return;
    previous.node.endRunning();
    previous.release();
  }

  /** Makes a process its parent, null: none. Hold `familyLock`. */
  setParent(parent: LinuxProcess | null): void {
    this.parent = parent;
    this.parentId = parent ? parent.id : 0;
  }

  /** Adds a thread to the list. */
  addThread(thread: LinuxThread): void {
    this.hold();
    thread.holdsProcess = true;
    this.lock.acquire();
    const first = this.threads;
    thread.nextInProcess = first;
    thread.previousInProcess = null;
    if (first) first.previousInProcess = thread;
    this.threads = thread;
    this.threadCount++;
    const clock = this.cpuClock;
    if (clock) clock.join(thread);
    this.lock.release();
  }

  /** Takes a thread out of the list; returns how many are left. */
  removeThread(thread: LinuxThread): u32 {
    this.lock.acquire();
    this.keepCpuTime(thread);
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

  /** The timer with this id (timer_create(2)), or null. Hold `lock`. */
  findTimer(id: i32): PosixTimer | null {
    let timer = this.timers;
    while (timer && timer.id != id) timer = timer.nextTimer;
    return timer;
  }

  /** Adds the CPU time of a thread that ends, the running one, to that of the ended ones. */
  private keepCpuTime(thread: LinuxThread): void {
    const readingNs = threadCpuNs(thread);
    this.endedThreadsNs += readingNs;
    if (thread.extras != 0) leaveClocks(thread, monotonicNs());
    if (thread.cpuClock) changetype<ThreadCpuClock>(thread.cpuClock).stop(readingNs);
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

  /** Tells a parent that waits in vfork(2) that its address space is its own again. */
  giveSpaceBack(): void {
    if (!this.borrowsSpace) return;
    this.lock.acquire();
    this.borrowsSpace = false;
    this.threadGone.wakeAll();
    this.lock.release();
  }

  /** Leaves the address space for the kernel's; for the end of the process. May sleep. */
  leaveAddressSpace(): void {
    const space = this.addressSpace;
    this.lock.acquire();
    this.peakPages = space.peakResidentPages();
    this.addressSpaceRoot = kernelRoot();
    runQueue().loadedRoot = kernelRoot();
    writeCr3(kernelRoot());
    this.lock.release();
    space.release();
  }

  /** Timer `which` of setitimer(2) (0 real, 1 virtual, 2 profiling), or null. */
  intervalTimer(which: i32): SignalTimer | null {
    if (which == 0) return this.realTimer;
    return which == 1 ? this.virtualTimer : this.profilingTimer;
  }

  /** Gives the process timer `which` unless it has one; returns the one it has then. */
  keepIntervalTimer(which: i32, timer: SignalTimer): SignalTimer {
    this.lock.acquire();
    let kept = this.intervalTimer(which);
    if (!kept) {
      kept = timer;
      if (which == 0) this.realTimer = timer;
      else if (which == 1) this.virtualTimer = timer;
      else this.profilingTimer = timer;
    }
    this.lock.release();
    return kept;
  }

  /** Disarms and deletes all timers; for the end of the process. */
  endAllTimers(): void {
    this.endTimers();
    for (let which = 0; which < 3; which++) {
      const timer = this.intervalTimer(which);
      if (timer) timer.set(0, 0);
    }
    const limit = this.cpuLimit;
    if (limit) limit.set(0, 0);
  }

  /** Deletes POSIX timers (execve(2)); those of setitimer(2) and alarm(2) survive. */
  endTimers(): void {
    this.lock.acquire();
    let timer = this.timers;
    this.timers = null;
    this.timerCount = 0;
    this.lock.release();
    while (timer) {
      const next = timer.nextTimer;
      timer.destroy();
      timer = next;
    }
  }

  /**
   * Makes `space` the process's address space and loads it on this CPU. The process must have only
   * the running thread. Returns the previous one, which the caller releases or puts back.
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

  /** Frees what is left of an ended process. */
  private destroy(): void {
    this.signals.destroy();
    heapFree(this.kernelSignalInfo);
    this.credentials.destroy();
    this.limits.destroy();
    free(this.limits);
    free(this.memory);
    freeTimer(this.realTimer);
    freeTimer(this.virtualTimer);
    freeTimer(this.profilingTimer);
    const limit = this.cpuLimit;
    if (limit) limit.destroy();
    if (this.cpuClock) changetype<ProcessCpuClock>(this.cpuClock).destroy();
    free(this.children);
    freeQueue(this.threadGone);
    freeQueue(this.childEvents);
    freeQueue(this.ended);
    freeQueue(this.goOn);
    free(this.lock);
    free(this);
  }
}

function freeQueue(queue: WaitQueue): void {
  queue.dispose();
  free(queue);
}

function freeTimer(timer: SignalTimer | null): void {
  if (timer) timer.destroy();
}

/** The process of the running thread; the caller runs for a Linux thread. */
export function currentProcess(): LinuxProcess {
  return changetype<LinuxProcess>(currentThread().process);
}

/** The running thread, which belongs to a Linux process. */
export function currentLinuxThread(): LinuxThread {
  return changetype<LinuxThread>(currentThread());
}
