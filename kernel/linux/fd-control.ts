/**
 * dup(2), dup2(2), dup3(2) and fcntl(2), except for its locks (`file-lock.ts`).
 */
import {
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  O_APPEND,
  O_ASYNC,
  O_CLOEXEC,
  O_DIRECT,
  O_NOATIME,
  O_NONBLOCK,
  O_PATH,
} from "../fs/constants";
import { File } from "../fs/file";
import { EBADF, EINVAL, EPERM, isError } from "../lib/errno";
import { FD_CLOEXEC } from "./fd-table";
import { isLockCommand, lockCommand, releaseProcessLocks } from "./file-lock";
import { currentFiles, descriptorLimit, drop, heldFile, holdAny } from "./held-file";

const F_DUPFD: i32 = 0;
const F_GETFD: i32 = 1;
const F_SETFD: i32 = 2;
const F_GETFL: i32 = 3;
const F_SETFL: i32 = 4;
const F_SETOWN: i32 = 8;
const F_GETOWN: i32 = 9;
const F_GETLEASE: i32 = 1025;
const F_DUPFD_CLOEXEC: i32 = 1030;
const F_ADD_SEALS: i32 = 1033;
const F_GET_SEALS: i32 = 1034;
const F_UNLCK: i64 = 2;

/** What F_SETFL changes (fcntl(2)). */
const CHANGEABLE_FLAGS: u32 = O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME | O_NONBLOCK;
const ALL_SEALS: u32 =
  F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;

/** dup(2). */
export function sysDup(fd: i32): i64 {
  return duplicateFrom(fd, 0, 0);
}

/** dup2(2): with equal descriptors it only tests that they are open. */
export function sysDup2(oldFd: i32, newFd: i32): i64 {
  if (oldFd != newFd) return duplicateTo(oldFd, newFd, 0);
  const held = holdAny(oldFd);
  drop(held);
  return held == 0 ? -EBADF : <i64>newFd;
}

/** dup3(2). */
export function sysDup3(oldFd: i32, newFd: i32, flags: u32): i64 {
  if ((flags & ~O_CLOEXEC) != 0 || oldFd == newFd) return -EINVAL;
  return duplicateTo(oldFd, newFd, (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
}

/** fcntl(2). */
export function sysFcntl(fd: i32, command: i32, argument: usize): i64 {
  switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      if (argument >= <usize>descriptorLimit()) return badDescriptorOr(fd, -EINVAL);
      return duplicateFrom(fd, <u32>argument, command == F_DUPFD ? 0 : FD_CLOEXEC);
    case F_GETFD:
      return currentFiles().descriptorFlags(fd);
    case F_SETFD:
      return currentFiles().setDescriptorFlags(fd, <u32>argument & FD_CLOEXEC);
    default:
      return fileCommand(fd, command, argument);
  }
}

/** The commands that concern the open file, not the descriptor. */
function fileCommand(fd: i32, command: i32, argument: usize): i64 {
  const held = holdAny(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64;
  if (command == F_GETFL) result = file.flags;
  else if ((file.flags & O_PATH) != 0) result = -EBADF;
  else if (isLockCommand(command)) result = lockCommand(file, command, argument);
  else result = openFileCommand(file, command, argument);
  drop(held);
  return result;
}

function openFileCommand(file: File, command: i32, argument: usize): i64 {
  switch (command) {
    case F_SETFL:
      file.flags = (file.flags & ~CHANGEABLE_FLAGS) | (<u32>argument & CHANGEABLE_FLAGS);
      return 0;
    case F_SETOWN:
      file.signalOwner = <i32>argument;
      return 0;
    case F_GETOWN:
      return file.signalOwner;
    case F_GETLEASE:
      return F_UNLCK;
    case F_GET_SEALS: {
      const vnode = file.vnode;
      return vnode && vnode.isRegular ? <i64>vnode.seals : -EINVAL;
    }
    case F_ADD_SEALS:
      return addSeals(file, <u32>argument);
    default:
      return file.control(command, argument);
  }
}

function addSeals(file: File, seals: u32): i64 {
  const vnode = file.vnode;
  if (!vnode || !vnode.isRegular || (seals & ~ALL_SEALS) != 0) return -EINVAL;
  if (!file.isWritable || (vnode.seals & F_SEAL_SEAL) != 0) return -EPERM;
  vnode.seals |= seals;
  return 0;
}

/** -EBADF if `fd` is not open, else `result`. */
function badDescriptorOr(fd: i32, result: i64): i64 {
  const held = holdAny(fd);
  drop(held);
  return held == 0 ? -EBADF : result;
}

/** Gives the file of `fd` the lowest free descriptor from `minimum`. */
function duplicateFrom(fd: i32, minimum: u32, descriptorFlags: u32): i64 {
  const files = currentFiles();
  const file = files.get(fd);
  if (!file) return -EBADF;
  const copy = files.install(file, minimum, descriptorLimit(), descriptorFlags);
  if (copy < 0) file.release();
  return copy;
}

/** Makes `newFd` refer to the file of `oldFd`, closing what it referred to. */
function duplicateTo(oldFd: i32, newFd: i32, descriptorFlags: u32): i64 {
  // Linux reports a number above the limit as EBADF here, and EMFILE only from F_DUPFD.
  if (<u32>newFd >= descriptorLimit()) return -EBADF;
  const files = currentFiles();
  const file = files.get(oldFd);
  if (!file) return -EBADF;
  const before = files.replace(newFd, file, descriptorLimit(), descriptorFlags);
  if (isError(before)) {
    file.release();
    return <i64>before;
  }
  if (before != 0) closeFile(changetype<File>(before));
  return newFd;
}

/** Ends the use of a file through a descriptor that is gone; takes over its reference. */
export function closeFile(file: File): void {
  releaseProcessLocks(file);
  file.descriptorClosed();
  file.release();
}
