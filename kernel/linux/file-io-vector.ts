/**
 * readv(2), writev(2), preadv(2), pwritev(2), preadv2(2), pwritev2(2).
 *
 * On a regular file the buffers are served one after the other, under the position lock. On
 * anything else (pipe, terminal, socket, device) the call must be one transfer: a second blocking
 * read after the first buffer is full would wait for data nobody owes us, and writes up to PIPE_BUF
 * are atomic. There the bytes pass through one kernel buffer of at most BOUNCE_MAX.
 *
 * Neighbours: `io-vector.ts` (the list), `file-io.ts` (single buffers).
 */
import { File } from "../fs/file";
import { EBADF, EINVAL, ENOMEM, EOPNOTSUPP, isError } from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { positionedAccessError, transferResult } from "./file-io";
import { limitedLength } from "./file-size-limit";
import { drop, heldFile, hold } from "./held-file";
import {
  dropVectors,
  gather,
  scatter,
  soleVector,
  takeVectors,
  vectorBase,
  vectorCount,
  vectorLength,
  vectorTotal,
} from "./io-vector";
import { lockPosition, unlockPosition } from "./position-lock";

/** Bytes that one transfer on a file other than a regular one moves at most. */
const BOUNCE_MAX: usize = 65536;

/** Offset that means "the file offset" (preadv2(2)). */
const CURRENT_POSITION: i64 = -1;

/** Flags of preadv2(2). */
const RWF_HIPRI: u32 = 1;
const RWF_DSYNC: u32 = 2;
const RWF_SYNC: u32 = 4;

/** readv(2). */
export function sysReadv(fd: i32, vectors: usize, count: i32): i64 {
  return vectorCall(fd, vectors, count, CURRENT_POSITION, 0, false);
}

/** writev(2). */
export function sysWritev(fd: i32, vectors: usize, count: i32): i64 {
  return vectorCall(fd, vectors, count, CURRENT_POSITION, 0, true);
}

/** preadv(2). */
export function sysPreadv(fd: i32, vectors: usize, count: i32, offset: i64): i64 {
  if (offset < 0) return -EINVAL;
  return vectorCall(fd, vectors, count, offset, 0, false);
}

/** pwritev(2). */
export function sysPwritev(fd: i32, vectors: usize, count: i32, offset: i64): i64 {
  if (offset < 0) return -EINVAL;
  return vectorCall(fd, vectors, count, offset, 0, true);
}

/** preadv2(2); the high half of the offset carries nothing on a 64-bit machine. */
export function sysPreadv2(
  fd: i32,
  vectors: usize,
  count: i32,
  offset: i64,
  _offsetHigh: u64,
  flags: u32,
): i64 {
  if (offset < CURRENT_POSITION) return -EINVAL;
  return vectorCall(fd, vectors, count, offset, flags, false);
}

/** pwritev2(2). */
export function sysPwritev2(
  fd: i32,
  vectors: usize,
  count: i32,
  offset: i64,
  _offsetHigh: u64,
  flags: u32,
): i64 {
  if (offset < CURRENT_POSITION) return -EINVAL;
  return vectorCall(fd, vectors, count, offset, flags, true);
}

/** All six calls: borrows the file and the list. */
function vectorCall(
  fd: i32,
  userVectors: usize,
  count: i32,
  offset: i64,
  flags: u32,
  isWrite: bool,
): i64 {
  if ((flags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC)) != 0) return -EOPNOTSUPP;
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64;
  if (!(isWrite ? file.isWritable : file.isReadable)) {
    result = offset < 0 ? -EBADF : positionedAccessError(file);
  } else {
    // A negative count becomes a huge one, which `takeVectors` refuses.
    const list = takeVectors(userVectors, <usize>count);
    if (isError(list)) result = <i64>list;
    else {
      result = transferVectors(file, list, offset, isWrite);
      dropVectors(list);
      if (result > 0 && isWrite && (flags & (RWF_DSYNC | RWF_SYNC)) != 0) {
        const synced = file.sync((flags & RWF_SYNC) == 0);
        if (synced < 0) result = synced;
      }
    }
  }
  drop(held);
  return transferResult(result);
}

/** Moves the bytes of a list. @param offset file position, negative: the file offset */
export function transferVectors(file: File, list: usize, offset: i64, isWrite: bool): i64 {
  if (vectorTotal(list) == 0) return 0;
  const vnode = file.vnode;
  const isRegular = vnode != null && vnode.isRegular;
  const sole = soleVector(list);
  if (!isRegular && sole < 0 && offset < 0) return bounce(file, list, isWrite);
  const lock = offset < 0 ? lockPosition(file) : null;
  let done: i64 = 0;
  for (let i: usize = 0; i < vectorCount(list); i++) {
    const length = vectorLength(list, i);
    if (length == 0) continue;
    const position = offset < 0 ? offset : offset + done;
    const moved = transferOne(file, vectorBase(list, i), length, position, isWrite);
    if (moved < 0) {
      if (done == 0) done = moved;
      break;
    }
    done += moved;
    if (<usize>moved < length) break;
  }
  unlockPosition(lock);
  return done;
}

function transferOne(file: File, base: usize, length: usize, offset: i64, isWrite: bool): i64 {
  if (!isWrite)
    return offset < 0 ? file.read(base, length) : file.readAt(base, length, <u64>offset);
  const allowed = limitedLength(file, offset, length);
  if (allowed < 0) return allowed;
  if (offset < 0) return file.write(base, <usize>allowed);
  return file.writeAt(base, <usize>allowed, <u64>offset);
}

/** One transfer through a kernel buffer; a long write takes several, and ends at a short one. */
function bounce(file: File, list: usize, isWrite: bool): i64 {
  const total = vectorTotal(list);
  const capacity = min(total, BOUNCE_MAX);
  const buffer = heapAllocate(capacity);
  if (buffer == 0) return -ENOMEM;
  let done: i64 = 0;
  do {
    const part = min(total - <usize>done, capacity);
    let moved = isWrite ? gather(list, <usize>done, buffer, part) : 0;
    if (moved == 0) moved = isWrite ? file.write(buffer, part) : file.read(buffer, part);
    if (!isWrite && moved > 0) {
      const error = scatter(list, 0, buffer, <usize>moved);
      if (error < 0) moved = error;
    }
    if (moved < 0) {
      if (done == 0) done = moved;
      break;
    }
    done += moved;
    if (<usize>moved < part) break;
  } while (isWrite && <usize>done < total);
  heapFree(buffer);
  return done;
}
