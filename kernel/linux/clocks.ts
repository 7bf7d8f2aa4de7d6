/**
 * Reading and setting clocks: clock_gettime(2), clock_getres(2), clock_settime(2), gettimeofday(2),
 * settimeofday(2), time(2), times(2).
 *
 * Neighbours: `timespec.ts`, `cpu-clocks.ts` (CPU time), `vdso.ts` (serves most readings without a call).
 */
import { EFAULT, EINVAL, EOPNOTSUPP } from "../lib/errno";
import { monotonicNs, realtimeNs, setRealtime } from "../sched/clock";
import { FOREVER } from "../sched/wait";
import { cpuClockNs } from "./cpu-clocks";
import { processCpuNs } from "./cpu-time";
import { currentProcess } from "./process";
import {
  NS_PER_SECOND,
  putTimeval,
  readTimespec,
  readTimeval,
  timespecNs,
  writeTimespec,
} from "./timespec";
import { copyOut, scratch, zeroOut } from "./user-memory";

export const CLOCK_REALTIME: i32 = 0;
export const CLOCK_MONOTONIC: i32 = 1;
export const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
export const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
const CLOCK_MONOTONIC_RAW: i32 = 4;
const CLOCK_REALTIME_COARSE: i32 = 5;
const CLOCK_MONOTONIC_COARSE: i32 = 6;
export const CLOCK_BOOTTIME: i32 = 7;
export const CLOCK_REALTIME_ALARM: i32 = 8;
export const CLOCK_BOOTTIME_ALARM: i32 = 9;
export const CLOCK_TAI: i32 = 11;

/** Result of `clockNs` for a clock that does not exist. */
export const NO_CLOCK: u64 = FOREVER;

/** times(2) counts in ticks of 10 ms. */
const NS_PER_TICK: u64 = 10_000_000;
const TIMEZONE_BYTES: usize = 8;

/** The reading of a clock in nanoseconds, or NO_CLOCK. */
export function clockNs(clock: i32): u64 {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
      return realtimeNs();
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      return monotonicNs();
    default:
      return cpuClockNs(clock, NO_CLOCK);
  }
}

/** clock_gettime(2). */
export function sysClockGettime(clock: i32, time: usize): i64 {
  const now = clockNs(clock);
  return now == NO_CLOCK ? -EINVAL : writeTimespec(time, now);
}

/** clock_getres(2): every clock here counts nanoseconds. */
export function sysClockGetres(clock: i32, resolution: usize): i64 {
  if (clockNs(clock) == NO_CLOCK) return -EINVAL;
  return resolution == 0 ? 0 : writeTimespec(resolution, 1);
}

/** clock_settime(2). */
export function sysClockSettime(clock: i32, time: usize): i64 {
  if (clock != CLOCK_REALTIME) return clockNs(clock) == NO_CLOCK ? -EINVAL : -EOPNOTSUPP;
  const error = readTimespec(time);
  if (error != 0) return error;
  const wanted = timespecNs();
  if (wanted == FOREVER) return -EINVAL;
  setRealtime(wanted);
  return 0;
}

/** gettimeofday(2). */
export function sysGettimeofday(time: usize, zone: usize): i64 {
  if (time != 0) {
    putTimeval(scratch(), realtimeNs());
    if (copyOut(time, scratch(), 16) != 0) return -EFAULT;
  }
  return zone == 0 ? 0 : zeroOut(zone, TIMEZONE_BYTES);
}

/** settimeofday(2); a time zone is accepted and forgotten. */
export function sysSettimeofday(time: usize, _zone: usize): i64 {
  if (time == 0) return 0;
  const error = readTimeval(time);
  if (error != 0) return error;
  const wanted = timespecNs();
  if (wanted == FOREVER) return -EINVAL;
  setRealtime(wanted);
  return 0;
}

/** time(2). */
export function sysTime(out: usize): i64 {
  const seconds = realtimeNs() / NS_PER_SECOND;
  if (out != 0) {
    store<u64>(scratch(), seconds);
    if (copyOut(out, scratch(), 8) != 0) return -EFAULT;
  }
  return seconds;
}

/** times(2): ticks since boot; fills in the CPU time of the process. */
export function sysTimes(out: usize): i64 {
  if (out != 0) {
    const buffer = scratch();
    memory.fill(buffer, 0, 32);
    store<u64>(buffer, processCpuNs(currentProcess()) / NS_PER_TICK);
    store<u64>(buffer + 16, currentProcess().childrenNs / NS_PER_TICK);
    if (copyOut(out, buffer, 32) != 0) return -EFAULT;
  }
  return monotonicNs() / NS_PER_TICK;
}
