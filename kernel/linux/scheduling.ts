/**
 * Scheduling as programs ask for it: CPU affinity, policies, priorities. The kernel has one policy;
 * what a program sets is kept and reported back.
 *
 * Neighbours: `sched/switch` (yieldNow).
 */
import { cpuId } from "../arch/cpu";
import { EFAULT, EINVAL, ESRCH } from "../lib/errno";
import { onlineCpus } from "../sched/run-queue";
import { setAffinity, yieldNow } from "../sched/switch";
import { currentLinuxThread, currentProcess } from "./process";
import { LinuxThread } from "./thread";
import { copyIn, copyOut, scratch, store32, zeroOut } from "./user-memory";
import { writeTimespec } from "./timespec";

const AFFINITY_BYTES: usize = 8;

const SCHED_OTHER: i32 = 0;
const SCHED_FIFO: i32 = 1;
const SCHED_RR: i32 = 2;
const SCHED_BATCH: i32 = 3;
const SCHED_IDLE: i32 = 5;
const SCHED_RESET_ON_FORK: i32 = 0x40000000;
const REALTIME_PRIORITY_MAX: i32 = 99;
const ROUND_ROBIN_NS: u64 = 4_000_000;
const SCHED_ATTR_BYTES: usize = 48;

const PRIO_PROCESS: i32 = 0;
const PRIO_USER: i32 = 2;
const NICE_MIN: i32 = -20;
const NICE_MAX: i32 = 19;

/**
 * The thread that a scheduling call is about (0: the caller), or null. It cannot end before
 * `unlockThread`, which is called in both cases; do not sleep meanwhile.
 */
function lockThread(id: i32): LinuxThread | null {
  const process = currentProcess();
  process.lock.acquire();
  return id == 0 ? currentLinuxThread() : process.findThread(id);
}

function unlockThread(): void {
  currentProcess().lock.release();
}

/** sched_yield(2). */
export function sysSchedYield(): i64 {
  yieldNow();
  return 0;
}

/** sched_getaffinity(2): returns how many bytes of the mask were written. */
export function sysSchedGetaffinity(id: i32, bytes: u32, mask: usize): i64 {
  if ((bytes & 7) != 0 || bytes * 8 < onlineCpus()) return -EINVAL;
  if (id < 0) return -ESRCH;
  const thread = lockThread(id);
  if (thread) store<u64>(scratch(), thread.affinity & existingCpus());
  unlockThread();
  if (!thread) return -ESRCH;
  return copyOut(mask, scratch(), AFFINITY_BYTES) != 0 ? -EFAULT : AFFINITY_BYTES;
}

/** sched_setaffinity(2): the mask must contain a CPU that exists. */
export function sysSchedSetaffinity(id: i32, bytes: u32, mask: usize): i64 {
  if (id < 0) return -ESRCH;
  store<u64>(scratch(), 0);
  if (copyIn(scratch(), mask, min<usize>(bytes, AFFINITY_BYTES)) != 0) return -EFAULT;
  const wanted = load<u64>(scratch()) & existingCpus();
  if (wanted == 0) return -EINVAL;
  const self = currentLinuxThread();
  if (id == 0 || id == self.id) {
    setAffinity(self, wanted); // may move to another CPU: with no lock held
    return 0;
  }
  const thread = lockThread(id);
  if (thread) setAffinity(thread, wanted);
  unlockThread();
  return thread ? 0 : -ESRCH;
}

/** The CPUs of this machine as a mask. */
function existingCpus(): u64 {
  return onlineCpus() == 64 ? u64.MAX_VALUE : ((<u64>1) << onlineCpus()) - 1;
}

/** getcpu(2). */
export function sysGetcpu(cpu: usize, node: usize, _unused: usize): i64 {
  if (cpu != 0 && store32(cpu, cpuId()) != 0) return -EFAULT;
  return node != 0 ? store32(node, 0) : 0;
}

/** sched_getscheduler(2). */
export function sysSchedGetscheduler(id: i32): i64 {
  if (id < 0) return -EINVAL;
  const thread = lockThread(id);
  const result: i64 = thread ? thread.policy : -ESRCH;
  unlockThread();
  return result;
}

/** sched_setscheduler(2). */
export function sysSchedSetscheduler(id: i32, policy: i32, parameter: usize): i64 {
  if (id < 0) return -EINVAL;
  if (copyIn(scratch(), parameter, 4) != 0) return -EFAULT;
  const priority = load<i32>(scratch());
  const plain = policy & ~SCHED_RESET_ON_FORK;
  if (!isPolicy(plain) || !isPriority(plain, priority)) return -EINVAL;
  const thread = lockThread(id);
  if (thread) {
    thread.policy = plain;
    thread.priority = priority;
  }
  unlockThread();
  return thread ? 0 : -ESRCH;
}

/** sched_getparam(2). */
export function sysSchedGetparam(id: i32, parameter: usize): i64 {
  if (id < 0 || parameter == 0) return -EINVAL;
  const thread = lockThread(id);
  const priority = thread ? thread.priority : 0;
  unlockThread();
  return thread ? store32(parameter, priority) : -ESRCH;
}

/** sched_setparam(2). */
export function sysSchedSetparam(id: i32, parameter: usize): i64 {
  if (id < 0 || parameter == 0) return -EINVAL;
  if (copyIn(scratch(), parameter, 4) != 0) return -EFAULT;
  const priority = load<i32>(scratch());
  const thread = lockThread(id);
  let result: i64 = -ESRCH;
  if (thread) {
    result = isPriority(thread.policy, priority) ? 0 : -EINVAL;
    if (result == 0) thread.priority = priority;
  }
  unlockThread();
  return result;
}

/** sched_get_priority_max(2). */
export function sysSchedGetPriorityMax(policy: i32): i64 {
  if (policy == SCHED_FIFO || policy == SCHED_RR) return REALTIME_PRIORITY_MAX;
  return isPolicy(policy) ? 0 : -EINVAL;
}

/** sched_get_priority_min(2). */
export function sysSchedGetPriorityMin(policy: i32): i64 {
  if (policy == SCHED_FIFO || policy == SCHED_RR) return 1;
  return isPolicy(policy) ? 0 : -EINVAL;
}

/** sched_rr_get_interval(2). */
export function sysSchedRrGetInterval(id: i32, interval: usize): i64 {
  if (id < 0) return -EINVAL;
  const exists = lockThread(id) != null;
  unlockThread();
  return exists ? writeTimespec(interval, ROUND_ROBIN_NS) : -ESRCH;
}

/** sched_getattr(2): struct sched_attr: size, policy u32, flags u64, nice i32, priority u32 … */
export function sysSchedGetattr(id: i32, attributes: usize, bytes: u32, flags: u32): i64 {
  if (id < 0 || flags != 0 || bytes < SCHED_ATTR_BYTES) return -EINVAL;
  const buffer = scratch();
  memory.fill(buffer, 0, SCHED_ATTR_BYTES);
  store<u32>(buffer, <u32>SCHED_ATTR_BYTES);
  const thread = lockThread(id);
  if (thread) {
    store<i32>(buffer + 4, thread.policy);
    store<i32>(buffer + 16, thread.nice);
    store<i32>(buffer + 20, thread.priority);
  }
  unlockThread();
  if (!thread) return -ESRCH;
  if (bytes > SCHED_ATTR_BYTES && zeroOut(attributes, bytes) != 0) return -EFAULT;
  return copyOut(attributes, buffer, SCHED_ATTR_BYTES);
}

/** sched_setattr(2). */
export function sysSchedSetattr(id: i32, attributes: usize, flags: u32): i64 {
  if (id < 0 || flags != 0) return -EINVAL;
  const buffer = scratch();
  if (copyIn(buffer, attributes, SCHED_ATTR_BYTES) != 0) return -EFAULT;
  const policy = load<i32>(buffer + 4);
  const nice = load<i32>(buffer + 16);
  const priority = load<i32>(buffer + 20);
  if (!isPolicy(policy) || !isPriority(policy, priority)) return -EINVAL;
  if (nice < NICE_MIN || nice > NICE_MAX) return -EINVAL;
  const thread = lockThread(id);
  if (thread) {
    thread.policy = policy;
    thread.nice = nice;
    thread.priority = priority;
  }
  unlockThread();
  return thread ? 0 : -ESRCH;
}

/** getpriority(2): the system call returns 20 - nice, so that the result is never negative. */
export function sysGetpriority(which: i32, id: i32): i64 {
  if (which < PRIO_PROCESS || which > PRIO_USER) return -EINVAL;
  const thread = lockThread(which == PRIO_PROCESS ? id : 0);
  const result: i64 = thread ? 20 - thread.nice : -ESRCH;
  unlockThread();
  return result;
}

/** setpriority(2). */
export function sysSetpriority(which: i32, id: i32, nice: i32): i64 {
  if (which < PRIO_PROCESS || which > PRIO_USER) return -EINVAL;
  const thread = lockThread(which == PRIO_PROCESS ? id : 0);
  if (thread) thread.nice = max(NICE_MIN, min(NICE_MAX, nice));
  unlockThread();
  return thread ? 0 : -ESRCH;
}

function isPolicy(policy: i32): bool {
  switch (policy) {
    case SCHED_OTHER:
    case SCHED_FIFO:
    case SCHED_RR:
    case SCHED_BATCH:
    case SCHED_IDLE:
      return true;
    default:
      return false;
  }
}

function isPriority(policy: i32, priority: i32): bool {
  const isRealtime = policy == SCHED_FIFO || policy == SCHED_RR;
  return isRealtime ? priority >= 1 && priority <= REALTIME_PRIORITY_MAX : priority == 0;
}
