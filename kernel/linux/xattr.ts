/**
 * Extended attributes (xattr(7)): set, get, list and remove, each by path, by path without following
 * a link, and by descriptor.
 *
 * Neighbours: `fs/vnode.ts` (the operations), `path-argument.ts`.
 */
import { O_PATH } from "../fs/constants";
import { Dentry } from "../fs/dentry";
import { IN_ATTRIB, notifyFile } from "../fs/notify";
import { RESOLVE_FOLLOW } from "../fs/path";
import { Vnode } from "../fs/vnode";
import { startsWithLiteral } from "../lib/bytes";
import {
  E2BIG,
  EBADF,
  EINVAL,
  ENAMETOOLONG,
  ENODATA,
  ENOMEM,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
  EROFS,
  asError,
  isError,
} from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { drop, heldFile, holdAny } from "./held-file";
import { AT_FDCWD, resolveArgument } from "./path-argument";
import { copyIn, copyInString, copyOut } from "./user-memory";

/** Limits of linux/limits.h: name with its zero, value, list. */
const NAME_CAPACITY: usize = 256;
const VALUE_MAX: usize = 65536;

const XATTR_CREATE: i32 = 1;
const XATTR_REPLACE: i32 = 2;

/** setxattr(2). */
export function sysSetxattr(path: usize, name: usize, value: usize, size: usize, flags: i32): i64 {
  return setAttribute(dentryOfPath(path, RESOLVE_FOLLOW), name, value, size, flags);
}

/** lsetxattr(2). */
export function sysLsetxattr(path: usize, name: usize, value: usize, size: usize, flags: i32): i64 {
  return setAttribute(dentryOfPath(path, 0), name, value, size, flags);
}

/** fsetxattr(2). */
export function sysFsetxattr(fd: i32, name: usize, value: usize, size: usize, flags: i32): i64 {
  return setAttribute(dentryOfDescriptor(fd), name, value, size, flags);
}

/** getxattr(2). */
export function sysGetxattr(path: usize, name: usize, value: usize, size: usize): i64 {
  return getAttribute(dentryOfPath(path, RESOLVE_FOLLOW), name, value, size);
}

/** lgetxattr(2). */
export function sysLgetxattr(path: usize, name: usize, value: usize, size: usize): i64 {
  return getAttribute(dentryOfPath(path, 0), name, value, size);
}

/** fgetxattr(2). */
export function sysFgetxattr(fd: i32, name: usize, value: usize, size: usize): i64 {
  return getAttribute(dentryOfDescriptor(fd), name, value, size);
}

/** listxattr(2). */
export function sysListxattr(path: usize, list: usize, size: usize): i64 {
  return listAttributes(dentryOfPath(path, RESOLVE_FOLLOW), list, size);
}

/** llistxattr(2). */
export function sysLlistxattr(path: usize, list: usize, size: usize): i64 {
  return listAttributes(dentryOfPath(path, 0), list, size);
}

/** flistxattr(2). */
export function sysFlistxattr(fd: i32, list: usize, size: usize): i64 {
  return listAttributes(dentryOfDescriptor(fd), list, size);
}

/** removexattr(2). */
export function sysRemovexattr(path: usize, name: usize): i64 {
  return removeAttribute(dentryOfPath(path, RESOLVE_FOLLOW), name);
}

/** lremovexattr(2). */
export function sysLremovexattr(path: usize, name: usize): i64 {
  return removeAttribute(dentryOfPath(path, 0), name);
}

/** fremovexattr(2). */
export function sysFremovexattr(fd: i32, name: usize): i64 {
  return removeAttribute(dentryOfDescriptor(fd), name);
}

/** The Dentry a path names, with a reference, or a negative error. */
function dentryOfPath(path: usize, resolveFlags: u32): usize {
  return resolveArgument(AT_FDCWD, path, resolveFlags);
}

/** The Dentry behind a descriptor, with a reference, or a negative error. */
function dentryOfDescriptor(fd: i32): usize {
  const held = holdAny(fd);
  if (held == 0) return asError(-EBADF);
  const file = heldFile(held);
  const dentry = file.dentry;
  let result = asError((file.flags & O_PATH) != 0 ? -EBADF : -EOPNOTSUPP);
  if (dentry && (file.flags & O_PATH) == 0) {
    dentry.retain();
    result = changetype<usize>(dentry);
  }
  drop(held);
  return result;
}

/** Copies an attribute's name to `block`; its length, -ERANGE (empty or too long) or -EFAULT. */
function takeName(block: usize, userName: usize): i64 {
  const length = copyInString(userName, block, NAME_CAPACITY);
  return length == 0 || length == -ENAMETOOLONG ? -ERANGE : length;
}

/** Only regular files and directories have attributes "user." (xattr(7)). */
function isBarred(vnode: Vnode, name: usize, nameLength: usize): bool {
  return !vnode.isRegular && !vnode.isDirectory && startsWithLiteral(name, nameLength, "user.");
}

// The functions below take over the reference of `found`, a Dentry or an error.

function setAttribute(found: usize, userName: usize, value: usize, size: usize, flags: i32): i64 {
  if (isError(found)) return <i64>found;
  const dentry = changetype<Dentry>(found);
  const result = setOn(dentry.node, userName, value, size, flags);
  if (result == 0) notifyFile(dentry, IN_ATTRIB);
  dentry.release();
  return result;
}

function setOn(vnode: Vnode, userName: usize, value: usize, size: usize, flags: i32): i64 {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) != 0) return -EINVAL;
  if (size > VALUE_MAX) return -E2BIG;
  const block = heapAllocate(NAME_CAPACITY + size);
  if (block == 0) return -ENOMEM;
  let result = takeName(block, userName);
  if (result > 0) {
    const nameLength = <usize>result;
    result = copyIn(block + NAME_CAPACITY, value, size);
    if (result == 0 && vnode.fs.readOnly) result = -EROFS;
    if (result == 0 && isBarred(vnode, block, nameLength)) result = -EPERM;
    if (result == 0) {
      const kernelValue = block + NAME_CAPACITY;
      result = vnode.setExtendedAttribute(block, nameLength, kernelValue, size, <u32>flags);
    }
  }
  heapFree(block);
  return result;
}

function getAttribute(found: usize, userName: usize, value: usize, size: usize): i64 {
  if (isError(found)) return <i64>found;
  const dentry = changetype<Dentry>(found);
  const vnode = dentry.node;
  const capacity = min(size, VALUE_MAX);
  const block = heapAllocate(NAME_CAPACITY + capacity);
  let result: i64 = -ENOMEM;
  if (block != 0) {
    result = takeName(block, userName);
    if (result > 0) {
      const kernelValue = block + NAME_CAPACITY;
      result = isBarred(vnode, block, <usize>result)
        ? -ENODATA
        : vnode.getExtendedAttribute(block, <usize>result, kernelValue, capacity);
      if (result > 0 && size != 0) result = deliver(value, kernelValue, result);
    }
    heapFree(block);
  }
  dentry.release();
  return result;
}

function listAttributes(found: usize, list: usize, size: usize): i64 {
  if (isError(found)) return <i64>found;
  const dentry = changetype<Dentry>(found);
  const vnode = dentry.node;
  const capacity = min(size, VALUE_MAX);
  const block = heapAllocate(max<usize>(capacity, 8));
  let result: i64 = -ENOMEM;
  if (block != 0) {
    result = vnode.listExtendedAttributes(block, capacity);
    if (result > 0 && size != 0) result = deliver(list, block, result);
    heapFree(block);
  }
  dentry.release();
  return result;
}

function deliver(user: usize, kernel: usize, length: i64): i64 {
  const copied = copyOut(user, kernel, <usize>length);
  return copied < 0 ? copied : length;
}

function removeAttribute(found: usize, userName: usize): i64 {
  if (isError(found)) return <i64>found;
  const dentry = changetype<Dentry>(found);
  const vnode = dentry.node;
  const block = heapAllocate(NAME_CAPACITY);
  let result: i64 = -ENOMEM;
  if (block != 0) {
    result = takeName(block, userName);
    if (result > 0) {
      if (vnode.fs.readOnly) result = -EROFS;
      else if (isBarred(vnode, block, <usize>result)) result = -EPERM;
      else result = vnode.removeExtendedAttribute(block, <usize>result);
    }
    heapFree(block);
  }
  if (result == 0) notifyFile(dentry, IN_ATTRIB);
  dentry.release();
  return result;
}
