/**
 * getrlimit(2), setrlimit(2), prlimit(2), getrusage(2).
 *
 * Neighbours: `limits.ts`, `cpu-time.ts`.
 */
import { EFAULT, EINVAL, EPERM, ESRCH } from "../lib/errno";
import { watchCpuLimit } from "./cpu-limit";
import { processCpuNs, threadCpuNs } from "./cpu-time";
import { FD_MAXIMUM } from "./fd-table";
import { RLIMIT_COUNT, RLIMIT_CPU, RLIMIT_NOFILE } from "./limits";
import { CAP_SYS_RESOURCE } from "./credentials";
import { currentLinuxThread, currentProcess } from "./process";
import { putTimeval } from "./timespec";
import { copyIn, copyOut, scratch } from "./user-memory";

const RLIMIT_BYTES: usize = 16;
const RUSAGE_SELF: i32 = 0;
const RUSAGE_CHILDREN: i32 = -1;
const RUSAGE_THREAD: i32 = 1;
export const RUSAGE_BYTES: usize = 144;

/** getrlimit(2). */
export function sysGetrlimit(resource: u32, limit: usize): i64 {
  return resource >= RLIMIT_COUNT ? -EINVAL : writeLimit(resource, limit);
}

/** setrlimit(2). */
export function sysSetrlimit(resource: u32, limit: usize): i64 {
  return resource >= RLIMIT_COUNT ? -EINVAL : readLimit(resource, limit);
}

/** prlimit(2), for the process itself. */
export function sysPrlimit64(pid: i32, resource: u32, newLimit: usize, oldLimit: usize): i64 {
  if (resource >= RLIMIT_COUNT) return -EINVAL;
  if (pid != 0 && pid != currentProcess().id) return -ESRCH;
  // The old value is told even if it shares its place with the new one, so keep it first.
  const limits = currentProcess().limits;
  const soft = limits.softLimit(resource);
  const hard = limits.hardLimit(resource);
  const error = newLimit == 0 ? 0 : readLimit(resource, newLimit);
  if (error != 0 || oldLimit == 0) return error;
  return writePair(oldLimit, soft, hard);
}

function writeLimit(resource: u32, target: usize): i64 {
  const limits = currentProcess().limits;
  return writePair(target, limits.softLimit(resource), limits.hardLimit(resource));
}

function writePair(target: usize, soft: u64, hard: u64): i64 {
  store<u64>(scratch(), soft);
  store<u64>(scratch() + 8, hard);
  return copyOut(target, scratch(), RLIMIT_BYTES);
}

function readLimit(resource: u32, source: usize): i64 {
  if (copyIn(scratch(), source, RLIMIT_BYTES) != 0) return -EFAULT;
  const soft = load<u64>(scratch());
  const hard = load<u64>(scratch() + 8);
  if (soft > hard) return -EINVAL;
  if (resource == RLIMIT_NOFILE && hard > FD_MAXIMUM) return -EPERM;
  const process = currentProcess();
  const isRaised = hard > process.limits.hardLimit(resource);
  if (isRaised && !process.credentials.may(CAP_SYS_RESOURCE)) return -EPERM;
  process.limits.set(resource, soft, hard);
  if (resource == RLIMIT_CPU) watchCpuLimit(process);
  return 0;
}

/** getrusage(2): CPU time, peak memory, switches; page faults are not counted. */
export function sysGetrusage(who: i32, usage: usize): i64 {
  const process = currentProcess();
  const thread = currentLinuxThread();
  let cpuNs: u64 = 0;
  if (who == RUSAGE_SELF) cpuNs = processCpuNs(process);
  else if (who == RUSAGE_THREAD) cpuNs = threadCpuNs(thread);
  else if (who == RUSAGE_CHILDREN) cpuNs = process.childrenNs;
  else return -EINVAL;
  const buffer = scratch();
  const ofChildren = who == RUSAGE_CHILDREN;
  const peak = ofChildren ? process.childrenPeakPages : process.addressSpace.peakResidentPages();
  writeUsage(buffer, cpuNs, peak);
  if (!ofChildren) {
    store<u64>(buffer + 128, thread.sleeps);
    store<u64>(buffer + 136, thread.preemptions);
  }
  return copyOut(usage, buffer, RUSAGE_BYTES);
}

/** Fills a struct rusage with CPU time and the largest resident set. */
export function writeUsage(buffer: usize, cpuNs: u64, peakPages: u64): void {
  memory.fill(buffer, 0, RUSAGE_BYTES);
  putTimeval(buffer, cpuNs);
  store<u64>(buffer + 32, peakPages * 4); // KiB
}
