/**
 * Reading directories (getdents64(2), getdents(2)), and where a process is: chdir(2), fchdir(2),
 * getcwd(2), chroot(2).
 *
 * Neighbours: `directory-entries.ts` changes directories; `fs/vnode.ts` defines DirectorySink.
 */
import { DT_SHIFT, PATH_MAX } from "../fs/constants";
import { Dentry } from "../fs/dentry";
import { writePathOf } from "../fs/path-name";
import { File } from "../fs/file";
import { RESOLVE_DIRECTORY, RESOLVE_FOLLOW } from "../fs/path";
import { DirectorySink } from "../fs/vnode";
import { EBADF, EFAULT, EINVAL, ENOENT, ENOMEM, ENOTDIR, ERANGE, isError } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { drop, heldFile, hold, holdAny } from "./held-file";
import { AT_FDCWD, fsContext, resolveArgument } from "./path-argument";
import { lockPosition, unlockPosition } from "./position-lock";
import { checkRange, copyOut } from "./user-memory";

/** One call returns at most this many bytes of entries; a short count is always allowed. */
const ENTRIES_MAX: usize = 32768;

/** Bytes of struct linux_dirent64 before the name: d_ino, d_off, d_reclen, d_type. */
const DIRENT64_NAME: usize = 19;
/** Bytes of struct linux_dirent before the name: d_ino, d_off, d_reclen. */
const DIRENT_NAME: usize = 18;

/** Lays entries out in a kernel buffer as getdents64 or getdents returns them. */
class DirentWriter extends DirectorySink {
  used: usize = 0;
  /** True once an entry did not fit. */
  isFull: bool = false;

  constructor(
    private buffer: usize,
    private capacity: usize,
    private isWide: bool,
  ) {
    super();
  }

  entry(name: usize, nameLength: usize, inode: u64, type: u32, nextPosition: u64): bool {
    // The old form ends with the type byte, after the name's zero.
    const bytes = this.isWide ? DIRENT64_NAME + nameLength + 1 : DIRENT_NAME + nameLength + 2;
    const recordBytes = (bytes + 7) & ~7;
    if (this.used + recordBytes > this.capacity) {
      this.isFull = true;
      return false;
    }
    const record = this.buffer + this.used;
    memory.fill(record + recordBytes - 8, 0, 8);
    store<u64>(record, inode);
    store<u64>(record, nextPosition, 8);
    store<u16>(record, <u16>recordBytes, 16);
    const kind = <u8>(type >> DT_SHIFT);
    store<u8>(this.isWide ? record + 18 : record + recordBytes - 1, kind);
    const nameAt = record + (this.isWide ? DIRENT64_NAME : DIRENT_NAME);
    memory.copy(nameAt, name, nameLength);
    store<u8>(nameAt + nameLength, 0);
    this.used += recordBytes;
    return true;
  }
}

/** getdents64(2). */
export function sysGetdents64(fd: i32, buffer: usize, count: u32): i64 {
  return readEntries(fd, buffer, count, true);
}

/** getdents(2), the form of the 1990s. */
export function sysGetdents(fd: i32, buffer: usize, count: u32): i64 {
  return readEntries(fd, buffer, count, false);
}

function readEntries(fd: i32, buffer: usize, count: u32, isWide: bool): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  let result: i64 = -EFAULT;
  if (checkRange(buffer, count)) {
    const capacity = min(<usize>count, ENTRIES_MAX);
    const block = heapAllocate(max<usize>(capacity, 8));
    if (block == 0) result = -ENOMEM;
    else {
      const lock = lockPosition(file);
      result = fillEntries(file, block, capacity, buffer, isWide);
      unlockPosition(lock);
      heapFree(block);
    }
  }
  drop(held);
  return result;
}

/** Collects entries and hands them out; after a fault the offset is where it was. */
function fillEntries(file: File, block: usize, capacity: usize, user: usize, isWide: bool): i64 {
  const offsetBefore = file.offset;
  const writer = new DirentWriter(block, capacity, isWide);
  let result = file.iterate(writer);
  const used = writer.used;
  const isTooSmall = writer.isFull && used == 0;
  free(writer);
  if (used == 0) return result < 0 ? result : isTooSmall ? -EINVAL : 0;
  result = copyOut(user, block, used);
  if (result < 0) {
    file.offset = offsetBefore;
    return result;
  }
  return <i64>used;
}

/** chdir(2). */
export function sysChdir(path: usize): i64 {
  const found = resolveArgument(AT_FDCWD, path, RESOLVE_FOLLOW | RESOLVE_DIRECTORY);
  if (isError(found)) return <i64>found;
  const dentry = changetype<Dentry>(found);
  fsContext().setCwd(dentry);
  dentry.release();
  return 0;
}

/** fchdir(2). */
export function sysFchdir(fd: i32): i64 {
  const held = holdAny(fd);
  if (held == 0) return -EBADF;
  const dentry = heldFile(held).dentry;
  let result: i64 = -ENOTDIR;
  if (dentry && dentry.node.isDirectory) {
    fsContext().setCwd(dentry);
    result = 0;
  }
  drop(held);
  return result;
}

/** chroot(2). */
export function sysChroot(path: usize): i64 {
  const found = resolveArgument(AT_FDCWD, path, RESOLVE_FOLLOW | RESOLVE_DIRECTORY);
  if (isError(found)) return <i64>found;
  const dentry = changetype<Dentry>(found);
  fsContext().setRoot(dentry);
  dentry.release();
  return 0;
}

/**
 * getcwd(2) as the kernel has it: returns the length with the terminating zero. A directory outside
 * the root is reported as "(unreachable)/…", a removed one is ENOENT.
 */
export function sysGetcwd(buffer: usize, size: usize): i64 {
  const context = fsContext();
  const cwd = context.cwd;
  cwd.retain();
  if (cwd.isDeleted) {
    cwd.release();
    return -ENOENT;
  }
  const out = new ByteWriter();
  const isReachable = writePathOf(cwd, context.root, out, false);
  cwd.release();
  const prefix = new ByteWriter();
  if (!isReachable) prefix.writeString("(unreachable)");
  prefix.writeBytes(out.address, out.length);
  prefix.writeByte(0);
  const length = prefix.length;
  let result: i64 = <i64>length;
  if (length > PATH_MAX) result = -ENOENT;
  else if (length > size) result = -ERANGE;
  else {
    const copied = copyOut(buffer, prefix.address, length);
    if (copied < 0) result = copied;
  }
  out.dispose();
  free(out);
  prefix.dispose();
  free(prefix);
  return result;
}
