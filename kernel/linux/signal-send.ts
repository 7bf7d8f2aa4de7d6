/**
 * Sending signals: to a thread, to a process, by the kernel or by a program; and taking pending ones.
 *
 * `LinuxProcess.lock` is taken here; callers hold no lock that comes after it. Safe in interrupts
 * (timers, terminal keys).
 *
 * Neighbours: `signal-state.ts` (data), `signal-deliver.ts` (consumer), `signal-calls.ts`.
 */
import { requestUserWork } from "../sched/thread";
import { interruptThread } from "../sched/switch";
import { EAGAIN, ESRCH } from "../lib/errno";
import { LinuxProcess, currentLinuxThread, currentProcess } from "./process";
import {
  SIGCONT,
  SIG_DFL,
  SIG_IGN,
  SI_KERNEL,
  SI_TIMER,
  STOPPING_BY_DEFAULT,
  SYNCHRONOUS,
  signalBit,
} from "./signal-numbers";
import { SIGINFO_BYTES, SignalInfo } from "./signal-state";
import { LinuxThread } from "./thread";

/**
 * Sends a signal to one thread.
 * @param info siginfo_t in kernel memory; its si_signo says which signal
 * @returns 0, or -EAGAIN if a real-time signal could not be queued
 */
export function sendToThread(thread: LinuxThread, info: usize): i64 {
  const process = thread.owner();
  process.lock.acquire();
  const result = sendToThreadLocked(process, thread, info);
  process.lock.release();
  return result;
}

/**
 * As `sendToThread`, to a thread of `process` that may end any time, by its number.
 * @returns also -ESRCH if the process has no such thread
 */
export function sendToThreadOf(process: LinuxProcess, tid: i32, info: usize): i64 {
  process.lock.acquire();
  const thread = process.findThread(tid);
  const result = thread ? sendToThreadLocked(process, thread, info) : -ESRCH;
  process.lock.release();
  return result;
}

function sendToThreadLocked(process: LinuxProcess, thread: LinuxThread, info: usize): i64 {
  const number = changetype<SignalInfo>(info).signo;
  if (isDropped(process, thread.signalMask, thread.waitedSignals, number)) return 0;
  let result: i64 = 0;
  if (thread.pending.add(info)) notice(thread, number);
  else result = -EAGAIN;
  process.signals.arrival.wakeAll();
  return result;
}

/**
 * Sends a signal to a process; one thread that does not block it takes it.
 * @param info siginfo_t in kernel memory
 * @returns 0, or -EAGAIN if a real-time signal could not be queued
 */
export function sendToProcess(process: LinuxProcess, info: usize): i64 {
  process.lock.acquire();
  const result = sendLocked(process, info);
  process.lock.release();
  return result;
}

function sendLocked(process: LinuxProcess, info: usize): i64 {
  const number = changetype<SignalInfo>(info).signo;
  const taker = chooseThread(process, number);
  const blocked = taker ? taker.signalMask : ~(<u64>0);
  const waited = taker ? taker.waitedSignals : 0;
  if (isDropped(process, blocked, waited, number)) return 0;
  if (!process.signals.pending.add(info)) return -EAGAIN;
  if (taker) notice(taker, number);
  process.signals.arrival.wakeAll();
  return 0;
}

/**
 * Sends the signal of a timer (timer_create(2)). One that is still pending is not sent again, but
 * stands for this expiration as well. Any context.
 * @param tid thread that is to take it, 0 = any
 */
export function sendTimerSignal(process: LinuxProcess, tid: i32, info: usize): void {
  process.lock.acquire();
  if (tid == 0) {
    if (!process.signals.pending.addOverrun(info)) sendLocked(process, info);
  } else {
    const thread = process.findThread(tid);
    if (thread && !thread.pending.addOverrun(info)) sendToThreadLocked(process, thread, info);
  }
  process.lock.release();
}

/** Sends a signal from the kernel to a process, without further information. Any context. */
export function sendKernelSignal(process: LinuxProcess, number: i32): void {
  process.lock.acquire();
  const info = process.kernelSignalInfo;
  memory.fill(info, 0, SIGINFO_BYTES);
  changetype<SignalInfo>(info).signo = number;
  changetype<SignalInfo>(info).code = SI_KERNEL;
  sendLocked(process, info);
  process.lock.release();
}

/**
 * Tells `parent` about a child that ended, stopped or goes on.
 * @param number SIGCHLD as a rule, @param code CLD_*, @param status exit status or signal
 */
export function sendChildSignal(
  parent: LinuxProcess,
  child: LinuxProcess,
  number: i32,
  code: i32,
  status: i32,
): void {
  parent.lock.acquire();
  const buffer = parent.kernelSignalInfo;
  memory.fill(buffer, 0, SIGINFO_BYTES);
  const info = changetype<SignalInfo>(buffer);
  info.signo = number;
  info.code = code;
  info.first = <u64>(<u32>child.id) | ((<u64>child.credentials.realUser) << 32);
  info.second = <u64>(<u32>status);
  sendLocked(parent, buffer);
  parent.lock.release();
}

/**
 * Makes the running thread take a signal that its own instruction caused; it can be neither
 * blocked nor ignored: then it ends the process.
 */
export function forceSignal(info: usize): void {
  const thread = currentLinuxThread();
  const process = currentProcess();
  const number = changetype<SignalInfo>(info).signo;
  const bit = signalBit(number);
  process.lock.acquire();
  const action = process.signals.action(number);
  if (action.handler == SIG_IGN || (thread.signalMask & bit) != 0) {
    action.handler = SIG_DFL;
    thread.signalMask &= ~bit;
  }
  thread.pending.discard(bit);
  thread.pending.add(info);
  thread.interruptPending = true;
  process.lock.release();
  requestUserWork();
}

/**
 * Takes a pending signal of the running thread or its process that is not in `blocked`.
 * @param infoOut receives the siginfo_t
 * @returns its number, 0 if none is pending
 */
export function takeSignal(blocked: u64, infoOut: usize): i32 {
  const thread = currentLinuxThread();
  const process = currentProcess();
  if (((thread.pending.set | process.signals.pending.set) & ~blocked) == 0) return 0;
  process.lock.acquire();
  let queue = thread.pending;
  let number = queue.next(blocked | ~SYNCHRONOUS);
  if (number == 0) number = queue.next(blocked);
  if (number == 0) {
    queue = process.signals.pending;
    number = queue.next(blocked);
  }
  if (number != 0) {
    queue.take(number, infoOut);
    noteOverrun(process, changetype<SignalInfo>(infoOut));
  }
  process.lock.release();
  return number;
}

/** Keeps for timer_getoverrun(2) what the signal of a timer says. Hold `LinuxProcess.lock`. */
function noteOverrun(process: LinuxProcess, info: SignalInfo): void {
  if (info.code != SI_TIMER) return;
  const timer = process.findTimer(<i32>info.timerId());
  if (timer) timer.overrun = info.overrun();
}

/** Signals pending for the running thread, blocked or not. */
export function pendingSignals(): u64 {
  return currentLinuxThread().pending.set | currentProcess().signals.pending.set;
}

/**
 * Sets the running thread's signal mask and looks whether a pending signal is free to be taken now,
 * which then happens before the return to user mode.
 */
export function setSignalMask(mask: u64): void {
  const thread = currentLinuxThread();
  thread.signalMask = mask;
  refreshInterrupt(thread);
}

/** Recomputes whether the running thread has a signal to take. */
export function refreshInterrupt(thread: LinuxThread): void {
  const process = thread.owner();
  process.lock.acquire();
  const deliverable = (thread.pending.set | process.signals.pending.set) & ~thread.signalMask;
  thread.interruptPending = deliverable != 0 || thread.mustExit;
  process.lock.release();
  if (thread.interruptPending) requestUserWork();
}

/** A signal that would do nothing is not even kept, unless it is blocked or waited for. */
function isDropped(process: LinuxProcess, blocked: u64, waited: u64, number: i32): bool {
  const bit = signalBit(number);
  if (number == SIGCONT) discardEverywhere(process, STOPPING_BY_DEFAULT);
  if (((blocked | waited) & bit) != 0) return false;
  return process.signals.isIgnored(number);
}

function discardEverywhere(process: LinuxProcess, mask: u64): void {
  process.signals.pending.discard(mask);
  let thread = process.threads;
  while (thread) {
    thread.pending.discard(mask);
    thread = thread.nextInProcess;
  }
}

/** Tells a thread that a signal has arrived, if it can take it. */
function notice(thread: LinuxThread, number: i32): void {
  const bit = signalBit(number);
  if ((thread.signalMask & bit) == 0 || (thread.waitedSignals & bit) != 0) interruptThread(thread);
}

/**
 * The thread that is to take a process's signal: the oldest, usually the main one, of those that do
 * not block it; null if all do.
 */
function chooseThread(process: LinuxProcess, number: i32): LinuxThread | null {
  const bit = signalBit(number);
  let chosen: LinuxThread | null = null;
  let thread = process.threads;
  while (thread) {
    if (isFree(thread, bit)) chosen = thread; // the list is newest first
    thread = thread.nextInProcess;
  }
  return chosen;
}

function isFree(thread: LinuxThread, bit: u64): bool {
  return !thread.mustExit && ((thread.signalMask & bit) == 0 || (thread.waitedSignals & bit) != 0);
}
