/**
 * struct timespec and struct timeval of the application, and the deadlines made of them.
 *
 * A value read by `readTimespec` is kept in the thread until the next user-memory access, so that
 * no memory has to be allocated for it: take it at once by `timespecNs` or `deadlineFrom`.
 *
 * Neighbours: `clocks.ts`.
 */
import { EINVAL } from "../lib/errno";
import { monotonicNs, realtimeNs } from "../sched/clock";
import { FOREVER } from "../sched/wait";
import { copyIn, copyOut, scratch } from "./user-memory";

export const NS_PER_SECOND: u64 = 1_000_000_000;
const NS_PER_MICROSECOND: u64 = 1000;
/** Times from here on count as never: 292 years in nanoseconds, the range of i64. */
const SECONDS_LIMIT: i64 = 9_223_372_036;

const CLOCK_REALTIME: i32 = 0;
const CLOCK_REALTIME_ALARM: i32 = 8;
const CLOCK_TAI: i32 = 11;

/** Reads a struct timespec; 0, -EFAULT, or -EINVAL if it is negative or not normalised. */
export function readTimespec(address: usize): i64 {
  const buffer = scratch();
  const error = copyIn(buffer, address, 16);
  if (error != 0) return error;
  return checkSpan(load<i64>(buffer), load<i64>(buffer + 8));
}

/** Reads a struct timeval and keeps it as a timespec; 0, -EFAULT or -EINVAL. */
export function readTimeval(address: usize): i64 {
  const buffer = scratch();
  const error = copyIn(buffer, address, 16);
  if (error != 0) return error;
  const microseconds = load<i64>(buffer + 8);
  if (microseconds < 0 || microseconds >= 1_000_000) return -EINVAL;
  store<i64>(buffer + 8, microseconds * <i64>NS_PER_MICROSECOND);
  return checkSpan(load<i64>(buffer), load<i64>(buffer + 8));
}

function checkSpan(seconds: i64, nanoseconds: i64): i64 {
  if (seconds < 0 || nanoseconds < 0 || nanoseconds >= <i64>NS_PER_SECOND) return -EINVAL;
  return 0;
}

/** The time read last, in nanoseconds; FOREVER if it does not fit. */
export function timespecNs(): u64 {
  const buffer = scratch();
  const seconds = load<i64>(buffer);
  if (seconds >= SECONDS_LIMIT) return FOREVER;
  return <u64>seconds * NS_PER_SECOND + load<u64>(buffer + 8);
}

/**
 * The time read last as a monotonic deadline.
 * @param clock CLOCK_* that an absolute time refers to
 */
export function deadlineFrom(clock: i32, isAbsolute: bool): u64 {
  return deadlineAt(timespecNs(), clock, isAbsolute);
}

/** As `deadlineFrom`, for a time in nanoseconds. */
export function deadlineAt(timeNs: u64, clock: i32, isAbsolute: bool): u64 {
  if (timeNs == FOREVER) return FOREVER;
  const now = monotonicNs();
  if (!isAbsolute) return after(now, timeNs);
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_ALARM && clock != CLOCK_TAI) return timeNs;
  const wall = realtimeNs();
  return timeNs <= wall ? now : after(now, timeNs - wall);
}

/** A time as the reading of a clock that reads `nowNs` now. */
export function readingAt(timeNs: u64, nowNs: u64, isAbsolute: bool): u64 {
  return isAbsolute || timeNs == FOREVER ? timeNs : after(nowNs, timeNs);
}

function after(now: u64, delayNs: u64): u64 {
  return delayNs > FOREVER - 1 - now ? FOREVER : now + delayNs;
}

/** Writes a time as struct timespec; 0 or -EFAULT. */
export function writeTimespec(address: usize, timeNs: u64): i64 {
  const buffer = scratch();
  store<u64>(buffer, timeNs / NS_PER_SECOND);
  store<u64>(buffer + 8, timeNs % NS_PER_SECOND);
  return copyOut(address, buffer, 16);
}

/** Stores a time as struct timeval in kernel memory. */
export function putTimeval(target: usize, timeNs: u64): void {
  store<u64>(target, timeNs / NS_PER_SECOND);
  store<u64>(target + 8, (timeNs % NS_PER_SECOND) / NS_PER_MICROSECOND);
}
