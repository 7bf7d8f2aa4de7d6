/**
 * Handles of files (name_to_handle_at(2), open_by_handle_at(2)), ustat(2) and cachestat(2): files asked
 * about in other ways than by stat.
 *
 * No file system here can find a file by its number, so none gives out handles, like Linux's overlayfs
 * in its default setting.
 *
 * Neighbours: `file-stat.ts`, `fs/mount`.
 */
import { Dentry } from "../fs/dentry";
import { firstMount } from "../fs/mount";
import { RESOLVE_EMPTY, RESOLVE_FOLLOW } from "../fs/path";
import { FileSystemStat } from "../fs/stat";
import { Vnode } from "../fs/vnode";
import { EBADF, EFAULT, EINVAL, EOPNOTSUPP, ESTALE, isError } from "../lib/errno";
import { free } from "../lib/object";
import { drop, heldFile, hold, holdAny } from "./held-file";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW, resolveArgument } from "./path-argument";
import { copyIn, copyOut, load32, loadedValue, scratch } from "./user-memory";

/** struct file_handle: size of the handle u32, type i32, the handle. */
const MAX_HANDLE_BYTES: u64 = 128;
const AT_HANDLE_FID: u32 = 0x200;
const AT_HANDLE_MNT_ID_UNIQUE: u32 = 1;

/** struct ustat: free blocks i32, free inodes u64, two names of 6 bytes. */
const USTAT_BYTES: usize = 32;
const PAGE_SHIFT: u64 = 12;

/** struct cachestat: cached, dirty, under write-back, evicted, recently evicted; u64 each. */
const CACHESTAT_BYTES: usize = 40;

/** name_to_handle_at(2): -EOPNOTSUPP for every file that exists. */
export function sysNameToHandleAt(
  directoryFd: i32,
  path: usize,
  handle: usize,
  _mountId: usize,
  flags: u32,
): i64 {
  const known = AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | AT_HANDLE_FID | AT_HANDLE_MNT_ID_UNIQUE;
  if ((flags & ~known) != 0) return -EINVAL;
  let resolveFlags: u32 = (flags & AT_SYMLINK_FOLLOW) != 0 ? RESOLVE_FOLLOW : 0;
  if ((flags & AT_EMPTY_PATH) != 0) resolveFlags |= RESOLVE_EMPTY;
  const found = resolveArgument(directoryFd, path, resolveFlags);
  if (isError(found)) return <i64>found;
  changetype<Dentry>(found).release();
  const error = load32(handle);
  if (error != 0) return error;
  return loadedValue() > MAX_HANDLE_BYTES ? -EINVAL : -EOPNOTSUPP;
}

/** open_by_handle_at(2): a handle, which nobody was given, leads nowhere. */
export function sysOpenByHandleAt(mountFd: i32, handle: usize, _flags: u32): i64 {
  if (mountFd != AT_FDCWD) {
    const held = holdAny(mountFd);
    if (held == 0) return -EBADF;
    drop(held);
  }
  const error = load32(handle);
  if (error != 0) return error;
  const bytes = loadedValue();
  return bytes == 0 || bytes > MAX_HANDLE_BYTES ? -EINVAL : -ESTALE;
}

/** ustat(2): free blocks and inodes of a mounted file system. */
export function sysUstat(device: u32, buffer: usize): i64 {
  let mount = firstMount();
  while (mount && mount.fs.device != <u64>device) mount = mount.next;
  if (!mount) return -EINVAL;
  const facts = new FileSystemStat();
  mount.fs.statistics(facts);
  const out = scratch();
  memory.fill(out, 0, USTAT_BYTES);
  store<u32>(out, <u32>facts.blocksFree);
  store<u64>(out, facts.filesFree, 8);
  free(facts);
  return copyOut(buffer, out, USTAT_BYTES);
}

/** cachestat(2): pages of a range of a file that are in memory. Nothing waits to be written here. */
export function sysCachestat(fd: i32, range: usize, result: usize, flags: u32): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const out = scratch();
  let status: i64 = copyIn(out, range, 16) != 0 ? -EFAULT : 0;
  if (status == 0 && flags != 0) status = -EINVAL;
  if (status == 0) {
    const start = load<u64>(out);
    const length = load<u64>(out, 8);
    const vnode = heldFile(held).vnode;
    const cached = vnode && vnode.isRegular ? countCached(vnode, start, length) : 0;
    memory.fill(out, 0, CACHESTAT_BYTES);
    store<u64>(out, cached);
    status = copyOut(result, out, CACHESTAT_BYTES);
  }
  drop(held);
  return status;
}

/** @param length bytes; 0 = to the end */
function countCached(vnode: Vnode, start: u64, length: u64): u64 {
  const end = (vnode.sizeBytes() + 4095) >> PAGE_SHIFT;
  let last = end;
  if (length != 0 && start + length > start) {
    last = min(end, ((start + length - 1) >> PAGE_SHIFT) + 1);
  }
  const pages = vnode.pages;
  if (!pages) return 0;
  let count: u64 = 0;
  let index = pages.nextPresent(start >> PAGE_SHIFT);
  while (index < last) {
    count++;
    index = pages.nextPresent(index + 1);
  }
  return count;
}
