/**
 * futex_wait, futex_wake, futex_requeue (Linux Documentation/userspace-api/futex2.rst): the operations
 * of futex(2) as calls of their own. Words are 32 bits; other sizes are refused, as Linux does so far.
 *
 * Neighbours: `futex.ts`, `futex-requeue.ts`, `futex-waitv.ts`.
 */
import { EINTR, EINVAL, ERESTARTSYS } from "../lib/errno";
import { FOREVER } from "../sched/wait";
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from "./clocks";
import { doWait, doWake } from "./futex";
import { doRequeue } from "./futex-requeue";
import { deadlineFrom, readTimespec } from "./timespec";
import { copyIn, scratch } from "./user-memory";

const FUTEX2_SIZE_U32: u32 = 2;
/** Only the threads of one process use the word. */
export const FUTEX2_PRIVATE: u32 = 128;

/** struct futex_waitv: value u64, address u64, flags u32, reserved u32. */
const WAITV_BYTES: usize = 24;

/** True if flags ask for what there is: 32-bit words, perhaps private. */
export function areFutexFlags(flags: u32): bool {
  return (flags & ~FUTEX2_PRIVATE) == FUTEX2_SIZE_U32;
}

/** True for a mask or value of a 32-bit word. */
function fits(value: u64): bool {
  return value >> 32 == 0;
}

/** futex_wake: wakes up to `count` waiters whose mask meets `mask`. */
export function sysFutexWake(address: usize, mask: u64, count: i32, flags: u32): i64 {
  if (!areFutexFlags(flags) || !fits(mask) || mask == 0) return -EINVAL;
  return doWake(address, (flags & FUTEX2_PRIVATE) != 0, <u32>max(count, 0), <u32>mask);
}

/** futex_wait: waits while the word is `value`. @param timeout absolute, struct timespec */
export function sysFutexWait(
  address: usize,
  value: u64,
  mask: u64,
  flags: u32,
  timeout: usize,
  clock: i32,
): i64 {
  if (!areFutexFlags(flags) || !fits(value) || !fits(mask) || mask == 0) return -EINVAL;
  let deadlineNs = FOREVER;
  if (timeout != 0) {
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return -EINVAL;
    const error = readTimespec(timeout);
    if (error != 0) return error;
    deadlineNs = deadlineFrom(clock, true);
  }
  const isPrivate = (flags & FUTEX2_PRIVATE) != 0;
  const result = doWait(address, isPrivate, <u32>value, <u32>mask, deadlineNs);
  return result == -EINTR ? -ERESTARTSYS : result;
}

/** futex_requeue: `words` are two struct futex_waitv, from and to; as FUTEX_CMP_REQUEUE. */
export function sysFutexRequeue(words: usize, flags: u32, wakes: i32, moves: i32): i64 {
  if (flags != 0 || words == 0) return -EINVAL;
  const buffer = scratch();
  const error = copyIn(buffer, words, 2 * WAITV_BYTES);
  if (error != 0) return error;
  const value = load<u64>(buffer);
  const address = load<usize>(buffer, 8);
  const flags1 = load<u32>(buffer, 16);
  const address2 = load<usize>(buffer + WAITV_BYTES, 8);
  const flags2 = load<u32>(buffer + WAITV_BYTES, 16);
  if (!areFutexFlags(flags1) || !areFutexFlags(flags2) || !fits(value)) return -EINVAL;
  if (load<u32>(buffer, 20) != 0 || load<u32>(buffer + WAITV_BYTES, 20) != 0) return -EINVAL;
  const isPrivate = (flags1 & FUTEX2_PRIVATE) != 0;
  const isPrivate2 = (flags2 & FUTEX2_PRIVATE) != 0;
  return doRequeue(
    address,
    isPrivate,
    address2,
    isPrivate2,
    <u32>wakes,
    <u32>moves,
    true,
    <u32>value,
  );
}
