/**
 * adjtimex(2), clock_adjtime(2): the state of the clock. It follows the host's time source and is not
 * disciplined here, so it can be read and set forth or back, but not steered.
 *
 * Neighbours: `clocks.ts`.
 */
import { EINVAL, EOPNOTSUPP, EPERM } from "../lib/errno";
import { monotonicNs, realtimeNs, setRealtime } from "../sched/clock";
import { clockNs, CLOCK_REALTIME, NO_CLOCK } from "./clocks";
import { NS_PER_SECOND } from "./timespec";
import { copyIn, copyOut, scratch } from "./user-memory";

/** struct timex (adjtimex(2)), 208 bytes. */
const TIMEX_BYTES: usize = 208;
const MODES: usize = 0;
const MAX_ERROR: usize = 24;
const ESTIMATED_ERROR: usize = 32;
const STATUS: usize = 40;
const TIME_CONSTANT: usize = 48;
const PRECISION: usize = 56;
const TOLERANCE: usize = 64;
const SECONDS: usize = 72;
const MICROSECONDS: usize = 80;
const TICK: usize = 88;

const ADJ_SETOFFSET: u32 = 0x100;
const ADJ_NANO: u32 = 0x2000;
/** adjtime(3) asks how much of its correction is left: nothing. */
const ADJ_OFFSET_SS_READ: u32 = 0xa001;
const STA_UNSYNC: u32 = 0x40;
/** The clock is not synchronised: the result of both calls. */
const TIME_ERROR: i64 = 5;

/** What Linux reports of a clock that nobody disciplines. */
const ERROR_US: u64 = 16_000_000;
const LARGEST_FREQUENCY: u64 = 32_768_000;
const TICK_US: u64 = 10_000;

/** adjtimex(2). */
export function sysAdjtimex(parameters: usize): i64 {
  const buffer = scratch();
  const error = copyIn(buffer, parameters, TIMEX_BYTES);
  if (error != 0) return error;
  const modes = load<u32>(buffer, MODES);
  if (modes == ADJ_SETOFFSET || modes == (ADJ_SETOFFSET | ADJ_NANO)) {
    const shifted = shiftClock(load<i64>(buffer, SECONDS), load<i64>(buffer, MICROSECONDS), modes);
    if (shifted != 0) return shifted;
  } else if (modes != 0 && modes != ADJ_OFFSET_SS_READ) return -EPERM;
  memory.fill(buffer, 0, TIMEX_BYTES);
  const now = realtimeNs();
  store<u32>(buffer, modes, MODES);
  store<u64>(buffer, ERROR_US, MAX_ERROR);
  store<u64>(buffer, ERROR_US, ESTIMATED_ERROR);
  store<u32>(buffer, STA_UNSYNC, STATUS);
  store<u64>(buffer, 2, TIME_CONSTANT);
  store<u64>(buffer, 1, PRECISION);
  store<u64>(buffer, LARGEST_FREQUENCY, TOLERANCE);
  store<u64>(buffer, now / NS_PER_SECOND, SECONDS);
  store<u64>(buffer, (now % NS_PER_SECOND) / 1000, MICROSECONDS);
  store<u64>(buffer, TICK_US, TICK);
  const copied = copyOut(parameters, buffer, TIMEX_BYTES);
  return copied != 0 ? copied : TIME_ERROR;
}

/** Moves the clock by seconds and microseconds (ADJ_NANO: nanoseconds); 0 or -EINVAL. */
function shiftClock(seconds: i64, fraction: i64, modes: u32): i64 {
  const scale: i64 = modes & ADJ_NANO ? 1 : 1000;
  if (fraction < 0 || fraction * scale >= <i64>NS_PER_SECOND) return -EINVAL;
  const limit = <i64>(u64.MAX_VALUE >> 1) / <i64>NS_PER_SECOND;
  if (seconds <= -limit || seconds >= limit) return -EINVAL;
  const wanted = <i64>realtimeNs() + seconds * <i64>NS_PER_SECOND + fraction * scale;
  if (wanted < <i64>monotonicNs()) return -EINVAL;
  setRealtime(wanted);
  return 0;
}

/** clock_adjtime(2): CLOCK_REALTIME only. */
export function sysClockAdjtime(clock: i32, parameters: usize): i64 {
  if (clock == CLOCK_REALTIME) return sysAdjtimex(parameters);
  return clockNs(clock) == NO_CLOCK ? -EINVAL : -EOPNOTSUPP;
}
