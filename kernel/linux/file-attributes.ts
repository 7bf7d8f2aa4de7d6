/**
 * Changing what is known about a file: chmod(2), chown(2), utimensat(2), with their older forms.
 *
 * Neighbours: `file-size.ts` (truncate, fallocate), `fs/stat.ts` (AttributeChange).
 */
import { O_PATH, S_PERMISSIONS } from "../fs/constants";
import { Dentry } from "../fs/dentry";
import { IN_ACCESS, IN_ATTRIB, IN_MODIFY, notifyFile } from "../fs/notify";
import { RESOLVE_EMPTY, RESOLVE_FOLLOW } from "../fs/path";
import {
  AttributeChange,
  CHANGE_ACCESS_TIME,
  CHANGE_GID,
  CHANGE_MODE,
  CHANGE_MODIFY_TIME,
  CHANGE_UID,
} from "../fs/stat";
import { EBADF, EINVAL, EOPNOTSUPP, EROFS, isError } from "../lib/errno";
import { free } from "../lib/object";
import { realtimeNs } from "../sched/clock";
import { drop, heldFile, holdAny } from "./held-file";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, resolveArgument } from "./path-argument";
import { copyIn, scratch } from "./user-memory";

const NS_PER_SECOND: u64 = 1_000_000_000;
const NS_PER_MICROSECOND: i64 = 1000;
/** Special values of tv_nsec (utimensat(2)). */
const UTIME_NOW: i64 = 0x3fffffff;
const UTIME_OMIT: i64 = 0x3ffffffe;
/** A user or group id that means "leave it". */
const UNCHANGED: u32 = 0xffffffff;

/** chmod(2). */
export function sysChmod(path: usize, mode: u32): i64 {
  return chmodAt(AT_FDCWD, path, mode, RESOLVE_FOLLOW);
}

/** fchmodat(2) as the kernel has it: without flags. */
export function sysFchmodat(directoryFd: i32, path: usize, mode: u32): i64 {
  return chmodAt(directoryFd, path, mode, RESOLVE_FOLLOW);
}

/** fchmodat2(2). */
export function sysFchmodat2(directoryFd: i32, path: usize, mode: u32, flags: u32): i64 {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return -EINVAL;
  return chmodAt(directoryFd, path, mode, resolveFlagsOf(flags));
}

/** fchmod(2). */
export function sysFchmod(fd: i32, mode: u32): i64 {
  return changeDescriptor(fd, modeChange(mode));
}

/** chown(2). */
export function sysChown(path: usize, user: u32, group: u32): i64 {
  return changePath(AT_FDCWD, path, RESOLVE_FOLLOW, ownerChange(user, group));
}

/** lchown(2). */
export function sysLchown(path: usize, user: u32, group: u32): i64 {
  return changePath(AT_FDCWD, path, 0, ownerChange(user, group));
}

/** fchownat(2). */
export function sysFchownat(directoryFd: i32, path: usize, user: u32, group: u32, flags: u32): i64 {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return -EINVAL;
  return changePath(directoryFd, path, resolveFlagsOf(flags), ownerChange(user, group));
}

/** fchown(2). */
export function sysFchown(fd: i32, user: u32, group: u32): i64 {
  return changeDescriptor(fd, ownerChange(user, group));
}

/** utime(2): whole seconds. */
export function sysUtime(path: usize, times: usize): i64 {
  const change = new AttributeChange();
  let error: i64 = 0;
  if (times == 0) setBothNow(change);
  else {
    const block = scratch();
    error = copyIn(block, times, 16);
    setAccess(change, load<i64>(block), 0);
    setModify(change, load<i64>(block, 8), 0);
  }
  return finish(AT_FDCWD, path, RESOLVE_FOLLOW, change, error);
}

/** utimes(2): microseconds. */
export function sysUtimes(path: usize, times: usize): i64 {
  return sysFutimesat(AT_FDCWD, path, times);
}

/** futimesat(2); a null path means the descriptor. */
export function sysFutimesat(directoryFd: i32, path: usize, times: usize): i64 {
  const change = new AttributeChange();
  let error: i64 = 0;
  if (times == 0) setBothNow(change);
  else {
    const block = scratch();
    error = copyIn(block, times, 32);
    const accessUs = load<i64>(block, 8);
    const modifyUs = load<i64>(block, 24);
    if (error == 0 && !(isMicroseconds(accessUs) && isMicroseconds(modifyUs))) error = -EINVAL;
    setAccess(change, load<i64>(block), <u32>(accessUs * NS_PER_MICROSECOND));
    setModify(change, load<i64>(block, 16), <u32>(modifyUs * NS_PER_MICROSECOND));
  }
  return finish(directoryFd, path, RESOLVE_FOLLOW, change, error);
}

/** utimensat(2); a null path means the descriptor (futimens). */
export function sysUtimensat(directoryFd: i32, path: usize, times: usize, flags: u32): i64 {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return -EINVAL;
  const change = new AttributeChange();
  let error: i64 = 0;
  if (times == 0) setBothNow(change);
  else {
    const block = scratch();
    error = copyIn(block, times, 32);
    if (error == 0) error = readTimespecs(block, change);
    if (error == 0 && change.valid == 0) {
      // Both times omitted: not even the file is looked at (utimensat(2)).
      free(change);
      return 0;
    }
  }
  return finish(directoryFd, path, resolveFlagsOf(flags), change, error);
}

function finish(
  directoryFd: i32,
  path: usize,
  resolveFlags: u32,
  change: AttributeChange,
  error: i64,
): i64 {
  if (error < 0) {
    free(change);
    return error;
  }
  if (path == 0 && directoryFd != AT_FDCWD) return changeDescriptor(directoryFd, change);
  return changePath(directoryFd, path, resolveFlags, change);
}

/** Two struct timespec at `block`: access time, modification time. */
function readTimespecs(block: usize, change: AttributeChange): i64 {
  const accessNs = load<i64>(block, 8);
  const modifyNs = load<i64>(block, 24);
  if (!isNanoseconds(accessNs) || !isNanoseconds(modifyNs)) return -EINVAL;
  const now = realtimeNs();
  const nowSeconds = <i64>(now / NS_PER_SECOND);
  const nowNs = <u32>(now % NS_PER_SECOND);
  if (accessNs == UTIME_NOW) setAccess(change, nowSeconds, nowNs);
  else if (accessNs != UTIME_OMIT) setAccess(change, load<i64>(block), <u32>accessNs);
  if (modifyNs == UTIME_NOW) setModify(change, nowSeconds, nowNs);
  else if (modifyNs != UTIME_OMIT) setModify(change, load<i64>(block, 16), <u32>modifyNs);
  return 0;
}

function isNanoseconds(value: i64): bool {
  return (value >= 0 && value < <i64>NS_PER_SECOND) || value == UTIME_NOW || value == UTIME_OMIT;
}

function isMicroseconds(value: i64): bool {
  return value >= 0 && value < 1_000_000;
}

function setBothNow(change: AttributeChange): void {
  const now = realtimeNs();
  const seconds = <i64>(now / NS_PER_SECOND);
  setAccess(change, seconds, <u32>(now % NS_PER_SECOND));
  setModify(change, seconds, <u32>(now % NS_PER_SECOND));
}

function setAccess(change: AttributeChange, seconds: i64, ns: u32): void {
  change.valid |= CHANGE_ACCESS_TIME;
  change.accessSeconds = seconds;
  change.accessNs = ns;
}

function setModify(change: AttributeChange, seconds: i64, ns: u32): void {
  change.valid |= CHANGE_MODIFY_TIME;
  change.modifySeconds = seconds;
  change.modifyNs = ns;
}

function modeChange(mode: u32): AttributeChange {
  const change = new AttributeChange();
  change.valid = CHANGE_MODE;
  change.mode = mode & S_PERMISSIONS;
  return change;
}

function ownerChange(user: u32, group: u32): AttributeChange {
  const change = new AttributeChange();
  if (user != UNCHANGED) change.valid |= CHANGE_UID;
  if (group != UNCHANGED) change.valid |= CHANGE_GID;
  change.uid = user;
  change.gid = group;
  return change;
}

function resolveFlagsOf(flags: u32): u32 {
  const follow = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : RESOLVE_FOLLOW;
  return (flags & AT_EMPTY_PATH) != 0 ? follow | RESOLVE_EMPTY : follow;
}

function chmodAt(directoryFd: i32, path: usize, mode: u32, resolveFlags: u32): i64 {
  return changePath(directoryFd, path, resolveFlags, modeChange(mode));
}

/** Applies `change`, which it frees, to the file a path names. */
function changePath(
  directoryFd: i32,
  path: usize,
  resolveFlags: u32,
  change: AttributeChange,
): i64 {
  const found = resolveArgument(directoryFd, path, resolveFlags);
  let result = <i64>found;
  if (!isError(found)) {
    const dentry = changetype<Dentry>(found);
    result = changeFile(dentry, change);
    dentry.release();
  }
  free(change);
  return result;
}

/** Applies `change`, which it frees, to the file behind a descriptor. */
function changeDescriptor(fd: i32, change: AttributeChange): i64 {
  const held = holdAny(fd);
  let result: i64 = -EBADF;
  if (held != 0) {
    const file = heldFile(held);
    const dentry = file.dentry;
    if ((file.flags & O_PATH) == 0) result = dentry ? changeFile(dentry, change) : -EINVAL;
    drop(held);
  }
  free(change);
  return result;
}

function changeFile(dentry: Dentry, change: AttributeChange): i64 {
  const vnode = dentry.node;
  if (vnode.fs.readOnly) return -EROFS;
  if ((change.valid & CHANGE_MODE) != 0 && vnode.isSymlink) return -EOPNOTSUPP;
  const result = vnode.setAttributes(change);
  if (result == 0) notifyFile(dentry, eventOf(change.valid));
  return result;
}

/** The event that a change is: one of the times alone counts as a use of the contents. */
function eventOf(valid: u32): u32 {
  if (valid == CHANGE_ACCESS_TIME) return IN_ACCESS;
  return valid == CHANGE_MODIFY_TIME ? IN_MODIFY : IN_ATTRIB;
}
