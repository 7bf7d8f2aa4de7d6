/**
 * The length of files and the advice about their use: truncate(2), ftruncate(2), fallocate(2),
 * posix_fadvise(2), readahead(2).
 */
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, O_PATH } from "../fs/constants";
import { Dentry } from "../fs/dentry";
import { File } from "../fs/file";
import { IN_MODIFY, notifyFile } from "../fs/notify";
import { RESOLVE_FOLLOW } from "../fs/path";
import { PipeFile } from "../fs/pipe-file";
import { truncateVnode } from "../fs/write-locks";
import {
  EBADF,
  EFBIG,
  EINVAL,
  EISDIR,
  ENODEV,
  EOPNOTSUPP,
  EROFS,
  ESPIPE,
  ETXTBSY,
  isError,
} from "../lib/errno";
import { checkFileSize } from "./file-size-limit";
import { drop, heldFile, hold } from "./held-file";
import { AT_FDCWD, resolveArgument } from "./path-argument";

/** All mode bits fallocate(2) defines. */
const FALLOC_KNOWN: i32 = 0x7f;
/** Advice numbers of posix_fadvise(2): 0 to 5. */
const ADVICE_LAST: i32 = 5;

/** truncate(2). */
export function sysTruncate(path: usize, length: i64): i64 {
  if (length < 0) return -EINVAL;
  const found = resolveArgument(AT_FDCWD, path, RESOLVE_FOLLOW);
  if (isError(found)) return <i64>found;
  const dentry = changetype<Dentry>(found);
  const vnode = dentry.node;
  let result: i64;
  if (vnode.isDirectory) result = -EISDIR;
  else if (!vnode.isRegular) result = -EINVAL;
  else if (vnode.fs.readOnly) result = -EROFS;
  else if (vnode.isRunning) result = -ETXTBSY;
  else {
    result = checkFileSize(<u64>length, vnode.sizeBytes());
    if (result == 0) result = truncateVnode(vnode, <u64>length);
    if (result == 0) notifyFile(dentry, IN_MODIFY);
  }
  dentry.release();
  return result;
}

/** ftruncate(2). */
export function sysFtruncate(fd: i32, length: i64): i64 {
  if (length < 0) return -EINVAL;
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64 = -EINVAL;
  const vnode = file.vnode;
  if (vnode && vnode.isRegular && file.isWritable) {
    result = checkFileSize(<u64>length, vnode.sizeBytes());
    if (result == 0) result = file.truncate(<u64>length);
  }
  drop(held);
  return result;
}

/** fallocate(2). */
export function sysFallocate(fd: i32, mode: i32, offset: i64, length: i64): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const result = allocate(heldFile(held), <u32>mode, offset, length);
  drop(held);
  return result;
}

function allocate(file: File, mode: u32, offset: i64, length: i64): i64 {
  if (offset < 0 || length <= 0) return -EINVAL;
  if ((mode & ~(<u32>FALLOC_KNOWN)) != 0) return -EOPNOTSUPP;
  if ((mode & FALLOC_FL_PUNCH_HOLE) != 0 && (mode & FALLOC_FL_KEEP_SIZE) == 0) return -EOPNOTSUPP;
  if (!file.isWritable) return -EBADF;
  const vnode = file.vnode;
  if (!vnode || file instanceof PipeFile) return -ESPIPE;
  if (vnode.isDirectory) return -EISDIR;
  if (!vnode.isRegular) return -ENODEV;
  if (offset + length < 0) return -EFBIG;
  const allowed = checkFileSize(<u64>(offset + length), vnode.sizeBytes());
  if (allowed < 0) return allowed;
  return file.allocate(mode, <u64>offset, <u64>length);
}

/** posix_fadvise(2): the page cache finds sequential readers by itself, so advice is only checked. */
export function sysFadvise64(fd: i32, _offset: i64, length: i64, advice: i32): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  let result: i64 = 0;
  if (heldFile(held) instanceof PipeFile) result = -ESPIPE;
  else if (length < 0 || advice < 0 || advice > ADVICE_LAST) result = -EINVAL;
  drop(held);
  return result;
}

/** readahead(2): as with posix_fadvise, a hint that is not needed. */
export function sysReadahead(fd: i32, _offset: i64, _count: usize): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  const vnode = file.vnode;
  let result: i64 = 0;
  if ((file.flags & O_PATH) != 0 || !file.isReadable) result = -EBADF;
  else if (!vnode || !vnode.isRegular) result = -EINVAL;
  drop(held);
  return result;
}
