/**
 * What happens between the kernel and the return to user mode: pending signals become calls of
 * handlers or default actions, and interrupted system calls are restarted or end with EINTR.
 *
 * Neighbours: `kernel/trap.ts` (calls in), `signal-frame.ts`, `signal-restart.ts`, `exit.ts`.
 */
import { TrapFrame } from "../arch/x86_64/trapframe";
import { heapAllocate, heapFree } from "../mm/heap";
import { exitByKernel, exitBySignal } from "./exit";
import { endForLackOfMemory } from "./out-of-memory";
import { stopProcess, waitWhileStopped } from "./job-control";
import { LinuxProcess, currentLinuxThread } from "./process";
import { rseqBeforeSignal } from "./rseq";
import { pushSignalFrame } from "./signal-frame";
import {
  IGNORED_BY_DEFAULT,
  SA_NODEFER,
  SA_RESETHAND,
  SA_RESTART,
  SIGKILL,
  SIGSEGV,
  SIG_DFL,
  SIG_IGN,
  STOPPING_BY_DEFAULT,
  UNBLOCKABLE,
  signalBit,
} from "./signal-numbers";
import { prepareRestart, restartWithoutHandler } from "./signal-restart";
import { refreshInterrupt, takeSignal } from "./signal-send";
import { SIGINFO_BYTES, SignalAction } from "./signal-state";
import { LinuxThread } from "./thread";

export { noteLackOfMemory, userFault } from "./faults";

/** Called before every return to user mode for which the thread has work: signals, exit. */
export function returnToUser(frame: TrapFrame): void {
  const thread = currentLinuxThread();
  if (thread.mustExit) exitByKernel();
  if (thread.lacksMemory) endForLackOfMemory();
  waitIfStopped(thread);
  if (thread.interruptPending || thread.restoreSignalMask) handleSignals(frame, thread);
}

function waitIfStopped(thread: LinuxThread): void {
  if (thread.owner().stopSignal == 0) return;
  waitWhileStopped(thread.owner());
  if (thread.mustExit) exitByKernel();
}

function handleSignals(frame: TrapFrame, thread: LinuxThread): void {
  const buffer = heapAllocate(SIGINFO_BYTES + offsetof<SignalAction>());
  if (buffer == 0) exitBySignal(SIGKILL);
  const action = changetype<SignalAction>(buffer + SIGINFO_BYTES);
  let delivered = false;
  while (true) {
    const number = takeSignal(thread.signalMask, buffer);
    if (number == 0) break;
    if (!chooseHandler(thread.owner(), number, action)) continue;
    prepareRestart(frame, (action.flags & SA_RESTART) != 0);
    deliver(frame, thread, number, buffer, action);
    delivered = true;
  }
  heapFree(buffer);
  if (!delivered) {
    restartWithoutHandler(frame);
    if (thread.restoreSignalMask) thread.signalMask = thread.savedSignalMask;
    thread.restoreSignalMask = false;
  }
  refreshInterrupt(thread);
  if (thread.mustExit) exitByKernel();
}

/**
 * Finds out what to do about a signal that was just taken: default actions are carried out here.
 * @param out receives a copy of the action if it has a handler
 * @returns true if there is a handler to call
 */
function chooseHandler(process: LinuxProcess, number: i32, out: SignalAction): bool {
  process.lock.acquire();
  const action = process.signals.action(number);
  memory.copy(changetype<usize>(out), changetype<usize>(action), offsetof<SignalAction>());
  if (action.handler > SIG_IGN && (action.flags & SA_RESETHAND) != 0) action.handler = SIG_DFL;
  process.lock.release();
  if (out.handler == SIG_IGN) return false;
  if (out.handler != SIG_DFL) return true;
  if ((signalBit(number) & IGNORED_BY_DEFAULT) != 0) return false;
  if ((signalBit(number) & STOPPING_BY_DEFAULT) != 0) {
    stopProcess(process, number);
    waitIfStopped(currentLinuxThread());
    return false;
  }
  exitBySignal(number);
  return false;
}

function deliver(
  frame: TrapFrame,
  thread: LinuxThread,
  number: i32,
  info: usize,
  action: SignalAction,
): void {
  const returnMask = thread.restoreSignalMask ? thread.savedSignalMask : thread.signalMask;
  rseqBeforeSignal(frame, thread);
  if (!pushSignalFrame(frame, thread, action, info, returnMask)) {
    // The handler cannot run; Linux ends the program with SIGSEGV whatever it had arranged for it.
    exitBySignal(SIGSEGV);
  }
  thread.restoreSignalMask = false;
  let blocked = thread.signalMask | action.mask;
  if ((action.flags & SA_NODEFER) == 0) blocked |= signalBit(number);
  thread.signalMask = blocked & ~UNBLOCKABLE;
}
