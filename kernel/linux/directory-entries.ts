/**
 * System calls that make, remove and move names: mkdir(2), rmdir(2), unlink(2), rename(2), link(2),
 * symlink(2), readlink(2), mknod(2), each in the plain and the *at form.
 *
 * Neighbours: `fs/namespace.ts` does the work under its locks, `path-argument.ts` copies paths.
 */
import {
  PATH_MAX,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_PERMISSIONS,
} from "../fs/constants";
import { Dentry } from "../fs/dentry";
import {
  makeDirectory,
  makeLink,
  makeNode,
  makeSymlink,
  removeDirectory,
  removeFile,
  renamePath,
} from "../fs/namespace";
import { RESOLVE_EMPTY, RESOLVE_FOLLOW } from "../fs/path";
import { EINVAL, ENOMEM, EPERM, isError } from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { drop } from "./held-file";
import { readOwnExecutable } from "./own-executable";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  baseDentry,
  dropPath,
  fsContext,
  holdBase,
  pathBytes,
  pathLength,
  resolveArgument,
  takePath,
} from "./path-argument";
import { copyOut } from "./user-memory";

/** mkdir(2). */
export function sysMkdir(path: usize, mode: u32): i64 {
  return sysMkdirat(AT_FDCWD, path, mode);
}

/** mkdirat(2). */
export function sysMkdirat(directoryFd: i32, userPath: usize, mode: u32): i64 {
  const path = takePath(userPath);
  if (isError(path)) return <i64>path;
  const base = holdBase(directoryFd, path);
  let result = <i64>base;
  if (!isError(base)) {
    const permissions = mode & S_PERMISSIONS;
    const directory = baseDentry(base);
    result = makeDirectory(fsContext(), directory, pathBytes(path), pathLength(path), permissions);
    drop(base);
  }
  dropPath(path);
  return result;
}

/** rmdir(2). */
export function sysRmdir(path: usize): i64 {
  return sysUnlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

/** unlink(2). */
export function sysUnlink(path: usize): i64 {
  return sysUnlinkat(AT_FDCWD, path, 0);
}

/** unlinkat(2). */
export function sysUnlinkat(directoryFd: i32, userPath: usize, flags: u32): i64 {
  if ((flags & ~AT_REMOVEDIR) != 0) return -EINVAL;
  const path = takePath(userPath);
  if (isError(path)) return <i64>path;
  const base = holdBase(directoryFd, path);
  let result = <i64>base;
  if (!isError(base)) {
    const directory = baseDentry(base);
    result =
      (flags & AT_REMOVEDIR) != 0
        ? removeDirectory(fsContext(), directory, pathBytes(path), pathLength(path))
        : removeFile(fsContext(), directory, pathBytes(path), pathLength(path));
    drop(base);
  }
  dropPath(path);
  return result;
}

/** rename(2). */
export function sysRename(oldPath: usize, newPath: usize): i64 {
  return sysRenameat2(AT_FDCWD, oldPath, AT_FDCWD, newPath, 0);
}

/** renameat(2). */
export function sysRenameat(oldFd: i32, oldPath: usize, newFd: i32, newPath: usize): i64 {
  return sysRenameat2(oldFd, oldPath, newFd, newPath, 0);
}

/** renameat2(2); RENAME_WHITEOUT is for overlay file systems and is refused as they do not exist. */
export function sysRenameat2(
  oldFd: i32,
  oldUserPath: usize,
  newFd: i32,
  newUserPath: usize,
  flags: u32,
): i64 {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) != 0) return -EINVAL;
  if ((flags & RENAME_EXCHANGE) != 0 && flags != RENAME_EXCHANGE) return -EINVAL;
  if ((flags & RENAME_WHITEOUT) != 0) return -EINVAL;
  const oldPath = takePath(oldUserPath);
  if (isError(oldPath)) return <i64>oldPath;
  const newPath = takePath(newUserPath);
  let result = <i64>newPath;
  if (!isError(newPath)) {
    result = renameTaken(oldFd, oldPath, newFd, newPath, flags);
    dropPath(newPath);
  }
  dropPath(oldPath);
  return result;
}

function renameTaken(oldFd: i32, oldPath: usize, newFd: i32, newPath: usize, flags: u32): i64 {
  const oldBase = holdBase(oldFd, oldPath);
  if (isError(oldBase)) return <i64>oldBase;
  const newBase = holdBase(newFd, newPath);
  let result = <i64>newBase;
  if (!isError(newBase)) {
    result = renamePath(
      fsContext(),
      baseDentry(oldBase),
      pathBytes(oldPath),
      pathLength(oldPath),
      baseDentry(newBase),
      pathBytes(newPath),
      pathLength(newPath),
      flags,
    );
    drop(newBase);
  }
  drop(oldBase);
  return result;
}

/** link(2). */
export function sysLink(oldPath: usize, newPath: usize): i64 {
  return sysLinkat(AT_FDCWD, oldPath, AT_FDCWD, newPath, 0);
}

/** linkat(2). */
export function sysLinkat(
  oldFd: i32,
  oldPath: usize,
  newFd: i32,
  newUserPath: usize,
  flags: u32,
): i64 {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0) return -EINVAL;
  let resolveFlags: u32 = (flags & AT_SYMLINK_FOLLOW) != 0 ? RESOLVE_FOLLOW : 0;
  if ((flags & AT_EMPTY_PATH) != 0) resolveFlags |= RESOLVE_EMPTY;
  const found = resolveArgument(oldFd, oldPath, resolveFlags);
  if (isError(found)) return <i64>found;
  const source = changetype<Dentry>(found);
  const path = takePath(newUserPath);
  let result = <i64>path;
  if (!isError(path)) {
    const base = holdBase(newFd, path);
    result = <i64>base;
    if (!isError(base)) {
      const directory = baseDentry(base);
      result = makeLink(fsContext(), source, directory, pathBytes(path), pathLength(path));
      drop(base);
    }
    dropPath(path);
  }
  source.release();
  return result;
}

/** symlink(2). */
export function sysSymlink(target: usize, path: usize): i64 {
  return sysSymlinkat(target, AT_FDCWD, path);
}

/** symlinkat(2). */
export function sysSymlinkat(userTarget: usize, directoryFd: i32, userPath: usize): i64 {
  const target = takePath(userTarget);
  if (isError(target)) return <i64>target;
  const path = takePath(userPath);
  let result = <i64>path;
  if (!isError(path)) {
    const base = holdBase(directoryFd, path);
    result = <i64>base;
    if (!isError(base)) {
      result = makeSymlink(
        fsContext(),
        pathBytes(target),
        pathLength(target),
        baseDentry(base),
        pathBytes(path),
        pathLength(path),
      );
      drop(base);
    }
    dropPath(path);
  }
  dropPath(target);
  return result;
}

/** readlink(2). */
export function sysReadlink(path: usize, buffer: usize, size: i32): i64 {
  return sysReadlinkat(AT_FDCWD, path, buffer, size);
}

/** readlinkat(2); an empty path means the link that the descriptor (O_PATH | O_NOFOLLOW) refers to. */
export function sysReadlinkat(directoryFd: i32, path: usize, buffer: usize, size: i32): i64 {
  if (size <= 0) return -EINVAL;
  const capacity = min<usize>(<usize>size, PATH_MAX);
  const own = readOwnExecutable(path, buffer, capacity);
  if (own != 0) return own;
  const found = resolveArgument(directoryFd, path, directoryFd >= 0 ? RESOLVE_EMPTY : 0);
  if (isError(found)) return <i64>found;
  const dentry = changetype<Dentry>(found);
  const block = heapAllocate(capacity);
  let result: i64 = -ENOMEM;
  if (block != 0) {
    result = dentry.node.isSymlink ? dentry.node.readlink(block, capacity) : -EINVAL;
    if (result > 0) {
      const copied = copyOut(buffer, block, <usize>result);
      if (copied < 0) result = copied;
    }
    heapFree(block);
  }
  dentry.release();
  return result;
}

/** mknod(2). */
export function sysMknod(path: usize, mode: u32, device: u32): i64 {
  return sysMknodat(AT_FDCWD, path, mode, device);
}

/** mknodat(2). */
export function sysMknodat(directoryFd: i32, userPath: usize, mode: u32, device: u32): i64 {
  let type = mode & S_IFMT;
  if (type == 0) type = S_IFREG;
  const path = takePath(userPath);
  if (isError(path)) return <i64>path;
  let result: i64 = -EINVAL;
  if (type == S_IFDIR) result = -EPERM;
  else if (isNodeType(type)) {
    const base = holdBase(directoryFd, path);
    result = <i64>base;
    if (!isError(base)) {
      const isDevice = type == S_IFCHR || type == S_IFBLK;
      result = makeNode(
        fsContext(),
        baseDentry(base),
        pathBytes(path),
        pathLength(path),
        type | (mode & S_PERMISSIONS),
        isDevice ? <u64>device : 0,
      );
      drop(base);
    }
  }
  dropPath(path);
  return result;
}

function isNodeType(type: u32): bool {
  return (
    type == S_IFREG || type == S_IFCHR || type == S_IFBLK || type == S_IFIFO || type == S_IFSOCK
  );
}
