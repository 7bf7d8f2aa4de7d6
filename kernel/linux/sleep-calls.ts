/**
 * Sleeping for a time: nanosleep(2), clock_nanosleep(2), and restart_syscall(2), which continues an
 * interrupted relative sleep with its old deadline.
 *
 * Neighbours: `timespec.ts`, `signal-restart.ts`.
 */
import { EINTR, EINVAL, EOPNOTSUPP, ERESTARTNOHAND } from "../lib/errno";
import { monotonicNs } from "../sched/clock";
import { sleepUntil } from "../sched/sleep";
import { FOREVER } from "../sched/wait";
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_TAI,
} from "./clocks";
import { currentLinuxThread } from "./process";
import { ERESTART_RESTARTBLOCK } from "./signal-restart";
import { deadlineAt, readTimespec, timespecNs, writeTimespec } from "./timespec";

const TIMER_ABSTIME: u32 = 1;

/** nanosleep(2). */
export function sysNanosleep(request: usize, remaining: usize): i64 {
  const error = readTimespec(request);
  if (error != 0) return error;
  return doSleep(deadlineAt(timespecNs(), CLOCK_MONOTONIC, false), remaining);
}

/** clock_nanosleep(2). */
export function sysClockNanosleep(clock: i32, flags: u32, request: usize, remaining: usize): i64 {
  if (!canSleepOn(clock)) {
    const isCpuTime = clock == CLOCK_PROCESS_CPUTIME_ID || clock < 0;
    return isCpuTime ? -EOPNOTSUPP : -EINVAL;
  }
  const error = readTimespec(request);
  if (error != 0) return error;
  const isAbsolute = (flags & TIMER_ABSTIME) != 0;
  const deadlineNs = deadlineAt(timespecNs(), clock, isAbsolute);
  if (!isAbsolute) return doSleep(deadlineNs, remaining);
  // An absolute sleep is simply repeated.
  return sleepUntil(deadlineNs, true) == -EINTR ? -ERESTARTNOHAND : 0;
}

/** restart_syscall(2): only the way back to user mode makes a program call it. */
export function sysRestartSyscall(): i64 {
  const thread = currentLinuxThread();
  return doSleep(thread.restartDeadlineNs, thread.restartRemaining);
}

/** Sleeps; when interrupted, tells the rest and prepares the continuation. */
function doSleep(deadlineNs: u64, remaining: usize): i64 {
  if (sleepUntil(deadlineNs, true) != -EINTR) return 0;
  const now = monotonicNs();
  if (now >= deadlineNs) return 0;
  const thread = currentLinuxThread();
  thread.restartDeadlineNs = deadlineNs;
  thread.restartRemaining = remaining;
  if (remaining != 0 && deadlineNs != FOREVER) {
    const error = writeTimespec(remaining, deadlineNs - now);
    if (error != 0) return error;
  }
  return -ERESTART_RESTARTBLOCK;
}

function canSleepOn(clock: i32): bool {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
    case CLOCK_TAI:
      return true;
    default:
      return false;
  }
}
