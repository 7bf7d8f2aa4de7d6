/**
 * Paths as system calls receive them: a claimed user address, together with the directory that a
 * relative path starts from (the *at calls). The path is copied once, into kernel memory of the
 * right size, so a program that changes it meanwhile changes nothing.
 *
 *     +--------------+-----------------+---+
 *     | length (u64) | bytes           | 0 |    what `takePath` returns
 *     +--------------+-----------------+---+
 *
 * Neighbours: `fs/path.ts` and `fs/namespace.ts` take bytes and a base directory.
 */
import { copyUser } from "../arch/cpu";
import { Dentry } from "../fs/dentry";
import { PATH_MAX } from "../fs/constants";
import { FsContext, RESOLVE_EMPTY, resolve } from "../fs/path";
import {
  EBADF,
  EFAULT,
  ENAMETOOLONG,
  ENOENT,
  ENOMEM,
  ENOTDIR,
  asError,
  isError,
} from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { drop, heldFile, holdAny } from "./held-file";
import { currentProcess } from "./process";
import { userStringLength } from "./user-memory";

/** Relative paths start at the working directory (openat(2)). */
export const AT_FDCWD: i32 = -100;
export const AT_SYMLINK_NOFOLLOW: u32 = 0x100;
/** faccessat(2): test with the effective ids. Shares its value with AT_REMOVEDIR. */
export const AT_EACCESS: u32 = 0x200;
export const AT_REMOVEDIR: u32 = 0x200;
export const AT_SYMLINK_FOLLOW: u32 = 0x400;
export const AT_NO_AUTOMOUNT: u32 = 0x800;
/** An empty path means the file of the descriptor itself. */
export const AT_EMPTY_PATH: u32 = 0x1000;
export const AT_STATX_SYNC_TYPE: u32 = 0x6000;

const HEADER: usize = 8;

/**
 * Copies a path from the application.
 * @param allowEmpty false: an empty path is -ENOENT (path_resolution(7))
 * @returns what `pathBytes`, `pathLength` and `dropPath` take, or -EFAULT, -ENAMETOOLONG, -ENOENT,
 *   -ENOMEM
 */
export function takePath(userPath: usize, allowEmpty: bool = false): usize {
  const length = userStringLength(userPath, PATH_MAX);
  if (length < 0) return asError(length);
  if (<usize>length >= PATH_MAX) return asError(-ENAMETOOLONG);
  if (length == 0 && !allowEmpty) return asError(-ENOENT);
  const path = heapAllocate(HEADER + <usize>length + 1);
  if (path == 0) return asError(-ENOMEM);
  if (copyUser(path + HEADER, userPath, <usize>length) != 0) {
    heapFree(path);
    return asError(-EFAULT);
  }
  store<u64>(path, length);
  store<u8>(path + HEADER + <usize>length, 0);
  return path;
}

/** Address of the path's bytes; a zero follows them. */
export function pathBytes(path: usize): usize {
  return path + HEADER;
}

/** Length of the path in bytes. */
export function pathLength(path: usize): usize {
  return load<usize>(path);
}

/** Frees a path. */
export function dropPath(path: usize): void {
  heapFree(path);
}

/**
 * Borrows the directory that `path` starts from.
 * @returns 0 if that is the root or the working directory, else what `baseDentry` and `drop` take,
 *   or -EBADF, -ENOTDIR
 */
export function holdBase(directoryFd: i32, path: usize): usize {
  if (directoryFd == AT_FDCWD) return 0;
  if (pathLength(path) != 0 && load<u8>(pathBytes(path)) == 0x2f) return 0;
  const held = holdAny(directoryFd);
  if (held == 0) return asError(-EBADF);
  const dentry = heldFile(held).dentry;
  if (dentry != null && (pathLength(path) == 0 || dentry.node.isDirectory)) return held;
  drop(held);
  return asError(-ENOTDIR);
}

/** The directory of `holdBase`; null means root or working directory. */
export function baseDentry(held: usize): Dentry | null {
  return held == 0 ? null : heldFile(held).dentry;
}

/** Working directory, root directory and umask of the running process. */
export function fsContext(): FsContext {
  return currentProcess().fsContext;
}

/**
 * Finds the file that a path argument names: the whole of what stat, chmod, chown … need.
 * @param resolveFlags RESOLVE_*; RESOLVE_EMPTY for AT_EMPTY_PATH
 * @returns a Dentry with a reference for the caller, or a negative error
 */
export function resolveArgument(directoryFd: i32, userPath: usize, resolveFlags: u32): usize {
  const path = takePath(userPath, (resolveFlags & RESOLVE_EMPTY) != 0);
  if (isError(path)) return path;
  const base = holdBase(directoryFd, path);
  let result = base;
  if (!isError(base)) {
    const context = fsContext();
    result = resolve(context, baseDentry(base), pathBytes(path), pathLength(path), resolveFlags);
    drop(base);
  }
  dropPath(path);
  return result;
}
