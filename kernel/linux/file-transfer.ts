/**
 * Moving bytes from one descriptor to another without the application touching them: sendfile(2),
 * copy_file_range(2), splice(2). The bytes pass through one kernel buffer; nothing is remapped.
 *
 * Neighbours: `file-io.ts`, `position-lock.ts`.
 */
import { O_APPEND, O_NONBLOCK, POLLIN } from "../fs/constants";
import { File } from "../fs/file";
import { PipeFile } from "../fs/pipe-file";
import { EAGAIN, EBADF, EINVAL, EISDIR, ENOMEM, EOVERFLOW, ESPIPE } from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { preemptionPoint } from "../sched/switch";
import { TRANSFER_MAX, transferResult } from "./file-io";
import { drop, heldFile, hold } from "./held-file";
import { lockPosition, unlockPosition } from "./position-lock";
import { load64, loadedValue, store64 } from "./user-memory";

const BUFFER_BYTES: usize = 65536;
/** "Use and move the file offset." */
const CURRENT_POSITION: i64 = -1;

const SPLICE_F_MOVE: u32 = 1;
export const SPLICE_F_NONBLOCK: u32 = 2;
const SPLICE_F_MORE: u32 = 4;
const SPLICE_F_GIFT: u32 = 8;
export const SPLICE_F_ALL: u32 = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;

/** sendfile(2): the source must be a file with an offset. */
export function sysSendfile(outFd: i32, inFd: i32, offsetPointer: usize, count: usize): i64 {
  const offset = takeOffset(offsetPointer);
  if (offset < CURRENT_POSITION) return offset == NEGATIVE ? -EINVAL : offset;
  const heldIn = hold(inFd);
  if (heldIn == 0) return -EBADF;
  const heldOut = hold(outFd);
  let result: i64 = -EBADF;
  if (heldOut != 0) {
    const source = heldFile(heldIn);
    const target = heldFile(heldOut);
    if (source.isReadable && target.isWritable) {
      const vnode = source.vnode;
      if (!vnode || isPipe(source)) result = -EINVAL;
      else if ((target.flags & O_APPEND) != 0) result = -EINVAL;
      else if (vnode.isDirectory) result = -EINVAL;
      else result = move(source, offset, target, CURRENT_POSITION, min(count, TRANSFER_MAX));
    }
    drop(heldOut);
  }
  drop(heldIn);
  return transferResult(finish(result, offset, offsetPointer));
}

/** copy_file_range(2): between regular files. */
export function sysCopyFileRange(
  inFd: i32,
  inOffset: usize,
  outFd: i32,
  outOffset: usize,
  length: usize,
  flags: u32,
): i64 {
  const from = takeOffset(inOffset);
  if (from < CURRENT_POSITION) return from == NEGATIVE ? -EINVAL : from;
  const to = takeOffset(outOffset);
  if (to < CURRENT_POSITION) return to == NEGATIVE ? -EINVAL : to;
  const heldIn = hold(inFd);
  if (heldIn == 0) return -EBADF;
  const heldOut = hold(outFd);
  let result: i64 = -EBADF;
  if (heldOut != 0) {
    result =
      flags != 0 ? -EINVAL : copyRange(heldFile(heldIn), from, heldFile(heldOut), to, length);
    drop(heldOut);
  }
  drop(heldIn);
  return finish(finish(result, from, inOffset), to, outOffset);
}

function copyRange(source: File, from: i64, target: File, to: i64, length: usize): i64 {
  const sourceNode = source.vnode;
  const targetNode = target.vnode;
  if (!sourceNode || !targetNode) return -EINVAL;
  if (sourceNode.isDirectory || targetNode.isDirectory) return -EISDIR;
  if (!sourceNode.isRegular || !targetNode.isRegular) return -EINVAL;
  if (!source.isReadable || !target.isWritable || (target.flags & O_APPEND) != 0) return -EBADF;
  const sourceStart = from < 0 ? <i64>source.offset : from;
  const targetStart = to < 0 ? <i64>target.offset : to;
  const count = <i64>min(length, TRANSFER_MAX);
  if (sourceStart + count < 0 || targetStart + count < 0) return -EOVERFLOW;
  const overlaps = sourceStart < targetStart + count && targetStart < sourceStart + count;
  if (sourceNode == targetNode && overlaps) return -EINVAL;
  return move(source, from, target, to, <usize>count);
}

/** splice(2): one of the two must be a pipe. */
export function sysSplice(
  inFd: i32,
  inOffset: usize,
  outFd: i32,
  outOffset: usize,
  length: usize,
  flags: u32,
): i64 {
  if ((flags & ~SPLICE_F_ALL) != 0) return -EINVAL;
  if (length == 0) return 0;
  const heldIn = hold(inFd);
  if (heldIn == 0) return -EBADF;
  const heldOut = hold(outFd);
  let result: i64 = -EBADF;
  if (heldOut != 0) {
    result = spliceBetween(heldFile(heldIn), inOffset, heldFile(heldOut), outOffset, length, flags);
    drop(heldOut);
  }
  drop(heldIn);
  return transferResult(result);
}

function spliceBetween(
  source: File,
  inOffset: usize,
  target: File,
  outOffset: usize,
  length: usize,
  flags: u32,
): i64 {
  if (!source.isReadable || !target.isWritable) return -EBADF;
  const fromPipe = isPipe(source);
  const toPipe = isPipe(target);
  if (!fromPipe && !toPipe) return -EINVAL;
  if ((fromPipe && inOffset != 0) || (toPipe && outOffset != 0)) return -ESPIPE;
  if (!toPipe && (target.flags & O_APPEND) != 0) return -EINVAL;
  const from = takeOffset(inOffset);
  if (from < CURRENT_POSITION) return from == NEGATIVE ? -EINVAL : from;
  const to = takeOffset(outOffset);
  if (to < CURRENT_POSITION) return to == NEGATIVE ? -EINVAL : to;
  const waits = (flags & SPLICE_F_NONBLOCK) == 0 && (source.flags & O_NONBLOCK) == 0;
  if (fromPipe && !waits && (source.poll(null) & POLLIN) == 0) return -EAGAIN;
  // One buffer at most: a second read of a pipe could block with bytes already moved.
  const moved = move(source, from, target, to, min(length, BUFFER_BYTES));
  return finish(finish(moved, from, inOffset), to, outOffset);
}

/** The value of `takeOffset` for a negative offset in memory. */
const NEGATIVE: i64 = i64.MIN_VALUE;

/** The offset at a user address, CURRENT_POSITION for a null address, NEGATIVE, or -EFAULT. */
function takeOffset(address: usize): i64 {
  if (address == 0) return CURRENT_POSITION;
  const loaded = load64(address);
  if (loaded < 0) return loaded;
  const offset = <i64>loadedValue();
  return offset < 0 ? NEGATIVE : offset;
}

/** Writes an offset that was given by address back, moved on by `result` bytes. */
function finish(result: i64, offset: i64, address: usize): i64 {
  if (result < 0 || address == 0) return result;
  const stored = store64(address, <u64>(offset + result));
  return stored < 0 ? stored : result;
}

function isPipe(file: File): bool {
  return file instanceof PipeFile;
}

function isSeekable(file: File): bool {
  const vnode = file.vnode;
  return vnode != null && vnode.isRegular;
}

/**
 * Copies up to `count` bytes; stops at the end of the source or a short write. Negative positions
 * mean the file offset. What was read but not written is given back to a source with an offset.
 */
function move(source: File, from: i64, target: File, to: i64, count: usize): i64 {
  const buffer = heapAllocate(max<usize>(min(count, BUFFER_BYTES), 8));
  if (buffer == 0) return -ENOMEM;
  const sourceLock = from < 0 ? lockPosition(source) : null;
  const startOffset = source.offset;
  let done: i64 = 0;
  while (<usize>done < count) {
    const part = min(count - <usize>done, BUFFER_BYTES);
    const at = from < 0 ? <i64>startOffset : from;
    const isStream = !isSeekable(source);
    const taken = isStream
      ? source.read(buffer, part)
      : source.readAt(buffer, part, <u64>(at + done));
    if (taken <= 0) {
      if (done == 0) done = taken;
      break;
    }
    const given = put(target, to, done, buffer, <usize>taken);
    if (given < 0) {
      if (done == 0) done = given;
      break;
    }
    done += given;
    if (given < taken || isStream) break;
    if (preemptionPoint()) break;
  }
  if (from < 0 && done > 0 && isSeekable(source)) source.offset = startOffset + done;
  unlockPosition(sourceLock);
  heapFree(buffer);
  return done;
}

function put(target: File, to: i64, done: i64, buffer: usize, length: usize): i64 {
  if (to >= 0) return target.writeAt(buffer, length, <u64>(to + done));
  // Not under the target's position lock: the source's is held, and two would need an order.
  return target.write(buffer, length);
}
