/**
 * stat(2) and its relatives, statx(2), access(2), statfs(2).
 *
 * Neighbours: `stat-layout.ts` (the ABI's structures), `path-argument.ts`, `fs/stat.ts`.
 */
import { Dentry } from "../fs/dentry";
import { S_IFDIR, S_IFMT, S_IXUGO } from "../fs/constants";
import { RESOLVE_EMPTY, RESOLVE_FOLLOW } from "../fs/path";
import { FileSystemStat, Stat } from "../fs/stat";
import { EACCES, EBADF, EINVAL, ENOSYS, EROFS, isError } from "../lib/errno";
import { free } from "../lib/object";
import { drop, heldFile, holdAny } from "./held-file";
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_NO_AUTOMOUNT,
  AT_STATX_SYNC_TYPE,
  AT_SYMLINK_NOFOLLOW,
  resolveArgument,
} from "./path-argument";
import { writeStat, writeStatfs, writeStatx } from "./stat-layout";
import { userStringLength } from "./user-memory";

/** Permission tests of access(2). */
const X_OK: u32 = 1;
const W_OK: u32 = 2;
const R_OK: u32 = 4;

/** Reserved bit of the mask of statx(2): EINVAL. */
const STATX_RESERVED: u32 = 0x80000000;

const FORM_STAT: u32 = 0;
const FORM_STATX: u32 = 1;

/** stat(2). */
export function sysStat(path: usize, buffer: usize): i64 {
  return statPath(AT_FDCWD, path, RESOLVE_FOLLOW, buffer, FORM_STAT);
}

/** lstat(2). */
export function sysLstat(path: usize, buffer: usize): i64 {
  return statPath(AT_FDCWD, path, 0, buffer, FORM_STAT);
}

/** fstat(2). */
export function sysFstat(fd: i32, buffer: usize): i64 {
  return statDescriptor(fd, buffer, FORM_STAT);
}

/** fstatat(2). */
export function sysNewfstatat(directoryFd: i32, path: usize, buffer: usize, flags: u32): i64 {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)) != 0) return -EINVAL;
  return statAt(directoryFd, path, flags, buffer, FORM_STAT);
}

/** statx(2). The file systems report everything they know, whatever the mask asks for. */
export function sysStatx(directoryFd: i32, path: usize, flags: u32, mask: u32, buffer: usize): i64 {
  const known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
  if ((flags & ~known) != 0 || (mask & STATX_RESERVED) != 0) return -EINVAL;
  if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE) return -EINVAL;
  return statAt(directoryFd, path, flags, buffer, FORM_STATX);
}

/** access(2). */
export function sysAccess(path: usize, mode: i32): i64 {
  return accessAt(AT_FDCWD, path, <u32>mode, 0);
}

/** faccessat(2) as the kernel has it: without flags. */
export function sysFaccessat(directoryFd: i32, path: usize, mode: i32): i64 {
  return accessAt(directoryFd, path, <u32>mode, 0);
}

/** faccessat2(2). */
export function sysFaccessat2(directoryFd: i32, path: usize, mode: i32, flags: u32): i64 {
  if ((flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return -EINVAL;
  return accessAt(directoryFd, path, <u32>mode, flags);
}

/** statfs(2). */
export function sysStatfs(path: usize, buffer: usize): i64 {
  const found = resolveArgument(AT_FDCWD, path, RESOLVE_FOLLOW);
  if (isError(found)) return <i64>found;
  const dentry = changetype<Dentry>(found);
  const result = statfsOf(dentry, buffer);
  dentry.release();
  return result;
}

/** fstatfs(2). */
export function sysFstatfs(fd: i32, buffer: usize): i64 {
  const held = holdAny(fd);
  if (held == 0) return -EBADF;
  const dentry = heldFile(held).dentry;
  const result = dentry ? statfsOf(dentry, buffer) : -ENOSYS;
  drop(held);
  return result;
}

function statfsOf(dentry: Dentry, buffer: usize): i64 {
  const fs = dentry.node.fs;
  const facts = new FileSystemStat();
  fs.statistics(facts);
  const result = writeStatfs(facts, fs.device, buffer);
  free(facts);
  return result;
}

/** The *at forms: an empty path with AT_EMPTY_PATH means the descriptor itself. */
function statAt(directoryFd: i32, path: usize, flags: u32, buffer: usize, form: u32): i64 {
  if ((flags & AT_EMPTY_PATH) != 0 && directoryFd >= 0) {
    // Since Linux 6.11 a null path is an empty one; glibc and Go use either for fstat.
    const length = path == 0 ? 0 : userStringLength(path, 1);
    if (length < 0) return length;
    if (length == 0) return statDescriptor(directoryFd, buffer, form);
  }
  let resolveFlags = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : RESOLVE_FOLLOW;
  if ((flags & AT_EMPTY_PATH) != 0) resolveFlags |= RESOLVE_EMPTY;
  return statPath(directoryFd, path, resolveFlags, buffer, form);
}

function statDescriptor(fd: i32, buffer: usize, form: u32): i64 {
  const held = holdAny(fd);
  if (held == 0) return -EBADF;
  const stat = new Stat();
  let result = heldFile(held).stat(stat);
  drop(held);
  if (result >= 0) result = writeForm(stat, buffer, form);
  free(stat);
  return result;
}

function statPath(directoryFd: i32, path: usize, resolveFlags: u32, buffer: usize, form: u32): i64 {
  const found = resolveArgument(directoryFd, path, resolveFlags);
  if (isError(found)) return <i64>found;
  const dentry = changetype<Dentry>(found);
  const stat = new Stat();
  let result = dentry.node.attributes(stat);
  dentry.release();
  if (result >= 0) result = writeForm(stat, buffer, form);
  free(stat);
  return result;
}

function writeForm(stat: Stat, buffer: usize, form: u32): i64 {
  return form == FORM_STATX ? writeStatx(stat, buffer) : writeStat(stat, buffer);
}

/**
 * The program is root (capabilities(7), CAP_DAC_OVERRIDE): everything may be read and written; to
 * be executable a file needs an x bit. Writing fails on a read-only file system.
 */
function accessAt(directoryFd: i32, path: usize, mode: u32, flags: u32): i64 {
  if ((mode & ~(R_OK | W_OK | X_OK)) != 0) return -EINVAL;
  let resolveFlags = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : RESOLVE_FOLLOW;
  if ((flags & AT_EMPTY_PATH) != 0) resolveFlags |= RESOLVE_EMPTY;
  const found = resolveArgument(directoryFd, path, resolveFlags);
  if (isError(found)) return <i64>found;
  const dentry = changetype<Dentry>(found);
  const vnode = dentry.node;
  let result: i64 = 0;
  const isPlain = (vnode.mode & S_IFMT) != S_IFDIR;
  if ((mode & X_OK) != 0 && isPlain && (vnode.mode & S_IXUGO) == 0) result = -EACCES;
  else if ((mode & W_OK) != 0 && vnode.fs.readOnly) result = -EROFS;
  dentry.release();
  return result;
}
