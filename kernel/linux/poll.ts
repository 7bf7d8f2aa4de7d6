/**
 * poll(2), ppoll(2).
 *
 * Neighbours: `poll-set.ts` (the waiting), `select.ts`.
 */
import { copyUser } from "../arch/cpu";
import { POLLNVAL } from "../fs/constants";
import { EFAULT, EINVAL, ENOMEM } from "../lib/errno";
import { monotonicNs } from "../sched/clock";
import { FOREVER } from "../sched/wait";
import { descriptorLimit } from "./held-file";
import { PollSet } from "./poll-set";
import { beginTemporaryMask, endTemporaryMask } from "./signal-calls";
import { deadlineAt, readTimespec, timespecNs, writeTimespec } from "./timespec";
import { checkRange, copyIn, load64, loadedValue, scratch } from "./user-memory";

const NS_PER_MILLISECOND: u64 = 1_000_000;
const CLOCK_MONOTONIC: i32 = 1;
/** Bytes of a signal set as the kernel takes it. */
export const SIGNAL_SET_BYTES: usize = 8;

/** struct pollfd: int fd, short events, short revents. */
const POLLFD: usize = 8;
const EVENTS: usize = 4;
const REVENTS: usize = 6;

/** poll(2). */
export function sysPoll(fds: usize, count: u32, timeoutMs: i32): i64 {
  return pollUntil(fds, count, deadlineFromMs(timeoutMs));
}

/** ppoll(2). The rest of the timeout is written back, as Linux does. */
export function sysPpoll(
  fds: usize,
  count: u32,
  timeout: usize,
  signalMask: usize,
  signalSetSize: usize,
): i64 {
  const deadlineNs = deadlineArgument(timeout);
  if (deadlineNs < 0) return deadlineNs;
  const masked = maskArgument(signalMask, signalSetSize);
  if (masked < 0) return masked;
  const result = endTemporaryMask(pollUntil(fds, count, <u64>deadlineNs));
  writeRemaining(timeout, <u64>deadlineNs);
  return result;
}

/** A timeout in milliseconds as a monotonic deadline: negative = never, 0 = do not wait. */
export function deadlineFromMs(timeoutMs: i32): u64 {
  if (timeoutMs < 0) return <u64>NEVER;
  return timeoutMs == 0 ? 0 : monotonicNs() + <u64>timeoutMs * NS_PER_MILLISECOND;
}

/** Deadline of calls without a timeout, as a number that fits a signed result. */
const NEVER: i64 = i64.MAX_VALUE;

/**
 * A struct timespec argument as a monotonic deadline; a null address means never.
 * @returns the deadline (0 = do not wait), -EFAULT or -EINVAL
 */
export function deadlineArgument(timeout: usize): i64 {
  if (timeout == 0) return NEVER;
  const error = readTimespec(timeout);
  if (error < 0) return error;
  const spanNs = timespecNs();
  if (spanNs == 0) return 0;
  const deadlineNs = deadlineAt(spanNs, CLOCK_MONOTONIC, false);
  return deadlineNs >= <u64>NEVER ? NEVER : <i64>deadlineNs;
}

/** Puts the signal mask at `address` in force, if one is given; 0, -EINVAL or -EFAULT. */
export function maskArgument(address: usize, signalSetSize: usize): i64 {
  if (address == 0) return 0;
  if (signalSetSize != SIGNAL_SET_BYTES) return -EINVAL;
  const loaded = load64(address);
  if (loaded < 0) return loaded;
  beginTemporaryMask(loadedValue());
  return 0;
}

/**
 * Timeout and signal mask of pselect6(2) and io_pgetevents(2), whose last argument leads to the mask's
 * address and size. The mask is in force until `endTemporaryMask`.
 * @returns the deadline as `deadlineArgument`, -EFAULT or -EINVAL
 */
export function beginMaskedWait(timeout: usize, maskPair: usize): i64 {
  let address: usize = 0;
  let bytes: usize = 0;
  if (maskPair != 0) {
    const copied = copyIn(scratch(), maskPair, 16);
    if (copied < 0) return copied;
    address = load<usize>(scratch());
    bytes = load<usize>(scratch(), 8);
  }
  const deadlineNs = deadlineArgument(timeout);
  if (deadlineNs < 0) return deadlineNs;
  const masked = maskArgument(address, bytes);
  return masked < 0 ? masked : deadlineNs;
}

/** Writes what is left of a timeout back, if there was one; a fault is ignored (poll(2)). */
function writeRemaining(timeout: usize, deadlineNs: u64): void {
  if (timeout != 0) writeTimespec(timeout, remainingNs(deadlineNs));
}

/** Time left until `deadlineNs`. */
export function remainingNs(deadlineNs: u64): u64 {
  const now = monotonicNs();
  return deadlineNs > now ? deadlineNs - now : 0;
}

/** A deadline of the functions above as the scheduler counts it. */
export function sleepDeadline(deadlineNs: u64): u64 {
  return deadlineNs >= <u64>NEVER ? FOREVER : deadlineNs;
}

function pollUntil(userFds: usize, count: u32, deadlineNs: u64): i64 {
  if (count > descriptorLimit()) return -EINVAL;
  const bytes = <usize>count * POLLFD;
  if (!checkRange(userFds, bytes)) return -EFAULT;
  const set = new PollSet(count, bytes);
  const result = set.hasMemory() ? pollCopied(set, userFds, count, deadlineNs) : -ENOMEM;
  set.dispose();
  return result;
}

/** Works on a copy of the structures, which lies behind the set's entries. */
function pollCopied(set: PollSet, userFds: usize, count: u32, deadlineNs: u64): i64 {
  const fds = set.extra();
  let result: i64 = copyIn(fds, userFds, <usize>count * POLLFD);
  if (result == 0) result = pollOn(set, fds, count, deadlineNs);
  // Only revents are written back: another thread may be changing the rest.
  for (let i: usize = 0; result >= 0 && i < count; i++) {
    const at = i * POLLFD + REVENTS;
    if (copyUser(userFds + at, fds + at, 2) != 0) result = -EFAULT;
  }
  return result;
}

/** Fills in the revents of the copy at `fds`; returns how many are not zero, or -EINTR. */
function pollOn(set: PollSet, fds: usize, count: u32, deadlineNs: u64): i64 {
  let invalid: i64 = 0;
  for (let i: usize = 0; i < count; i++) {
    const entry = fds + i * POLLFD;
    const fd = load<i32>(entry);
    const isOpen = set.add(fd, load<u16>(entry, EVENTS));
    const isInvalid = !isOpen && fd >= 0;
    store<u16>(entry, isInvalid ? <u16>POLLNVAL : 0, REVENTS);
    if (isInvalid) invalid++;
  }
  const found = set.wait(invalid != 0 ? 0 : sleepDeadline(deadlineNs));
  if (found < 0) return found;
  for (let i: u32 = 0; i < count; i++) {
    const ready = set.ready(i);
    if (ready != 0) store<u16>(fds + <usize>i * POLLFD, <u16>ready, REVENTS);
  }
  return found + invalid;
}
