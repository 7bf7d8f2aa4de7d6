/**
 * System calls that send signals: kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2),
 * rt_tgsigqueueinfo(2).
 *
 * Neighbours: `signal-send.ts`.
 */
import { EFAULT, EINVAL, EPERM, ESRCH } from "../lib/errno";
import { LinuxProcess, currentProcess } from "./process";
import { familyLock, findProcess, nextProcess } from "./process-table";
import { continueProcess } from "./job-control";
import { SIGCONT, SIGKILL, SIGNAL_MAX, SI_TKILL, SI_USER } from "./signal-numbers";
import { sendToProcess, sendToThreadOf } from "./signal-send";
import { SIGINFO_BYTES, SignalInfo } from "./signal-state";
import { copyIn, scratch } from "./user-memory";

/** kill(2): a process, a group (0: the caller's own, negative: that one), or all others (-1). */
export function sysKill(pid: i32, signal: i32): i64 {
  if (!isSignal(signal)) return -EINVAL;
  if (pid == i32.MIN_VALUE) return -ESRCH;
  const self = currentProcess();
  const info = senderInfo(self, signal, SI_USER);
  if (pid == self.id) return signal == 0 ? 0 : sendToProcess(self, info);
  familyLock.acquire();
  let result: i64 = -ESRCH;
  if (pid > 0) {
    const process = findProcess(pid);
    if (process) result = deliverTo(process, signal, info);
  } else {
    const group = pid == 0 ? self.groupId : -pid;
    let process = nextProcess(null);
    while (process) {
      // "All" leaves out the first process and the caller, as on Linux.
      const isMeant = pid == -1 ? process.id > 1 && process != self : process.groupId == group;
      if (isMeant && !(process.isZombie && pid == -1)) {
        deliverTo(process, signal, info);
        result = 0;
      }
      process = nextProcess(process);
    }
  }
  familyLock.release();
  return result;
}

/** Sends a signal to a process, which it may continue; 0 only asks. Hold `familyLock`. */
export function deliverTo(process: LinuxProcess, signal: i32, info: usize): i64 {
  if (signal == 0) return 0;
  if (signal == SIGCONT || signal == SIGKILL) continueProcess(process, signal == SIGCONT);
  return sendToProcess(process, info);
}

/** tkill(2). */
export function sysTkill(tid: i32, signal: i32): i64 {
  if (tid <= 0) return -EINVAL;
  return killThread(0, tid, signal);
}

/** tgkill(2). */
export function sysTgkill(pid: i32, tid: i32, signal: i32): i64 {
  if (pid <= 0 || tid <= 0) return -EINVAL;
  return killThread(pid, tid, signal);
}

/** @param pid the process the thread must belong to, 0 = any */
function killThread(pid: i32, tid: i32, signal: i32): i64 {
  if (!isSignal(signal)) return -EINVAL;
  return sendToThreadId(pid, tid, signal, senderInfo(currentProcess(), signal, SI_TKILL));
}

/** Sends a signal to a thread by its number; 0, -ESRCH or -EAGAIN. */
function sendToThreadId(pid: i32, tid: i32, signal: i32, info: usize): i64 {
  const self = currentProcess();
  let result: i64 = -ESRCH;
  familyLock.acquire();
  let process: LinuxProcess | null = pid == 0 || pid == self.id ? self : findProcess(pid);
  if (process && !processHasThread(process, tid)) process = null;
  if (!process && pid == 0) {
    process = nextProcess(null);
    while (process && !processHasThread(process, tid)) process = nextProcess(process);
  }
  if (process) {
    result = processHasThread(process, tid) ? 0 : -ESRCH;
    if (result == 0 && (signal == SIGCONT || signal == SIGKILL)) {
      continueProcess(process, signal == SIGCONT);
    }
    if (result == 0 && signal != 0) result = sendToThreadOf(process, tid, info);
  }
  familyLock.release();
  return result;
}

function processHasThread(process: LinuxProcess, tid: i32): bool {
  process.lock.acquire();
  const exists = process.findThread(tid) != null;
  process.lock.release();
  return exists;
}

/** rt_sigqueueinfo(2). */
export function sysRtSigqueueinfo(pid: i32, signal: i32, info: usize): i64 {
  const error = takeInfo(info, signal, pid);
  if (error != 0) return error;
  if (!isSignal(signal)) return -EINVAL;
  familyLock.acquire();
  const process = findProcess(pid);
  let result: i64 = process ? 0 : -ESRCH;
  if (process) result = deliverTo(process, signal, scratch());
  familyLock.release();
  return result;
}

/** rt_tgsigqueueinfo(2). */
export function sysRtTgsigqueueinfo(pid: i32, tid: i32, signal: i32, info: usize): i64 {
  if (pid <= 0 || tid <= 0) return -EINVAL;
  const error = takeInfo(info, signal, pid);
  if (error != 0) return error;
  if (!isSignal(signal)) return -EINVAL;
  return sendToThreadId(pid, tid, signal, scratch());
}

/**
 * Copies the caller's siginfo_t to scratch memory. A process may say anything about the sender in a
 * signal to itself, but to others only what no kernel and no kill(2) says.
 */
function takeInfo(info: usize, signal: i32, pid: i32): i64 {
  if (copyIn(scratch(), info, SIGINFO_BYTES) != 0) return -EFAULT;
  const code = changetype<SignalInfo>(scratch()).code;
  if ((code >= 0 || code == SI_TKILL) && pid != currentProcess().id) return -EPERM;
  changetype<SignalInfo>(scratch()).signo = signal;
  return 0;
}

function isSignal(number: i32): bool {
  return number >= 0 && number <= SIGNAL_MAX;
}

/** A siginfo_t with the sender's process and user, in scratch memory. */
export function senderInfo(process: LinuxProcess, signal: i32, code: i32): usize {
  const buffer = scratch();
  memory.fill(buffer, 0, SIGINFO_BYTES);
  const info = changetype<SignalInfo>(buffer);
  info.signo = signal;
  info.code = code;
  info.first = <u64>(<u32>process.id) | ((<u64>process.credentials.realUser) << 32);
  return buffer;
}
