/**
 * fsync(2), fdatasync(2), sync(2), syncfs(2), sync_file_range(2). No file system of this kernel
 * delays writes to a medium yet, so syncing the whole system has nothing to do.
 */
import { S_IFIFO, S_IFMT } from "../fs/constants";
import { EBADF, EINVAL, ESPIPE } from "../lib/errno";
import { drop, heldFile, hold } from "./held-file";

const SYNC_FILE_RANGE_FLAGS: u32 = 7;

/** sync(2). */
export function sysSync(): i64 {
  return 0;
}

/** fsync(2). */
export function sysFsync(fd: i32): i64 {
  return syncDescriptor(fd, false);
}

/** fdatasync(2). */
export function sysFdatasync(fd: i32): i64 {
  return syncDescriptor(fd, true);
}

/** syncfs(2). */
export function sysSyncfs(fd: i32): i64 {
  const held = hold(fd);
  drop(held);
  return held == 0 ? -EBADF : 0;
}

/** sync_file_range(2). */
export function sysSyncFileRange(fd: i32, offset: i64, length: i64, flags: u32): i64 {
  if ((flags & ~SYNC_FILE_RANGE_FLAGS) != 0 || offset < 0 || length < 0) return -EINVAL;
  if (offset + length < 0) return -EINVAL;
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  const vnode = file.vnode;
  let result: i64 = -ESPIPE;
  if (vnode && (vnode.mode & S_IFMT) != S_IFIFO) result = file.sync(true);
  drop(held);
  return result;
}

function syncDescriptor(fd: i32, isDataOnly: bool): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const result = heldFile(held).sync(isDataOnly);
  drop(held);
  return result;
}
