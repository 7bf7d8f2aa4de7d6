/**
 * read(2), write(2), pread(2), pwrite(2) and lseek(2). The forms with several buffers are in
 * `file-io-vector.ts`.
 *
 * Order of the checks, as in Linux: descriptor, access mode, the buffer's range, then the file.
 *
 * Neighbours: `held-file.ts` (borrowing the file), `position-lock.ts` (the offset), `fs/file.ts`.
 */
import { SEEK_CUR, SEEK_HOLE } from "../fs/constants";
import { File } from "../fs/file";
import { EBADF, EFAULT, EINVAL, EPIPE, ESPIPE } from "../lib/errno";
import { limitedLength } from "./file-size-limit";
import { drop, heldFile, hold } from "./held-file";
import { lockPosition, unlockPosition } from "./position-lock";
import { currentLinuxThread, currentProcess } from "./process";
import { SIGPIPE } from "./signal-numbers";
import { sendToThread } from "./signal-send";
import { SIGINFO_BYTES, SignalInfo } from "./signal-state";
import { checkRange, scratch } from "./user-memory";

/** Most bytes one call moves (read(2), NOTES): INT_MAX rounded down to a page. */
export const TRANSFER_MAX: usize = 0x7fff_f000;

/** read(2). */
export function sysRead(fd: i32, buffer: usize, count: usize): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64;
  if (!file.isReadable) result = -EBADF;
  else if (!checkRange(buffer, count)) result = -EFAULT;
  else {
    const lock = lockPosition(file);
    result = file.read(buffer, min(count, TRANSFER_MAX));
    unlockPosition(lock);
  }
  drop(held);
  return transferResult(result);
}

/** write(2). */
export function sysWrite(fd: i32, buffer: usize, count: usize): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64;
  if (!file.isWritable) result = -EBADF;
  else if (!checkRange(buffer, count)) result = -EFAULT;
  else {
    const lock = lockPosition(file);
    result = limitedLength(file, -1, min(count, TRANSFER_MAX));
    if (result >= 0) result = file.write(buffer, <usize>result);
    unlockPosition(lock);
  }
  drop(held);
  return transferResult(result);
}

/** pread(2): errors EINVAL (negative offset), EBADF, ESPIPE, EFAULT. */
export function sysPread64(fd: i32, buffer: usize, count: usize, offset: i64): i64 {
  if (offset < 0) return -EINVAL;
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64;
  if (!file.isReadable) result = positionedAccessError(file);
  else if (!checkRange(buffer, count)) result = -EFAULT;
  else result = file.readAt(buffer, min(count, TRANSFER_MAX), <u64>offset);
  drop(held);
  return transferResult(result);
}

/** pwrite(2): as `sysPread64`. */
export function sysPwrite64(fd: i32, buffer: usize, count: usize, offset: i64): i64 {
  if (offset < 0) return -EINVAL;
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64;
  if (!file.isWritable) result = positionedAccessError(file);
  else if (!checkRange(buffer, count)) result = -EFAULT;
  else {
    result = limitedLength(file, offset, min(count, TRANSFER_MAX));
    if (result >= 0) result = file.writeAt(buffer, <usize>result, <u64>offset);
  }
  drop(held);
  return transferResult(result);
}

/** lseek(2). */
export function sysLseek(fd: i32, offset: i64, whence: u32): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64 = -EINVAL;
  if (whence <= SEEK_HOLE) {
    const lock = lockPosition(file);
    result = file.seek(offset, whence);
    unlockPosition(lock);
  }
  drop(held);
  return result;
}

/** The error of pread or pwrite on a file that is not open for it: a pipe is ESPIPE before EBADF. */
export function positionedAccessError(file: File): i64 {
  return file.seek(0, SEEK_CUR) == -ESPIPE ? -ESPIPE : -EBADF;
}

/** What a transfer returns to the application: a broken pipe raises SIGPIPE in the writing thread. */
export function transferResult(result: i64): i64 {
  if (result == -EPIPE) raiseBrokenPipe();
  return result;
}

/** Sends SIGPIPE to the running thread, as from itself (pipe(7)). */
function raiseBrokenPipe(): void {
  const info = scratch();
  memory.fill(info, 0, SIGINFO_BYTES);
  changetype<SignalInfo>(info).signo = SIGPIPE;
  changetype<SignalInfo>(info).first = <u64>currentProcess().id;
  sendToThread(currentLinuxThread(), info);
}
