/**
 * Sleeping for a time: nanosleep(2), clock_nanosleep(2), and restart_syscall(2), which continues an
 * interrupted relative sleep with its old deadline.
 *
 * A deadline is a monotonic time, or the reading of a CPU-time clock: then the thread sleeps until
 * others have used that time.
 *
 * Neighbours: `timespec.ts`, `cpu-clocks.ts`, `signal-restart.ts`.
 */
import { EINTR, EINVAL, EOPNOTSUPP, ERESTARTNOHAND } from "../lib/errno";
import { free } from "../lib/object";
import { monotonicNs } from "../sched/clock";
import { sleepUntil } from "../sched/sleep";
import { Timer, cancelTimer } from "../sched/timer";
import { ANY_EVENT, FOREVER, ThreadWaiter } from "../sched/wait";
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_TAI,
  CLOCK_THREAD_CPUTIME_ID,
} from "./clocks";
import { LinuxCpuClock, holdCpuClock, isCpuClock, isOwnThreadClock } from "./cpu-clocks";
import { currentLinuxThread } from "./process";
import { ERESTART_RESTARTBLOCK } from "./signal-restart";
import { deadlineAt, readTimespec, readingAt, timespecNs, writeTimespec } from "./timespec";

const TIMER_ABSTIME: u32 = 1;

/** nanosleep(2). */
export function sysNanosleep(request: usize, remaining: usize): i64 {
  const error = readTimespec(request);
  if (error != 0) return error;
  return doSleep(null, deadlineAt(timespecNs(), CLOCK_MONOTONIC, false), remaining);
}

/** clock_nanosleep(2). */
export function sysClockNanosleep(clock: i32, flags: u32, request: usize, remaining: usize): i64 {
  const ofCpu = isCpuClock(clock);
  if (clock == CLOCK_THREAD_CPUTIME_ID) return -EOPNOTSUPP;
  if (!ofCpu && !canSleepOn(clock)) return -EINVAL;
  const error = readTimespec(request);
  if (error != 0) return error;
  const timeNs = timespecNs();
  const isAbsolute = (flags & TIMER_ABSTIME) != 0;
  if (!ofCpu) return sleepTo(null, deadlineAt(timeNs, clock, isAbsolute), isAbsolute, remaining);
  // A thread that sleeps uses no time that it could wait for.
  if (isOwnThreadClock(clock)) return -EINVAL;
  const cpuClock = holdCpuClock(clock);
  if (!cpuClock) return -EINVAL;
  const deadlineNs = readingAt(timeNs, cpuClock.readNs(), isAbsolute);
  currentLinuxThread().restartClock = clock;
  const result = sleepTo(cpuClock, deadlineNs, isAbsolute, remaining);
  cpuClock.letGo();
  return result;
}

/** restart_syscall(2): only the way back to user mode makes a program call it. */
export function sysRestartSyscall(): i64 {
  const thread = currentLinuxThread();
  if (!thread.restartsOnCpuClock) {
    return doSleep(null, thread.restartDeadlineNs, thread.restartRemaining);
  }
  const clock = holdCpuClock(thread.restartClock);
  if (!clock) return -EINVAL;
  const result = doSleep(clock, thread.restartDeadlineNs, thread.restartRemaining);
  clock.letGo();
  return result;
}

/** @param clock the CPU-time clock that `deadlineNs` is a reading of, null: monotonic time */
function sleepTo(
  clock: LinuxCpuClock | null,
  deadlineNs: u64,
  isAbsolute: bool,
  remaining: usize,
): i64 {
  if (!isAbsolute) return doSleep(clock, deadlineNs, remaining);
  // An absolute sleep is simply repeated.
  return sleepOn(clock, deadlineNs) == -EINTR ? -ERESTARTNOHAND : 0;
}

/** Sleeps; when interrupted, tells the rest and prepares the continuation. */
function doSleep(clock: LinuxCpuClock | null, deadlineNs: u64, remaining: usize): i64 {
  if (sleepOn(clock, deadlineNs) != -EINTR) return 0;
  const now = clock ? clock.readNs() : monotonicNs();
  if (now >= deadlineNs) return 0;
  const thread = currentLinuxThread();
  thread.restartsOnCpuClock = clock != null;
  thread.restartDeadlineNs = deadlineNs;
  thread.restartRemaining = remaining;
  if (remaining != 0 && deadlineNs != FOREVER) {
    const error = writeTimespec(remaining, deadlineNs - now);
    if (error != 0) return error;
  }
  return -ERESTART_RESTARTBLOCK;
}

/** 0, or -EINTR when a signal is pending. */
function sleepOn(clock: LinuxCpuClock | null, deadlineNs: u64): i64 {
  return clock ? sleepUntilReading(clock, deadlineNs) : sleepUntil(deadlineNs, true);
}

/** Wakes who sleeps on a CPU-time clock. */
class CpuSleep extends Timer {
  constructor(private waiter: ThreadWaiter) {
    super();
  }

  expired(): void {
    this.waiter.onWake(ANY_EVENT);
  }
}

function sleepUntilReading(clock: LinuxCpuClock, deadlineNs: u64): i64 {
  const waiter = currentLinuxThread().waiter;
  waiter.reset();
  const timer = new CpuSleep(waiter);
  if (deadlineNs != FOREVER) clock.add(timer, deadlineNs);
  const result = waiter.wait(FOREVER, true);
  cancelTimer(timer);
  free(timer);
  return result;
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
