/**
 * System calls that arrange what signals do: actions, masks, the alternate stack, and waiting for
 * signals (sigaction(2), sigprocmask(2), sigsuspend(2), sigtimedwait(2), sigaltstack(2) …).
 *
 * Neighbours: `signal-kill.ts` (sending), `signal-deliver.ts`, `signal-frame.ts`.
 */
import { EAGAIN, EFAULT, EINTR, EINVAL, ENOMEM, EPERM } from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { FOREVER } from "../sched/wait";
import { monotonicNs } from "../sched/clock";
import { sleepUntil } from "../sched/sleep";
import { currentLinuxThread, currentProcess } from "./process";
import { alternateStackState, isOnAlternateStack, popSignalFrame } from "./signal-frame";
import {
  MINSIGSTKSZ,
  SIGKILL,
  SIGNAL_MAX,
  SIGSEGV,
  SIGSTOP,
  SIG_BLOCK,
  SIG_SETMASK,
  SIG_UNBLOCK,
  SS_AUTODISARM,
  SS_DISABLE,
  SS_ONSTACK,
  UNBLOCKABLE,
  signalBit,
} from "./signal-numbers";
import { pendingSignals, refreshInterrupt, setSignalMask, takeSignal } from "./signal-send";
import { SIGINFO_BYTES, SignalAction } from "./signal-state";
import { exitBySignal } from "./exit";
import { deadlineAt, readTimespec, timespecNs } from "./timespec";
import { copyIn, copyOut, load64, loadedValue, scratch, store64 } from "./user-memory";

const SIGNAL_SET_BYTES: usize = 8;
const STACK_T_BYTES: usize = 24;
const CLOCK_MONOTONIC: i32 = 1;

/** rt_sigaction(2). */
export function sysRtSigaction(
  signal: i32,
  action: usize,
  oldAction: usize,
  signalSetSize: usize,
): i64 {
  if (signalSetSize != SIGNAL_SET_BYTES) return -EINVAL;
  if (signal < 1 || signal > SIGNAL_MAX) return -EINVAL;
  if (action != 0 && (signal == SIGKILL || signal == SIGSTOP)) return -EINVAL;
  const bytes = offsetof<SignalAction>();
  const wanted = scratch();
  const previous = scratch() + bytes;
  if (action != 0 && copyIn(wanted, action, bytes) != 0) return -EFAULT;
  const process = currentProcess();
  process.lock.acquire();
  const current = process.signals.action(signal);
  memory.copy(previous, changetype<usize>(current), bytes);
  if (action != 0) {
    memory.copy(changetype<usize>(current), wanted, bytes);
    current.mask &= ~UNBLOCKABLE;
    if (process.signals.isIgnored(signal)) discardPending(signal);
  }
  process.lock.release();
  return oldAction != 0 ? copyOut(oldAction, previous, bytes) : 0;
}

/** A signal that becomes ignored is no longer pending (POSIX.1-2017, XSH 2.4.3). Lock held. */
function discardPending(signal: i32): void {
  const process = currentProcess();
  const bit = signalBit(signal);
  process.signals.pending.discard(bit);
  let thread = process.threads;
  while (thread) {
    thread.pending.discard(bit);
    thread = thread.nextInProcess;
  }
}

/** rt_sigprocmask(2). */
export function sysRtSigprocmask(how: i32, set: usize, oldSet: usize, signalSetSize: usize): i64 {
  if (signalSetSize != SIGNAL_SET_BYTES) return -EINVAL;
  const thread = currentLinuxThread();
  const previous = thread.signalMask;
  if (set != 0) {
    if (load64(set) != 0) return -EFAULT;
    const given = loadedValue();
    let mask: u64;
    if (how == SIG_BLOCK) mask = previous | given;
    else if (how == SIG_UNBLOCK) mask = previous & ~given;
    else if (how == SIG_SETMASK) mask = given;
    else return -EINVAL;
    setSignalMask(mask & ~UNBLOCKABLE);
  }
  return oldSet != 0 ? store64(oldSet, previous) : 0;
}

/** rt_sigpending(2). */
export function sysRtSigpending(set: usize, signalSetSize: usize): i64 {
  if (signalSetSize > SIGNAL_SET_BYTES) return -EINVAL;
  store<u64>(scratch(), pendingSignals() & currentLinuxThread().signalMask);
  return copyOut(set, scratch(), signalSetSize);
}

/** rt_sigsuspend(2): waits for a signal with another mask in force. */
export function sysRtSigsuspend(set: usize, signalSetSize: usize): i64 {
  if (signalSetSize != SIGNAL_SET_BYTES) return -EINVAL;
  if (load64(set) != 0) return -EFAULT;
  beginTemporaryMask(loadedValue());
  return waitForSignal();
}

/** pause(2). */
export function sysPause(): i64 {
  return waitForSignal();
}

/** Sleeps until a signal is pending; -EINTR. The mask of `beginTemporaryMask` is undone later. */
function waitForSignal(): i64 {
  while (sleepUntil(FOREVER, true) != -EINTR) {}
  const thread = currentLinuxThread();
  if (thread.hasTemporaryMask) {
    thread.hasTemporaryMask = false;
    thread.restoreSignalMask = true;
  }
  return -EINTR;
}

/**
 * Puts another signal mask in force for the rest of a system call (ppoll, pselect6, epoll_pwait,
 * sigsuspend). Every such call ends with `endTemporaryMask`.
 */
export function beginTemporaryMask(mask: u64): void {
  const thread = currentLinuxThread();
  thread.savedSignalMask = thread.signalMask;
  thread.hasTemporaryMask = true;
  setSignalMask(mask & ~UNBLOCKABLE);
}

/**
 * Ends what `beginTemporaryMask` began; does nothing without it. If the call was interrupted, the
 * temporary mask stays in force until the handler has been chosen.
 * @param result of the system call
 * @returns `result`
 */
export function endTemporaryMask(result: i64): i64 {
  const thread = currentLinuxThread();
  if (!thread.hasTemporaryMask) return result;
  thread.hasTemporaryMask = false;
  if (result == -EINTR && thread.interruptPending) thread.restoreSignalMask = true;
  else setSignalMask(thread.savedSignalMask);
  return result;
}

/** rt_sigtimedwait(2): takes a pending signal of `set`, waiting for one if there is none. */
export function sysRtSigtimedwait(
  set: usize,
  info: usize,
  timeout: usize,
  signalSetSize: usize,
): i64 {
  if (signalSetSize != SIGNAL_SET_BYTES) return -EINVAL;
  if (load64(set) != 0) return -EFAULT;
  const wanted = loadedValue() & ~UNBLOCKABLE;
  let deadlineNs = FOREVER;
  if (timeout != 0) {
    const error = readTimespec(timeout);
    if (error != 0) return error;
    deadlineNs = deadlineAt(timespecNs(), CLOCK_MONOTONIC, false);
  }
  const buffer = heapAllocate(SIGINFO_BYTES);
  if (buffer == 0) return -ENOMEM;
  let result: i64 = takeSignal(~wanted, buffer);
  if (result == 0) result = awaitSignal(wanted, deadlineNs, buffer);
  if (result > 0 && info != 0 && copyOut(info, buffer, SIGINFO_BYTES) != 0) result = -EFAULT;
  heapFree(buffer);
  return result;
}

function awaitSignal(wanted: u64, deadlineNs: u64, buffer: usize): i64 {
  const thread = currentLinuxThread();
  const process = currentProcess();
  const queue = process.signals.arrival;
  let taken = 0;
  process.lock.acquire();
  thread.waitedSignals = wanted;
  while (true) {
    const pending = (thread.pending.set | process.signals.pending.set) & wanted;
    if (pending != 0) {
      process.lock.release();
      taken = takeSignal(~wanted, buffer);
      process.lock.acquire();
      if (taken != 0) break;
    }
    if (queue.sleep(process.lock, deadlineNs, true) == 0) continue;
    if (((thread.pending.set | process.signals.pending.set) & wanted) != 0) continue;
    break;
  }
  thread.waitedSignals = 0;
  process.lock.release();
  refreshInterrupt(thread);
  if (taken != 0) return taken;
  return thread.interruptPending || monotonicNs() < deadlineNs ? -EINTR : -EAGAIN;
}

/** rt_sigreturn(2): goes back to where a handler interrupted the thread. */
export function sysRtSigreturn(): i64 {
  const thread = currentLinuxThread();
  const frame = thread.frame();
  const maskSlot = scratch();
  if (!popSignalFrame(frame, thread, maskSlot)) exitBySignal(SIGSEGV);
  setSignalMask(load<u64>(maskSlot) & ~UNBLOCKABLE);
  return <i64>frame.rax;
}

/** sigaltstack(2). */
export function sysSigaltstack(stack: usize, oldStack: usize): i64 {
  const thread = currentLinuxThread();
  const sp = thread.frame().rsp;
  const buffer = scratch();
  if (stack != 0 && copyIn(buffer, stack, STACK_T_BYTES) != 0) return -EFAULT;
  const base = load<usize>(buffer);
  const flags = load<u32>(buffer + 8);
  const bytes = load<usize>(buffer + 16);
  const previousBase = thread.alternateStack;
  const previousBytes = thread.alternateStackBytes;
  const previousFlags = alternateStackState(thread, sp);
  if (stack != 0) {
    if (isOnAlternateStack(thread, sp)) return -EPERM;
    const mode = flags & ~SS_AUTODISARM;
    if (mode != 0 && mode != SS_DISABLE && mode != SS_ONSTACK) return -EINVAL;
    if (mode != SS_DISABLE && bytes < MINSIGSTKSZ) return -ENOMEM;
    thread.alternateStack = mode == SS_DISABLE ? 0 : base;
    thread.alternateStackBytes = mode == SS_DISABLE ? 0 : bytes;
    thread.alternateStackFlags = flags & (SS_AUTODISARM | SS_DISABLE);
  }
  if (oldStack == 0) return 0;
  store<usize>(buffer, previousBase);
  store<u64>(buffer + 8, previousFlags);
  store<usize>(buffer + 16, previousBytes);
  return copyOut(oldStack, buffer, STACK_T_BYTES);
}
