/**
 * System calls that send signals: kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2),
 * rt_tgsigqueueinfo(2).
 *
 * Neighbours: `signal-send.ts`.
 */
import { EFAULT, EINVAL, ESRCH } from "../lib/errno";
import { LinuxProcess, currentProcess } from "./process";
import { SIGNAL_MAX, SI_TKILL, SI_USER } from "./signal-numbers";
import { sendToProcess, sendToThread } from "./signal-send";
import { SIGINFO_BYTES, SignalInfo } from "./signal-state";
import { LinuxThread } from "./thread";
import { copyIn, scratch } from "./user-memory";

/** kill(2). The only process is its own group and everybody. */
export function sysKill(pid: i32, signal: i32): i64 {
  const process = currentProcess();
  if (!isSignal(signal)) return -EINVAL;
  const isMeant = pid == process.id || pid == 0 || (pid < -1 && -pid == process.groupId);
  if (!isMeant) return -ESRCH;
  if (signal == 0) return 0;
  return sendToProcess(process, senderInfo(process, signal, SI_USER));
}

/** tkill(2). */
export function sysTkill(tid: i32, signal: i32): i64 {
  if (tid <= 0) return -EINVAL;
  return killThread(tid, signal);
}

/** tgkill(2). */
export function sysTgkill(pid: i32, tid: i32, signal: i32): i64 {
  if (pid <= 0 || tid <= 0) return -EINVAL;
  if (pid != currentProcess().id) return -ESRCH;
  return killThread(tid, signal);
}

function killThread(tid: i32, signal: i32): i64 {
  if (!isSignal(signal)) return -EINVAL;
  const process = currentProcess();
  const thread = threadOf(process, tid);
  if (thread == null) return -ESRCH;
  if (signal == 0) return 0;
  return sendToThread(thread, senderInfo(process, signal, SI_TKILL));
}

/** rt_sigqueueinfo(2). */
export function sysRtSigqueueinfo(pid: i32, signal: i32, info: usize): i64 {
  const error = takeInfo(info, signal);
  if (error != 0) return error;
  const process = currentProcess();
  if (pid != process.id) return -ESRCH;
  if (!isSignal(signal)) return -EINVAL;
  return signal == 0 ? 0 : sendToProcess(process, scratch());
}

/** rt_tgsigqueueinfo(2). */
export function sysRtTgsigqueueinfo(pid: i32, tid: i32, signal: i32, info: usize): i64 {
  if (pid <= 0 || tid <= 0) return -EINVAL;
  const error = takeInfo(info, signal);
  if (error != 0) return error;
  const process = currentProcess();
  if (pid != process.id) return -ESRCH;
  if (!isSignal(signal)) return -EINVAL;
  const thread = threadOf(process, tid);
  if (thread == null) return -ESRCH;
  return signal == 0 ? 0 : sendToThread(thread, scratch());
}

/**
 * Copies the caller's siginfo_t to scratch memory. A process may say anything about the sender in a
 * signal to itself, and there is nobody else to send to.
 */
function takeInfo(info: usize, signal: i32): i64 {
  if (copyIn(scratch(), info, SIGINFO_BYTES) != 0) return -EFAULT;
  changetype<SignalInfo>(scratch()).signo = signal;
  return 0;
}

function isSignal(number: i32): bool {
  return number >= 0 && number <= SIGNAL_MAX;
}

/**
 * The thread with this id, or null. It cannot vanish before the caller uses it: threads of the one
 * process are only freed by a switch of threads, and the callers do not sleep in between.
 */
function threadOf(process: LinuxProcess, tid: i32): LinuxThread | null {
  process.lock.acquire();
  const thread = process.findThread(tid);
  process.lock.release();
  return thread;
}

/** A siginfo_t with the sender's process and user, in scratch memory. */
function senderInfo(process: LinuxProcess, signal: i32, code: i32): usize {
  const buffer = scratch();
  memory.fill(buffer, 0, SIGINFO_BYTES);
  const info = changetype<SignalInfo>(buffer);
  info.signo = signal;
  info.code = code;
  info.first = <u64>(<u32>process.id) | ((<u64>process.credentials.realUser) << 32);
  return buffer;
}
