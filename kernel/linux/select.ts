/**
 * select(2), pselect6(2): three bit sets in, three bit sets out.
 *
 * Neighbours: `poll-set.ts` (the waiting), `poll.ts` (time and mask arguments).
 */
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from "../fs/constants";
import { EBADF, EINVAL, ENOMEM } from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { currentFiles } from "./held-file";
import { beginMaskedWait, remainingNs, sleepDeadline } from "./poll";
import { PollSet } from "./poll-set";
import { endTemporaryMask } from "./signal-calls";
import { deadlineAt, putTimeval, readTimeval, timespecNs, writeTimespec } from "./timespec";
import { copyIn, copyOut, scratch } from "./user-memory";

/** What each set means in terms of poll (select(2), "Correspondence between …"). */
const READ_EVENTS: u32 = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR;
const WRITE_EVENTS: u32 = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR;
const EXCEPT_EVENTS: u32 = POLLPRI;

const CLOCK_MONOTONIC: i32 = 1;
const NEVER: i64 = i64.MAX_VALUE;

/** select(2). What is left of the timeout is written back. */
export function sysSelect(
  count: i32,
  readSet: usize,
  writeSet: usize,
  exceptSet: usize,
  timeout: usize,
): i64 {
  let deadlineNs: i64 = NEVER;
  if (timeout != 0) {
    const error = readTimeval(timeout);
    if (error < 0) return error;
    const spanNs = timespecNs();
    deadlineNs = 0;
    if (spanNs != 0) {
      deadlineNs = <i64>min<u64>(deadlineAt(spanNs, CLOCK_MONOTONIC, false), <u64>NEVER);
    }
  }
  const result = selectUntil(count, readSet, writeSet, exceptSet, <u64>deadlineNs);
  if (timeout != 0) {
    putTimeval(scratch(), remainingNs(<u64>deadlineNs));
    copyOut(timeout, scratch(), 16);
  }
  return result;
}

/** pselect6(2): the last argument leads to the signal mask's address and size. */
export function sysPselect6(
  count: i32,
  readSet: usize,
  writeSet: usize,
  exceptSet: usize,
  timeout: usize,
  signalMask: usize,
): i64 {
  const deadlineNs = beginMaskedWait(timeout, signalMask);
  if (deadlineNs < 0) return deadlineNs;
  const selected = selectUntil(count, readSet, writeSet, exceptSet, <u64>deadlineNs);
  const result = endTemporaryMask(selected);
  if (timeout != 0) writeTimespec(timeout, remainingNs(<u64>deadlineNs));
  return result;
}

/** @param deadlineNs monotonic, 0 = do not wait */
function selectUntil(
  given: i32,
  readSet: usize,
  writeSet: usize,
  exceptSet: usize,
  deadlineNs: u64,
): i64 {
  if (given < 0) return -EINVAL;
  // Descriptors beyond the table cannot be open; Linux does not look at their bits either.
  const count = min<u32>(<u32>given, currentFiles().tableSize());
  const setBytes = ((<usize>count + 63) / 64) * 8;
  const block = heapAllocate(max<usize>(setBytes * 6, 8));
  if (block == 0) return -ENOMEM;
  memory.fill(block, 0, setBytes * 6);
  let result: i64 = 0;
  if (readSet != 0) result = copyIn(block, readSet, setBytes);
  if (result == 0 && writeSet != 0) result = copyIn(block + setBytes, writeSet, setBytes);
  if (result == 0 && exceptSet != 0) result = copyIn(block + 2 * setBytes, exceptSet, setBytes);
  if (result == 0) result = selectOn(block, setBytes, count, deadlineNs);
  const answer = block + 3 * setBytes;
  let error: i64 = 0;
  if (result >= 0) {
    if (readSet != 0) error = copyOut(readSet, answer, setBytes);
    if (error == 0 && writeSet != 0) error = copyOut(writeSet, answer + setBytes, setBytes);
    if (error == 0 && exceptSet != 0) error = copyOut(exceptSet, answer + 2 * setBytes, setBytes);
  }
  heapFree(block);
  return error < 0 ? error : result;
}

/** Waits for the sets at `block` and writes the answer behind them; the number of bits, or error. */
function selectOn(block: usize, setBytes: usize, count: u32, deadlineNs: u64): i64 {
  let files: u32 = 0;
  for (let fd: u32 = 0; fd < count; fd++) {
    if (wantedEvents(block, setBytes, fd) != 0) files++;
  }
  const set = new PollSet(files);
  let result: i64 = set.hasMemory() ? 0 : -ENOMEM;
  for (let fd: u32 = 0; result == 0 && fd < count; fd++) {
    const wanted = wantedEvents(block, setBytes, fd);
    if (wanted != 0 && !set.add(<i32>fd, wanted)) result = -EBADF;
  }
  if (result == 0) result = set.wait(sleepDeadline(deadlineNs));
  if (result > 0) result = writeAnswer(set, block, setBytes, count);
  set.dispose();
  return result;
}

function wantedEvents(block: usize, setBytes: usize, fd: u32): u32 {
  let events: u32 = 0;
  if (isMember(block, fd)) events |= READ_EVENTS;
  if (isMember(block + setBytes, fd)) events |= WRITE_EVENTS;
  if (isMember(block + 2 * setBytes, fd)) events |= EXCEPT_EVENTS;
  return events;
}

function writeAnswer(set: PollSet, block: usize, setBytes: usize, count: u32): i64 {
  const answer = block + 3 * setBytes;
  let bits: i64 = 0;
  let index: u32 = 0;
  for (let fd: u32 = 0; fd < count; fd++) {
    if (wantedEvents(block, setBytes, fd) == 0) continue;
    const ready = set.ready(index++);
    for (let kind: usize = 0; kind < 3; kind++) {
      const events = kind == 0 ? READ_EVENTS : kind == 1 ? WRITE_EVENTS : EXCEPT_EVENTS;
      if ((ready & events) == 0 || !isMember(block + kind * setBytes, fd)) continue;
      include(answer + kind * setBytes, fd);
      bits++;
    }
  }
  return bits;
}

function isMember(set: usize, fd: u32): bool {
  return ((load<u8>(set + (fd >> 3)) >> (fd & 7)) & 1) != 0;
}

function include(set: usize, fd: u32): void {
  const at = set + (fd >> 3);
  store<u8>(at, load<u8>(at) | ((<u8>1) << (<u8>(fd & 7))));
}
