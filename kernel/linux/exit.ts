/**
 * The end of threads and of the program (exit(2), exit_group(2), fatal signals).
 *
 * A thread that ends gives back what the ABI promises (robust futexes, the thread id address). With
 * the last thread its process ends. The machine exists for the first process: when that ends, its
 * status goes to the host and the machine off, whatever other processes do.
 *
 * Neighbours: `machine-end.ts` (report and power off), `process-end.ts` (other processes), `futex.ts`, `signal-deliver.ts`.
 */
import { exitThread, interruptThread } from "../sched/switch";
import { FOREVER } from "../sched/wait";
import { clearChildTid, releaseRobustFutexes } from "./futex-exit";
import { leavePiFutexes } from "./futex-pi";
import { endMachine } from "./machine-end";
import { LinuxProcess, currentLinuxThread, currentProcess } from "./process";
import { finishProcess } from "./process-end";

/** Number of the process that the machine runs for. */
const FIRST_PROCESS: i32 = 1;

/** exit(2): ends the running thread; with the last one the process ends. Never returns. */
export function sysExit(status: i32): i64 {
  endThread((status & 0xff) << 8);
  return 0;
}

/** exit_group(2): ends all threads of the process. Never returns. */
export function sysExitGroup(status: i32): i64 {
  endProcess((status & 0xff) << 8);
  return 0;
}

/** Ends the process as signal `number` does by default. Never returns. */
export function exitBySignal(number: i32): void {
  endProcess(number);
}

/** Ends the running thread because another one ended the process or called execve. */
export function exitByKernel(): void {
  endThread(currentProcess().exitStatus);
}

/** Tells every other thread of the process to end. */
export function killOtherThreads(process: LinuxProcess): void {
  const self = currentLinuxThread();
  process.lock.acquire();
  let thread = process.threads;
  while (thread) {
    if (thread != self) {
      thread.mustExit = true;
      interruptThread(thread);
    }
    thread = thread.nextInProcess;
  }
  process.goOn.wakeAll();
  process.lock.release();
}

/** Ends the process's other threads and waits until they are gone (execve(2)). */
export function becomeOnlyThread(process: LinuxProcess): void {
  const thread = currentLinuxThread();
  if (process.threadCount == 1) return;
  killOtherThreads(process);
  process.lock.acquire();
  while (process.threadCount > 1 && !thread.mustExit) {
    process.threadGone.sleep(process.lock, FOREVER, false);
  }
  process.lock.release();
  if (thread.mustExit) exitByKernel(); // another thread was quicker
}

/** @param status wait4(2) status word */
function endProcess(status: i32): void {
  const process = currentProcess();
  process.lock.acquire();
  const first = !process.exiting;
  if (first) {
    process.exiting = true;
    process.exitStatus = status;
  }
  process.lock.release();
  if (first) {
    killOtherThreads(process); // from here on none of them runs application code
    // The machine goes with its program; there is nobody left to give memory back to.
    if (process.id == FIRST_PROCESS) endMachine(process);
  }
  endThread(status);
}

function endThread(status: i32): void {
  const thread = currentLinuxThread();
  const process = currentProcess();
  releaseRobustFutexes(thread);
  clearChildTid(thread);
  // Without exit_group the status of the process is that of its first thread.
  if (thread.id == process.id && !process.exiting) process.exitStatus = status;
  const wasExiting = process.exiting;
  const left = process.removeThread(thread);
  leavePiFutexes(thread); // nobody finds the thread any more
  if (left == 0) {
    process.exiting = true;
    // If it ended by exit_group, the thread that called it ends the machine.
    if (process.id != FIRST_PROCESS) finishProcess(process);
    else if (!wasExiting) endMachine(process);
  }
  exitThread();
}
