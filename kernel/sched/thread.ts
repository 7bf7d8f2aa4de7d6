/**
 * Threads and processes as the scheduler sees them; `linux/` subclasses both.
 *
 * A thread owns a kernel stack with a guard page below. A thread that runs an application keeps the
 * application's registers in a trap frame at the very top of that stack, its FPU registers in a save
 * area, and its thread-local base addresses here.
 *
 * Locks: `Thread.lock` guards `state` and is held across a context switch (switch.ts). Order:
 * wait-queue lock, then thread lock, then run-queue lock.
 */
import { SpinLock } from "../arch/spinlock";
import { currentThreadAddress, setUserWork } from "../arch/cpu";
import { fpuAreaBytes, fpuInitialise } from "../arch/x86_64/fpu";
import { TRAP_FRAME_BYTES, TrapFrame } from "../arch/x86_64/trapframe";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { allocateKernelStack, freeKernelStack } from "../mm/pagetable";
import { CpuClock } from "./cpu-clock";
import { Process } from "./process";
import { ThreadWaiter, WaitLink } from "./wait";
import { SleepTimer } from "./sleep";

/** Kernel stack size in bytes. */
export const KERNEL_STACK_BYTES: usize = 16384;

const FPU_AREA_ALIGNMENT: usize = 64;

/** Extras: what a switch to or from a thread has to do that most threads do not need. */
/** The application has set a GS base. */
export const EXTRA_GS_BASE: u32 = 1;
/** The thread's own CPU-time clock has timers; it counts the thread as running. */
export const EXTRA_OWN_CLOCK: u32 = 2;
export const EXTRA_OWN_CLOCK_RUNS: u32 = 4;
/** Likewise the clock of the process. */
export const EXTRA_PROCESS_CLOCK: u32 = 8;
export const EXTRA_PROCESS_CLOCK_RUNS: u32 = 16;

/** What a thread is doing. */
export const THREAD_NEW: u32 = 0;
export const THREAD_READY: u32 = 1;
export const THREAD_RUNNING: u32 = 2;
export const THREAD_SLEEPING: u32 = 3;
export const THREAD_DEAD: u32 = 4;

export class Thread {
  id: i32 = 0;
  process: Process | null = null;
  /** Guards `state`. */
  lock: SpinLock = new SpinLock();
  state: u32 = THREAD_NEW;
  /** True while asleep in a way that `interruptThread` may end. */
  interruptible: bool = false;
  /** Set by `interruptThread`: interruptible sleeps end with -EINTR, and the way back to user mode
   * calls `linux/`, which clears it. */
  interruptPending: bool = false;
  /** Address of the top of the kernel stack. */
  stackTop: usize = 0;
  /** Stack pointer while not running. */
  savedStack: usize = 0;
  /** FS base of the application (thread-local storage). */
  fsBase: u64 = 0;
  /** GS base of the application, while in the kernel; see `setGsBase`. */
  gsBase: u64 = 0;
  /** EXTRA_* bits, changed by any CPU. */
  extras: u32 = 0;
  /** The CPU-time clock of this thread, once it is used for timers. */
  cpuClock: CpuClock | null = null;
  /** FPU save area, aligned; 0 for kernel threads. */
  fpuArea: usize = 0;
  private fpuMemory: usize = 0;
  /** The CPU whose registers had the FPU state last; -1 if it has only been in the save area. */
  fpuCpu: i32 = -1;
  /** The CPU it runs on or ran on last. */
  cpu: u32 = 0;
  /** Bit n: it may run on CPU n (sched_setaffinity). */
  affinity: u64 = u64.MAX_VALUE;
  /**
   * The CPU that the application was told it runs on (rseq(2)), -1 if it does not ask: on another one
   * the way back to user mode calls `linux/`.
   */
  toldCpu: i32 = -1;
  /** Link in the run queue. */
  nextReady: Thread | null = null;
  /** Time on a CPU so far, up to the last switch. */
  runtimeNs: u64 = 0;
  /** When it was last switched to (monotonic). */
  switchedInNs: u64 = 0;
  /** Voluntary and involuntary switches away. */
  sleeps: u64 = 0;
  preemptions: u64 = 0;
  /** What a kernel thread runs. */
  entry: ((argument: usize) => void) | null = null;
  argument: usize = 0;
  /** For `WaitQueue.sleep`, of which a thread does one at a time. */
  waiter: ThreadWaiter;
  link: WaitLink;
  timer: SleepTimer = new SleepTimer();

  /**
   * Makes a thread that does not run yet; `hasStack()` is false if memory ran out.
   * @param withStack false for the boot context, which has a stack already
   */
  constructor(withStack: bool = true) {
    const waiter = new ThreadWaiter();
    this.waiter = waiter;
    this.link = new WaitLink(waiter);
    this.waiter.thread = this;
    this.timer.thread = this;
    if (withStack) this.stackTop = allocateKernelStack(KERNEL_STACK_BYTES);
  }

  /** True if the thread's affinity includes `cpu`. */
  mayRunOn(cpu: u32): bool {
    return ((this.affinity >> cpu) & 1) != 0;
  }

  /** True if the application believes that it runs on another CPU than it does. */
  isMisinformed(): bool {
    return this.toldCpu >= 0 && this.toldCpu != <i32>this.cpu;
  }

  /** Sets EXTRA_* bits. */
  addExtra(bits: u32): void {
    atomic.or<u32>(changetype<usize>(this) + offsetof<Thread>("extras"), bits);
  }

  /** Clears EXTRA_* bits. */
  dropExtra(bits: u32): void {
    atomic.and<u32>(changetype<usize>(this) + offsetof<Thread>("extras"), ~bits);
  }

  /** Keeps the application's GS base; the register is the caller's business. */
  setGsBase(base: u64): void {
    this.gsBase = base;
    if (base != 0) this.addExtra(EXTRA_GS_BASE);
  }

  /** False if the kernel stack could not be allocated. */
  hasStack(): bool {
    return this.stackTop != 0;
  }

  /** The application's registers while the thread is in the kernel. */
  frame(): TrapFrame {
    return changetype<TrapFrame>(this.stackTop - TRAP_FRAME_BYTES);
  }

  /** Gives the thread FPU registers in their initial state; false if memory ran out. */
  allocateFpu(): bool {
    this.fpuMemory = heapAllocate(<usize>fpuAreaBytes() + FPU_AREA_ALIGNMENT);
    if (this.fpuMemory == 0) return false;
    this.fpuArea = (this.fpuMemory + FPU_AREA_ALIGNMENT - 1) & ~(FPU_AREA_ALIGNMENT - 1);
    fpuInitialise(this.fpuArea);
    return true;
  }

  /** Called once the thread will never run again and its stack is gone; subclasses clean up here. */
  reap(): void {
    this.releaseMemory();
    free(this);
  }

  /** Frees what every thread owns; the object itself stays. */
  releaseMemory(): void {
    if (this.stackTop != 0) freeKernelStack(this.stackTop);
    this.stackTop = 0;
    if (this.fpuMemory != 0) heapFree(this.fpuMemory);
    this.fpuMemory = 0;
    free(this.waiter);
    free(this.link);
    free(this.timer);
    free(this.lock);
  }
}

/** The running thread. */
export function currentThread(): Thread {
  return changetype<Thread>(currentThreadAddress());
}

/** Makes the way back to user mode do its checks (entry.S). */
export function requestUserWork(): void {
  setUserWork(true);
}

export { Process };
