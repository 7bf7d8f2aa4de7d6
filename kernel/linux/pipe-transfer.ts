/**
 * tee(2) and vmsplice(2): pipes fed from another pipe or from memory. Bytes are copied; a page given
 * away by SPLICE_F_GIFT stays the program's.
 *
 * Neighbours: `file-transfer.ts` (splice), `fs/pipe-file`.
 */
import { O_NONBLOCK } from "../fs/constants";
import { File } from "../fs/file";
import { PipeFile } from "../fs/pipe-file";
import { EAGAIN, EBADF, EINVAL, ENOMEM, isError } from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { transferResult } from "./file-io";
import { SPLICE_F_ALL, SPLICE_F_NONBLOCK } from "./file-transfer";
import { drop, heldFile, hold } from "./held-file";
import { dropVectors, takeVectors, vectorBase, vectorCount, vectorLength } from "./io-vector";

/** Most bytes that one tee duplicates. */
const BUFFER_BYTES: usize = 65536;

/** tee(2): what the first pipe holds also goes into the second. */
export function sysTee(inFd: i32, outFd: i32, length: usize, flags: u32): i64 {
  if ((flags & ~SPLICE_F_ALL) != 0) return -EINVAL;
  if (length == 0) return 0;
  const heldIn = hold(inFd);
  if (heldIn == 0) return -EBADF;
  const heldOut = hold(outFd);
  let result: i64 = -EBADF;
  if (heldOut != 0) {
    result = teeBetween(heldFile(heldIn), heldFile(heldOut), length, flags);
    drop(heldOut);
  }
  drop(heldIn);
  return transferResult(result);
}

function teeBetween(source: File, target: File, length: usize, flags: u32): i64 {
  if (!source.isReadable || !target.isWritable) return -EBADF;
  if (!(source instanceof PipeFile) || !(target instanceof PipeFile)) return -EINVAL;
  const from = source as PipeFile;
  const to = target as PipeFile;
  if (from.isSamePipe(to)) return -EINVAL;
  const waits = (flags & SPLICE_F_NONBLOCK) == 0;
  const buffer = heapAllocate(BUFFER_BYTES);
  if (buffer == 0) return -ENOMEM;
  const waitsForInput = waits && (source.flags & O_NONBLOCK) == 0;
  const found = from.peek(buffer, min(length, BUFFER_BYTES), !waitsForInput);
  let result = found;
  if (found > 0) {
    result = to.transfer(buffer, <usize>found, true, true);
    // Full: waits for room, for as much as there is.
    const waitsForRoom = waits && (target.flags & O_NONBLOCK) == 0;
    if (result == -EAGAIN && waitsForRoom) result = to.transfer(buffer, 1, true, false);
  }
  heapFree(buffer);
  return result;
}

/** vmsplice(2): writes memory into a pipe, or reads a pipe into memory. */
export function sysVmsplice(fd: i32, vectors: usize, count: usize, flags: u32): i64 {
  if ((flags & ~SPLICE_F_ALL) != 0) return -EINVAL;
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64 = -EBADF;
  if (file instanceof PipeFile) {
    const list = takeVectors(vectors, count);
    if (isError(list)) result = <i64>list;
    else {
      const waits = ((flags & SPLICE_F_NONBLOCK) | (file.flags & O_NONBLOCK)) == 0;
      result = transferMemory(file as PipeFile, list, waits);
      dropVectors(list);
    }
  }
  drop(held);
  return transferResult(result);
}

function transferMemory(pipe: PipeFile, list: usize, waits: bool): i64 {
  const isWrite = pipe.isWritable;
  let done: i64 = 0;
  for (let i: usize = 0; i < vectorCount(list); i++) {
    const length = vectorLength(list, i);
    if (length == 0) continue;
    // A reader that has something does not wait for more.
    const mayWait = waits && (isWrite || done == 0);
    const moved = pipe.transfer(vectorBase(list, i), length, isWrite, !mayWait);
    if (moved < 0) return done == 0 ? moved : done;
    done += moved;
    if (<usize>moved < length) break;
  }
  return done;
}
