/**
 * open(2), openat(2), openat2(2), creat(2), close(2), close_range(2).
 *
 * As in Linux the flags are checked first, then the path is copied, then a descriptor is reserved
 * (EMFILE comes before ENOENT), then the file is opened.
 *
 * Neighbours: `fs/namespace.ts` (does the opening), `fd-table.ts`, `path-argument.ts`.
 */
import {
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_LARGEFILE,
  O_NOCTTY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_TMPFILE,
  O_TMPFILE_BIT,
  O_TRUNC,
  O_WRONLY,
  S_PERMISSIONS,
} from "../fs/constants";
import { File } from "../fs/file";
import { openPath } from "../fs/namespace";
import {
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "../fs/path";
import { E2BIG, EAGAIN, EBADF, EINVAL, ENOMEM, isError } from "../lib/errno";
import { closeFile } from "./fd-control";
import { FD_CLOEXEC, FdTable } from "./fd-table";
import { currentFiles, descriptorLimit, drop } from "./held-file";
import {
  AT_FDCWD,
  baseDentry,
  dropPath,
  fsContext,
  holdBase,
  pathBytes,
  pathLength,
  takePath,
} from "./path-argument";
import { currentProcess } from "./process";
import { copyIn, load64, loadedValue, scratch } from "./user-memory";

/** Every flag open(2) knows; open and openat ignore others, openat2 refuses them. */
const VALID_FLAGS: u32 = 0x7fffc3;
/** What O_PATH leaves of the other flags (open(2)). */
const PATH_FLAGS: u32 = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
/** Flags that act at the moment of opening only; F_GETFL does not show them. */
const CREATION_FLAGS: u32 = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC;

/** struct open_how of openat2(2): flags, mode, resolve, 8 bytes each. */
const OPEN_HOW_BYTES: usize = 24;
const PAGE: usize = 4096;
/** RESOLVE_* of openat2(2) as the ABI numbers them. */
const HOW_NO_XDEV: u64 = 1;
const HOW_NO_MAGICLINKS: u64 = 2;
const HOW_NO_SYMLINKS: u64 = 4;
const HOW_BENEATH: u64 = 8;
const HOW_IN_ROOT: u64 = 16;
const HOW_CACHED: u64 = 32;

/** Flags of close_range(2). */
const CLOSE_RANGE_UNSHARE: u32 = 2;
const CLOSE_RANGE_CLOEXEC: u32 = 4;

/** open(2). */
export function sysOpen(path: usize, flags: u32, mode: u32): i64 {
  return openAt(AT_FDCWD, path, flags & VALID_FLAGS, mode & S_PERMISSIONS, 0);
}

/** openat(2). */
export function sysOpenat(directoryFd: i32, path: usize, flags: u32, mode: u32): i64 {
  return openAt(directoryFd, path, flags & VALID_FLAGS, mode & S_PERMISSIONS, 0);
}

/** creat(2). */
export function sysCreat(path: usize, mode: u32): i64 {
  return openAt(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode & S_PERMISSIONS, 0);
}

/** openat2(2). Unlike openat it refuses what it does not know. */
export function sysOpenat2(directoryFd: i32, path: usize, how: usize, howSize: usize): i64 {
  if (howSize < OPEN_HOW_BYTES) return -EINVAL;
  if (howSize > PAGE) return -E2BIG;
  const block = scratch();
  const copied = copyIn(block, how, OPEN_HOW_BYTES);
  if (copied < 0) return copied;
  const flags = load<u64>(block);
  const mode = load<u64>(block, 8);
  const restrictions = load<u64>(block, 16);
  const tail = expectZeros(how + OPEN_HOW_BYTES, howSize - OPEN_HOW_BYTES);
  if (tail < 0) return tail;
  if ((flags & ~(<u64>VALID_FLAGS)) != 0 || (mode & ~(<u64>S_PERMISSIONS)) != 0) return -EINVAL;
  const makesFile = (flags & (O_CREAT | O_TMPFILE_BIT)) != 0;
  if (mode != 0 && !makesFile) return -EINVAL;
  if ((flags & O_PATH) != 0 && (flags & ~(<u64>PATH_FLAGS)) != 0) return -EINVAL;
  if (restrictions >= HOW_CACHED << 1) return -EINVAL;
  const both = HOW_BENEATH | HOW_IN_ROOT;
  if ((restrictions & both) == both) return -EINVAL;
  // RESOLVE_CACHED: the caller must be ready to be told to try again without it.
  if ((restrictions & HOW_CACHED) != 0) return -EAGAIN;
  return openAt(directoryFd, path, <u32>flags, <u32>mode, resolveFlagsOf(restrictions));
}

/** close(2). The descriptor is free whatever the result. */
export function sysClose(fd: i32): i64 {
  const file = currentFiles().remove(fd);
  if (!file) return -EBADF;
  closeFile(file);
  return 0;
}

/** close_range(2). */
export function sysCloseRange(first: u32, last: u32, flags: u32): i64 {
  if (first > last || (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) != 0) return -EINVAL;
  if ((flags & CLOSE_RANGE_UNSHARE) != 0) {
    const unshared = unshareFiles();
    if (unshared < 0) return unshared;
  }
  const files = currentFiles();
  for (let fd = files.nextOpen(first); fd >= 0; fd = files.nextOpen(<u32>fd + 1)) {
    if (<u32>fd > last) break;
    if ((flags & CLOSE_RANGE_CLOEXEC) != 0) files.setDescriptorFlags(fd, FD_CLOEXEC);
    else sysClose(fd);
  }
  return 0;
}

/** Gives the process a descriptor table of its own, if it shares one; 0 or -ENOMEM. */
export function unshareFiles(): i64 {
  const process = currentProcess();
  const files: FdTable = process.files;
  if (files.referenceCount() == 1) return 0;
  const copy = files.duplicate();
  if (!copy) return -ENOMEM;
  process.files = copy;
  files.release();
  return 0;
}

/** The work behind all forms of open. @param resolveFlags RESOLVE_* of `fs/path` */
function openAt(directoryFd: i32, userPath: usize, given: u32, mode: u32, resolveFlags: u32): i64 {
  let flags = given;
  if ((flags & O_PATH) != 0) flags &= PATH_FLAGS;
  else {
    if ((flags & O_TMPFILE_BIT) != 0) {
      if ((flags & O_TMPFILE) != O_TMPFILE || (flags & O_ACCMODE) == O_RDONLY) return -EINVAL;
      if ((flags & O_CREAT) != 0) return -EINVAL;
    } else if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) return -EINVAL;
    flags |= O_LARGEFILE;
  }
  const path = takePath(userPath);
  if (isError(path)) return <i64>path;
  const files = currentFiles();
  const fd = files.reserve(0, descriptorLimit());
  if (fd < 0) {
    dropPath(path);
    return fd;
  }
  const opened = openTaken(directoryFd, path, flags, mode, resolveFlags);
  dropPath(path);
  if (isError(opened)) {
    files.cancel(fd);
    return <i64>opened;
  }
  const file = changetype<File>(opened);
  file.flags &= ~CREATION_FLAGS;
  files.fill(fd, file, (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
  return fd;
}

/** Opens a path that was copied in. @returns a File with a reference, or a negative error */
function openTaken(directoryFd: i32, path: usize, flags: u32, mode: u32, resolveFlags: u32): usize {
  const base = holdBase(directoryFd, path);
  if (isError(base)) return base;
  const opened = openPath(
    fsContext(),
    baseDentry(base),
    pathBytes(path),
    pathLength(path),
    flags,
    mode,
    resolveFlags,
  );
  drop(base);
  return opened;
}

function resolveFlagsOf(restrictions: u64): u32 {
  let flags: u32 = 0;
  if ((restrictions & HOW_NO_XDEV) != 0) flags |= RESOLVE_NO_XDEV;
  if ((restrictions & HOW_NO_MAGICLINKS) != 0) flags |= RESOLVE_NO_MAGICLINKS;
  if ((restrictions & HOW_NO_SYMLINKS) != 0) flags |= RESOLVE_NO_SYMLINKS;
  if ((restrictions & HOW_BENEATH) != 0) flags |= RESOLVE_BENEATH;
  if ((restrictions & HOW_IN_ROOT) != 0) flags |= RESOLVE_IN_ROOT;
  return flags;
}

/** 0 if `length` bytes of the application are zero, -E2BIG if one is not, -EFAULT. */
function expectZeros(address: usize, length: usize): i64 {
  let at = address;
  const end = address + length;
  while (at < end) {
    // Whole words first; struct sizes are multiples of 8 in every version of the ABI.
    if (end - at < 8) return -E2BIG;
    const loaded = load64(at);
    if (loaded < 0) return loaded;
    if (loadedValue() != 0) return -E2BIG;
    at += 8;
  }
  return 0;
}
