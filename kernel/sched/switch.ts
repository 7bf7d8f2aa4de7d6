/**
 * The scheduler: which thread runs next on this CPU, and the change to it.
 *
 * Each CPU has a FIFO run queue (run-queue.ts). A thread woken by an interrupt goes to the front and
 * preempts, so that I/O is answered at once; others go to the back. A CPU that runs out of threads
 * takes one from another. A time slice is enforced only while somebody else is ready, so an idle or
 * single-threaded machine has no periodic tick.
 *
 * A thread that stops running holds its own lock across the switch; the thread that runs next
 * releases it (`finishSwitch`) once the old stack is no longer in use. A preempted thread becomes
 * ready only then, so no other CPU can run it too early.
 *
 * Neighbours: arch/x86_64/switch.S (the change of stacks), wait.ts (sleeping), idle.ts,
 * switch-extras.ts (what few threads need).
 */
import {
  compilerBarrier,
  cpuId,
  fpuOwnerAddress,
  idleThreadAddress,
  interruptDepth,
  interruptsBefore,
  mfence,
  previousThreadAddress,
  setCurrentThreadAddress,
  setFpuOwnerAddress,
  setInterruptsBefore,
  setKernelStack,
  setPreviousThreadAddress,
  setUserWork,
  switchStack,
  threadTrampoline,
  writeCr3,
  wrmsr,
} from "../arch/cpu";
import { fpuRestore, fpuSave } from "../arch/x86_64/fpu";
import { TRAP_FRAME_BYTES } from "../arch/x86_64/trapframe";
import { setInterruptStack } from "../arch/x86_64/descriptors";
import { monotonicNs } from "./clock";
import { switchExtras } from "./switch-extras";
import { RunQueue, chooseQueue, queueOf, runQueue, stealThread } from "./run-queue";
import {
  Thread,
  THREAD_DEAD,
  THREAD_READY,
  THREAD_RUNNING,
  THREAD_SLEEPING,
  currentThread,
} from "./thread";

const MSR_FS_BASE: u32 = 0xc0000100;

export { initRunQueue, runQueue } from "./run-queue";

/**
 * Makes a thread ready, on the CPU it ran on last, or on an idle one. Its lock is held, or nobody
 * else knows it yet.
 */
export function enqueue(thread: Thread): void {
  thread.state = THREAD_READY;
  const own = runQueue();
  const target = chooseQueue(thread, own);
  const atFront = interruptDepth() != 0;
  if (atFront) target.pushFront(thread);
  else target.pushBack(thread);
  if (target != own) {
    if (atFront) target.reschedule = true;
    // A busy CPU starts the running thread's time slice when it hears that somebody waits.
    if (target.isIdle || atFront || !target.isSliceLimited()) target.notify();
    return;
  }
  if (atFront) {
    own.reschedule = true;
    setUserWork(true);
  }
  if (currentThread().process != null) own.limitSlice();
}

/** Makes a sleeping thread ready; one that is not asleep is left alone. Any context. */
export function wakeThread(thread: Thread): void {
  thread.lock.acquire();
  if (thread.state == THREAD_SLEEPING) enqueue(thread);
  thread.lock.release();
}

/**
 * Makes a thread look at its signals: ends its interruptible sleep, and calls `linux/` before it
 * returns to user mode.
 */
export function interruptThread(thread: Thread): void {
  thread.lock.acquire();
  thread.interruptPending = true;
  mfence(); // before the look at its state: a processor that takes it up looks the other way round
  if (thread.state == THREAD_SLEEPING && thread.interruptible) enqueue(thread);
  else if (thread == currentThread()) setUserWork(true);
  else if (thread.state == THREAD_RUNNING) queueOf(thread.cpu).notify();
  thread.lock.release();
}

/** Starts a new thread; it runs when its turn comes. */
export function startThread(thread: Thread): void {
  prepareStack(thread);
  thread.lock.acquire();
  enqueue(thread);
  thread.lock.release();
}

/** Lets another ready thread run first, if there is one; leaves a CPU that is not the thread's. */
export function yieldNow(): void {
  const thread = currentThread();
  if (runQueue().isEmpty() && thread.mayRunOn(cpuId())) return;
  thread.lock.acquire();
  thread.state = THREAD_READY;
  thread.preemptions++;
  schedule();
}

/**
 * To be called now and then in work that may take long, with no lock held that others spin on: lets
 * others run when the time slice is over.
 * @returns true if a signal is pending, for work that can end early
 */
export function preemptionPoint(): bool {
  if (runQueue().reschedule) yieldNow();
  return currentThread().interruptPending;
}

/**
 * Says on which CPUs a thread may run; one that runs elsewhere moves.
 * @param mask bit n: CPU n; at least one CPU that exists
 */
export function setAffinity(thread: Thread, mask: u64): void {
  thread.lock.acquire();
  thread.affinity = mask;
  const mustMove = thread.state == THREAD_RUNNING && !thread.mayRunOn(thread.cpu);
  const cpu = thread.cpu;
  thread.lock.release();
  if (!mustMove) return;
  if (thread == currentThread()) {
    yieldNow();
  } else {
    queueOf(cpu).reschedule = true;
    queueOf(cpu).notify();
  }
}

/** Ends the running thread. Never returns. */
export function exitThread(): void {
  const thread = currentThread();
  thread.lock.acquire();
  thread.state = THREAD_DEAD;
  schedule();
  unreachable();
}

/**
 * Runs the next thread. The caller holds the lock of the running thread and has set its state to
 * what it is to be; the lock is free when the thread runs again.
 */
export function schedule(): void {
  const queue = runQueue();
  const previous = currentThread();
  let next = queue.pop();
  if (next == null && previous.state != THREAD_READY) next = stealThread(queue);
  if (next == null) {
    if (previous.state == THREAD_READY && previous.mayRunOn(queue.cpu)) {
      previous.state = THREAD_RUNNING;
      previous.lock.release();
      return;
    }
    next = changetype<Thread>(idleThreadAddress());
  }
  const now = monotonicNs();
  previous.runtimeNs += now - previous.switchedInNs;
  if (previous.state == THREAD_SLEEPING) previous.sleeps++;
  next.switchedInNs = now;
  compilerBarrier(); // in this order: who reads its CPU time looks at the state first
  next.state = THREAD_RUNNING;
  queue.reschedule = false;
  if (next.process != null && !queue.isEmpty()) queue.limitSlice();

  // Whether interrupts were on belongs to the thread, not to the CPU.
  const interruptsOn = interruptsBefore();
  switchUserState(queue, previous, next);
  if ((previous.extras | next.extras) != 0) switchExtras(previous, next);
  setCurrentThreadAddress(changetype<usize>(next));
  setPreviousThreadAddress(changetype<usize>(previous));
  switchStack(changetype<usize>(previous) + offsetof<Thread>("savedStack"), next.savedStack);
  setInterruptsBefore(interruptsOn);
  finishSwitch();
}

/** Loads what the next thread's application needs: page tables, FPU, thread-local bases, stack. */
function switchUserState(queue: RunQueue, previous: Thread, next: Thread): void {
  if (previous.fpuArea != 0 && previous.state != THREAD_DEAD) fpuSave(previous.fpuArea);
  if (fpuOwnerAddress() == changetype<usize>(previous) && previous.state == THREAD_DEAD) {
    setFpuOwnerAddress(0);
  }
  const process = next.process;
  if (process == null) {
    next.cpu = cpuId();
    setUserWork(false);
    return;
  }
  if (process.addressSpaceRoot != queue.loadedRoot) {
    queue.loadedRoot = process.addressSpaceRoot;
    writeCr3(process.addressSpaceRoot);
  }
  wrmsr(MSR_FS_BASE, next.fsBase);
  const cpu = cpuId();
  // The owner may be a thread that ended elsewhere and whose memory this one got: hence both tests.
  if (fpuOwnerAddress() != changetype<usize>(next) || next.fpuCpu != <i32>cpu) {
    fpuRestore(next.fpuArea);
    setFpuOwnerAddress(changetype<usize>(next));
    next.fpuCpu = <i32>cpu;
  }
  next.cpu = cpu;
  setKernelStack(next.stackTop);
  setInterruptStack(next.stackTop);
  setUserWork(next.interruptPending || next.isMisinformed());
}

/** Completes a switch on the new stack: the previous thread may now run elsewhere, or be freed. */
export function finishSwitch(): void {
  const previous = changetype<Thread>(previousThreadAddress());
  const dead = previous.state == THREAD_DEAD;
  if (previous.state == THREAD_READY && changetype<usize>(previous) != idleThreadAddress()) {
    enqueue(previous);
  }
  previous.lock.release();
  if (dead) previous.reap();
}

/** Makes the thread's stack look as if it had called `switchStack` from `threadTrampoline`. */
function prepareStack(thread: Thread): void {
  const frameBytes: usize = thread.process != null ? TRAP_FRAME_BYTES : 0;
  // SysV ABI: the stack is aligned to 16 before a call; the trampoline makes the call.
  const top = (thread.stackTop - frameBytes) & ~15;
  store<usize>(top - 24, threadTrampoline());
  for (let i: usize = 4; i <= 9; i++) store<usize>(top - i * 8, 0);
  thread.savedStack = top - 72;
}
