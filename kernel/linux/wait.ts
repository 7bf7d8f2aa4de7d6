/**
 * Waiting for children: wait4(2), waitid(2).
 *
 * Neighbours: `process-table.ts` (`familyLock` guards what is looked at), `process-end.ts`, `pidfd.ts`.
 */
import { EBADF, ECHILD, EFAULT, EINTR, EINVAL, ESRCH } from "../lib/errno";
import { free } from "../lib/object";
import { FOREVER } from "../sched/wait";
import { processCpuNs } from "./cpu-time";
import { RUSAGE_BYTES, writeUsage } from "./limit-calls";
import { holdPidFd } from "./pidfd";
import { JOB_CONTINUED, JOB_NO_NEWS, JOB_STOPPED, LinuxProcess, currentProcess } from "./process";
import { addChildUsage, removeZombie } from "./process-end";
import { familyLock } from "./process-table";
import {
  CLD_CONTINUED,
  CLD_EXITED,
  CLD_KILLED,
  CLD_STOPPED,
  SIGCHLD,
  SIGCONT,
} from "./signal-numbers";
import { SIGINFO_BYTES, SignalInfo } from "./signal-state";
import { copyOut, scratch, store32 } from "./user-memory";

const WNOHANG: u32 = 1;
const WUNTRACED: u32 = 2;
const WEXITED: u32 = 4;
const WCONTINUED: u32 = 8;
const WNOWAIT: u32 = 0x0100_0000;
const WNOTHREAD: u32 = 0x2000_0000;
const WALL: u32 = 0x4000_0000;
const WCLONE: u32 = 0x8000_0000;
const WAIT4_OPTIONS: u32 = WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE;
const WAITID_OPTIONS: u32 = WAIT4_OPTIONS | WEXITED | WNOWAIT;

/** Which children are meant (waitid(2)). */
const P_ALL: i32 = 0;
const P_PID: i32 = 1;
const P_PGID: i32 = 2;
const P_PIDFD: i32 = 3;

/** Status words of wait4(2) for children that live. */
const STATUS_STOPPED: i32 = 0x7f;
const STATUS_CONTINUED: i32 = 0xffff;

/** What is waited for, and what was found. */
class ChildWait {
  kind: i32 = P_ALL;
  id: i32 = 0;
  options: u32 = 0;
  /** The found child: number, user, code (CLD_*), status as in siginfo, wait4's status word. */
  pid: i32 = 0;
  user: u32 = 0;
  code: i32 = 0;
  status: i32 = 0;
  word: i32 = 0;
  cpuNs: u64 = 0;
  peakPages: u64 = 0;
}

/** wait4(2): `pid` > 0 that child, 0 the caller's group, -1 any, < -1 that group. */
export function sysWait4(pid: i32, status: usize, options: u32, usage: usize): i64 {
  if ((options & ~WAIT4_OPTIONS) != 0) return -EINVAL;
  if (pid == i32.MIN_VALUE) return -ESRCH;
  const wait = new ChildWait();
  wait.options = options | WEXITED;
  if (pid > 0) wait.kind = P_PID;
  else if (pid != -1) wait.kind = P_PGID;
  wait.id = pid > 0 ? pid : pid == 0 ? currentProcess().groupId : -pid;
  let result = awaitChild(wait);
  if (result > 0) {
    if (status != 0 && store32(status, <u32>wait.word) != 0) result = -EFAULT;
    else if (usage != 0 && copyUsage(wait, usage) != 0) result = -EFAULT;
  }
  free(wait);
  return result;
}

/** waitid(2). */
export function sysWaitid(kind: i32, id: i32, info: usize, options: u32, usage: usize): i64 {
  if ((options & ~WAITID_OPTIONS) != 0) return -EINVAL;
  if ((options & (WEXITED | WUNTRACED | WCONTINUED)) == 0) return -EINVAL;
  if (kind < P_ALL || kind > P_PIDFD || (kind == P_PID && id <= 0)) return -EINVAL;
  const wait = new ChildWait();
  wait.options = options;
  wait.kind = kind;
  wait.id = kind == P_PGID && id == 0 ? currentProcess().groupId : id;
  let error: i64 = 0;
  if (kind == P_PIDFD) {
    const held = holdPidFd(id);
    if (held == 0) error = -EBADF;
    else {
      const process = changetype<LinuxProcess>(held);
      wait.kind = P_PID;
      wait.id = process.id;
      process.letGo();
    }
  }
  let result = error != 0 ? error : awaitChild(wait);
  if (result >= 0) {
    const wasFound = result > 0;
    result = 0;
    if (wasFound && usage != 0 && copyUsage(wait, usage) != 0) result = -EFAULT;
    if (info != 0 && copyInfo(wait, info) != 0) result = -EFAULT;
  }
  free(wait);
  return result;
}

/** Waits as told; the child's number, 0 with WNOHANG, -ECHILD or -EINTR. */
function awaitChild(wait: ChildWait): i64 {
  const parent = currentProcess();
  let result: i64 = 0;
  let isInterrupted = false;
  familyLock.acquire();
  while (true) {
    result = lookAround(parent, wait);
    if (result != 0 || (wait.options & WNOHANG) != 0) break;
    if (isInterrupted) {
      result = -EINTR;
      break;
    }
    // Once more after an interruption: the signal may be that of the child waited for.
    isInterrupted = parent.childEvents.sleep(familyLock, FOREVER, true) == -EINTR;
  }
  familyLock.release();
  return result;
}

/** The number of a child with news, 0 if there is none yet, -ECHILD. Hold `familyLock`. */
function lookAround(parent: LinuxProcess, wait: ChildWait): i64 {
  let result: i64 = -ECHILD;
  let child = parent.children.first;
  while (child) {
    if (isMeant(child, wait)) {
      result = 0;
      if (hasNews(child, wait)) return take(parent, child, wait);
    }
    child = parent.children.next(child);
  }
  return result;
}

function isMeant(child: LinuxProcess, wait: ChildWait): bool {
  if (wait.kind == P_PID && child.id != wait.id) return false;
  if (wait.kind == P_PGID && child.groupId != wait.id) return false;
  if ((wait.options & WALL) != 0) return true;
  return (child.exitSignal != SIGCHLD) == ((wait.options & WCLONE) != 0);
}

function hasNews(child: LinuxProcess, wait: ChildWait): bool {
  if (child.isZombie) return (wait.options & WEXITED) != 0;
  if (child.jobNews == JOB_STOPPED) return (wait.options & WUNTRACED) != 0;
  return child.jobNews == JOB_CONTINUED && (wait.options & WCONTINUED) != 0;
}

function take(parent: LinuxProcess, child: LinuxProcess, wait: ChildWait): i64 {
  const stays = (wait.options & WNOWAIT) != 0;
  wait.pid = child.id;
  wait.user = child.credentials.realUser;
  wait.cpuNs = processCpuNs(child) + child.childrenNs;
  wait.peakPages = max(child.peakPages, child.childrenPeakPages);
  if (child.isZombie) {
    wait.word = child.exitStatus;
    const signal = child.exitStatus & 0x7f;
    wait.code = signal != 0 ? CLD_KILLED : CLD_EXITED;
    wait.status = signal != 0 ? signal : (child.exitStatus >> 8) & 0xff;
    if (!stays) {
      addChildUsage(parent, child);
      removeZombie(child);
    }
  } else {
    const isStopped = child.jobNews == JOB_STOPPED;
    wait.word = isStopped ? (child.stopSignal << 8) | STATUS_STOPPED : STATUS_CONTINUED;
    wait.code = isStopped ? CLD_STOPPED : CLD_CONTINUED;
    wait.status = isStopped ? child.stopSignal : SIGCONT;
    if (!stays) child.jobNews = JOB_NO_NEWS;
  }
  return wait.pid;
}

function copyUsage(wait: ChildWait, usage: usize): i64 {
  const buffer = scratch();
  writeUsage(buffer, wait.cpuNs, wait.peakPages);
  return copyOut(usage, buffer, RUSAGE_BYTES);
}

/** siginfo_t of the found child; all zero if none was found. */
function copyInfo(wait: ChildWait, target: usize): i64 {
  const buffer = scratch();
  memory.fill(buffer, 0, SIGINFO_BYTES);
  if (wait.pid != 0) {
    const info = changetype<SignalInfo>(buffer);
    info.signo = SIGCHLD;
    info.code = wait.code;
    info.first = <u64>(<u32>wait.pid) | ((<u64>wait.user) << 32);
    info.second = <u64>(<u32>wait.status);
  }
  return copyOut(target, buffer, SIGINFO_BYTES);
}
