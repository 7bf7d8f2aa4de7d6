/**
 * Stopping and continuing processes (SIGSTOP, SIGTSTP, SIGCONT), and telling their parents.
 *
 * A stopped process's threads sleep on their way back to user mode. The first process is never
 * stopped: nobody could continue it.
 *
 * Locks: `stopSignal` changes with `familyLock` and the process's `lock` held, in this order.
 *
 * Neighbours: `signal-deliver.ts` (stops), `signal-kill.ts` (continues), `wait.ts` (reports).
 */
import { interruptThread } from "../sched/switch";
import { FOREVER } from "../sched/wait";
import { JOB_CONTINUED, JOB_STOPPED, LinuxProcess, currentLinuxThread } from "./process";
import { familyLock } from "./process-table";
import { CLD_CONTINUED, CLD_STOPPED, SA_NOCLDSTOP, SIGCHLD, SIGCONT } from "./signal-numbers";
import { sendChildSignal } from "./signal-send";

/** Stops the running thread's process, as signal `number` does by default. */
export function stopProcess(process: LinuxProcess, number: i32): void {
  const parent = process.parent;
  if (!parent) return;
  familyLock.acquire();
  process.lock.acquire();
  const stops = !process.exiting;
  if (stops) {
    process.stopSignal = number;
    const self = currentLinuxThread();
    let thread = process.threads;
    while (thread) {
      if (thread != self) interruptThread(thread);
      thread = thread.nextInProcess;
    }
  }
  process.lock.release();
  if (stops) {
    process.jobNews = JOB_STOPPED;
    tellParent(process, CLD_STOPPED, number);
  }
  familyLock.release();
}

/** Sleeps as long as the running thread's process is stopped. */
export function waitWhileStopped(process: LinuxProcess): void {
  const thread = currentLinuxThread();
  process.lock.acquire();
  while (process.stopSignal != 0 && !thread.mustExit) {
    process.goOn.sleep(process.lock, FOREVER, false);
  }
  process.lock.release();
}

/** Lets a stopped process go on. Hold `familyLock`. @param tells the parent hears of it */
export function continueProcess(process: LinuxProcess, tells: bool): void {
  if (process.stopSignal == 0) return;
  process.lock.acquire();
  process.stopSignal = 0;
  process.goOn.wakeAll();
  process.lock.release();
  if (!tells) return;
  process.jobNews = JOB_CONTINUED;
  tellParent(process, CLD_CONTINUED, SIGCONT);
}

/** Hold `familyLock`. */
function tellParent(process: LinuxProcess, code: i32, status: i32): void {
  const parent = process.parent;
  if (!parent) return;
  if ((parent.signals.action(SIGCHLD).flags & SA_NOCLDSTOP) == 0) {
    sendChildSignal(parent, process, SIGCHLD, code, status);
  }
  parent.childEvents.wakeAll();
}
