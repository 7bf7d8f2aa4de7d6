/**
 * Advisory locks: flock(2), and the record locks of fcntl(2) in both forms (owned by the process,
 * or by the open file description).
 *
 * flock locks and record locks do not see each other (flock(2), NOTES): two lists per file, kept in
 * a table by the vnode's address for as long as a lock is held.
 *
 * Lock: `tableLock` guards the table and all lists. Waiters of all files share one queue and look
 * again whenever something is released; contended file locks are rare.
 *
 * Neighbours: `range-locks.ts` (the arithmetic), `file-watch.ts` (locks end with the open file).
 */
import { SpinLock } from "../arch/spinlock";
import { SEEK_CUR, SEEK_END, SEEK_SET } from "../fs/constants";
import { File } from "../fs/file";
import { kernelMemoryIsShort } from "../fs/page-cache";
import { Vnode } from "../fs/vnode";
import { HashTable, hashInteger } from "../lib/hashtable";
import { EAGAIN, EBADF, EINVAL, ENOLCK, EOVERFLOW } from "../lib/errno";
import { free } from "../lib/object";
import { FOREVER, WaitQueue } from "../sched/wait";
import { FileWatcher, startWatching, stopWatching } from "./file-watch";
import { drop, heldFile, hold } from "./held-file";
import { currentProcess } from "./process";
import {
  LOCK_NONE,
  LOCK_READ,
  LOCK_TO_END,
  LOCK_WRITE,
  RangeLock,
  RangeLockList,
} from "./range-locks";
import { copyIn, copyOut, scratch } from "./user-memory";

const F_GETLK: i32 = 5;
const F_SETLK: i32 = 6;
const F_SETLKW: i32 = 7;
const F_OFD_GETLK: i32 = 36;
const F_OFD_SETLK: i32 = 37;
const F_OFD_SETLKW: i32 = 38;

/** Operations of flock(2). */
const LOCK_SH: i32 = 1;
const LOCK_EX: i32 = 2;
const LOCK_NB: i32 = 4;
const LOCK_UN: i32 = 8;
/** Mandatory share modes, without effect since Linux 5.5. */
const LOCK_MAND: i32 = 32;

/** struct flock of x86-64. */
@unmanaged
class LinuxFlock {
  type: i16;
  whence: i16;
  padding0: u32;
  start: i64;
  length: i64;
  pid: i32;
  padding1: u32;
}

/** The locks of one vnode. Every lock ends before the last open file of the vnode does. */
class VnodeLocks {
  hashNext: usize = 0;
  hashValue: u64 = 0;
  records: RangeLockList = new RangeLockList();
  whole: RangeLockList = new RangeLockList();

  constructor(public vnode: Vnode) {}
}

/** Ends the locks that an open file owns when the file ends. */
class LockWatcher extends FileWatcher {
  fileEnded(): void {
    const file = changetype<File>(changetype<usize>(this.watched));
    stopWatching(this);
    const vnode = file.vnode;
    if (vnode) releaseOwner(vnode, changetype<usize>(file));
    free(this);
  }
}

const tableLock = new SpinLock();
const table = new HashTable<VnodeLocks>(offsetof<VnodeLocks>("hashNext"));
const released = new WaitQueue();

/** flock(2). */
export function sysFlock(fd: i32, operation: i32): i64 {
  if ((operation & LOCK_MAND) != 0) return 0;
  const kind = operation & ~LOCK_NB;
  if (kind != LOCK_SH && kind != LOCK_EX && kind != LOCK_UN) return -EINVAL;
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const file = heldFile(held);
  const vnode = file.vnode;
  let result: i64 = 0;
  if (vnode) {
    const type = kind == LOCK_SH ? LOCK_READ : kind == LOCK_EX ? LOCK_WRITE : LOCK_NONE;
    const owner = changetype<usize>(file);
    const waits = (operation & LOCK_NB) == 0;
    result = setLock(vnode, file, owner, false, type, 0, LOCK_TO_END, 0, waits);
  }
  drop(held);
  return result;
}

/** True if `command` of fcntl(2) is about record locks. */
export function isLockCommand(command: i32): bool {
  return (
    (command >= F_GETLK && command <= F_SETLKW) ||
    (command >= F_OFD_GETLK && command <= F_OFD_SETLKW)
  );
}

/** The lock commands of fcntl(2). @param userLock address of a struct flock */
export function lockCommand(file: File, command: i32, userLock: usize): i64 {
  const block = scratch();
  const copied = copyIn(block, userLock, offsetof<LinuxFlock>());
  if (copied < 0) return copied;
  const request = changetype<LinuxFlock>(block);
  const type = <u32>(<i32>request.type);
  const byFile = command >= F_OFD_GETLK;
  if (byFile && request.pid != 0) return -EINVAL;
  const base = baseOfRange(file, <u32>(<i32>request.whence));
  if (base < 0) return base;
  const range = absoluteRange(base, request);
  if (range < 0) return range;
  const start = <u64>request.start;
  const end = <u64>request.length;
  const vnode = file.vnode;
  if (!vnode) return -EBADF;
  const owner = byFile ? changetype<usize>(file) : changetype<usize>(currentProcess());
  if (command == F_GETLK || command == F_OFD_GETLK) {
    if (type > LOCK_WRITE) return -EINVAL;
    return reportConflict(vnode, owner, type, start, end, userLock);
  }
  if (type > LOCK_NONE) return -EINVAL;
  if (type == LOCK_READ && !file.isReadable) return -EBADF;
  if (type == LOCK_WRITE && !file.isWritable) return -EBADF;
  const waits = command == F_SETLKW || command == F_OFD_SETLKW;
  const pid = byFile ? -1 : currentProcess().id;
  return setLock(vnode, byFile ? file : null, owner, true, type, start, end, pid, waits);
}

/** Closing any descriptor of a file ends the process's record locks on it (fcntl(2)). */
export function releaseProcessLocks(file: File): void {
  if (table.length == 0) return;
  const vnode = file.vnode;
  if (vnode) releaseOwner(vnode, changetype<usize>(currentProcess()));
}

/** The position that l_whence refers to, or -EINVAL. */
function baseOfRange(file: File, whence: u32): i64 {
  if (whence == SEEK_SET) return 0;
  if (whence == SEEK_CUR) return <i64>file.offset;
  const vnode = file.vnode;
  if (whence == SEEK_END && vnode) return <i64>vnode.sizeBytes();
  return -EINVAL;
}

/** Turns `start` and `length` into first and last byte in place; 0, -EINVAL or -EOVERFLOW. */
function absoluteRange(base: i64, request: LinuxFlock): i64 {
  const length = request.length;
  let start = base + request.start;
  if (request.start > 0 && start < base) return -EOVERFLOW;
  let end = <i64>LOCK_TO_END;
  if (length > 0) {
    end = start + length - 1;
    if (end < start) return -EOVERFLOW;
  } else if (length < 0) {
    // A negative length covers the bytes before `start`.
    end = start - 1;
    start += length;
  }
  if (start < 0) return -EINVAL;
  request.start = start;
  request.length = end;
  return 0;
}

/** F_GETLK: describes the first lock that is in the way, or says there is none. */
function reportConflict(
  vnode: Vnode,
  owner: usize,
  type: u32,
  start: u64,
  end: u64,
  userLock: usize,
): i64 {
  const answer = changetype<LinuxFlock>(scratch());
  tableLock.acquire();
  const locks = find(vnode);
  const other: RangeLock | null = locks ? locks.records.conflict(owner, type, start, end) : null;
  if (other) {
    answer.type = <i16>other.type;
    answer.whence = <i16>SEEK_SET;
    answer.start = <i64>other.start;
    answer.length = other.end == LOCK_TO_END ? 0 : <i64>(other.end - other.start + 1);
    answer.pid = other.pid;
  }
  tableLock.release();
  if (other) return copyOut(userLock, changetype<usize>(answer), offsetof<LinuxFlock>());
  const none = scratch();
  store<i16>(none, <i16>LOCK_NONE);
  return copyOut(userLock, none, 2);
}

/** Sets or releases a lock; waits for others if told to. @param ownerFile the file that owns it */
function setLock(
  vnode: Vnode,
  ownerFile: File | null,
  owner: usize,
  isRecord: bool,
  type: u32,
  start: u64,
  end: u64,
  pid: i32,
  waits: bool,
): i64 {
  if (type != LOCK_NONE && kernelMemoryIsShort()) return -ENOLCK;
  // Allocated before the spin lock is taken, dropped if it turns out not to be needed.
  if (type != LOCK_NONE && ownerFile) watchOnce(ownerFile);
  let result: i64 = 0;
  tableLock.acquire();
  while (true) {
    const locks = type == LOCK_NONE ? find(vnode) : findOrMake(vnode);
    if (!locks) break;
    const list = isRecord ? locks.records : locks.whole;
    if (type == LOCK_NONE || !list.conflict(owner, type, start, end)) {
      if (list.set(owner, type, start, end, pid)) released.wakeAll();
      dropIfEmpty(locks);
      break;
    }
    // flock(2) converts a lock by releasing it first.
    if (!isRecord && list.releaseAll(owner)) released.wakeAll();
    if (!waits) {
      result = -EAGAIN;
      break;
    }
    result = released.sleep(tableLock, FOREVER, true);
    if (result < 0) break;
  }
  tableLock.release();
  return result;
}

/** Makes sure that the locks owned by `file` end with it. */
function watchOnce(file: File): void {
  let watcher = changetype<FileWatcher | null>(file.watchers);
  while (watcher) {
    if (watcher instanceof LockWatcher) return;
    watcher = watcher.nextWatcher;
  }
  startWatching(new LockWatcher(), file);
}

/** Ends all locks of an owner on a vnode, of either kind. */
function releaseOwner(vnode: Vnode, owner: usize): void {
  tableLock.acquire();
  const locks = find(vnode);
  if (locks) {
    const hadRecords = locks.records.releaseAll(owner);
    const hadWhole = locks.whole.releaseAll(owner);
    if (hadRecords || hadWhole) released.wakeAll();
    dropIfEmpty(locks);
  }
  tableLock.release();
}

function find(vnode: Vnode): VnodeLocks | null {
  const hash = hashInteger(changetype<usize>(vnode));
  let locks = table.firstWith(hash);
  while (locks && locks.vnode != vnode) locks = table.nextWith(locks);
  return locks;
}

function findOrMake(vnode: Vnode): VnodeLocks {
  const found = find(vnode);
  if (found) return found;
  const made = new VnodeLocks(vnode);
  table.insert(made, hashInteger(changetype<usize>(vnode)));
  return made;
}

function dropIfEmpty(locks: VnodeLocks): void {
  if (!locks.records.isEmpty() || !locks.whole.isEmpty()) return;
  table.remove(locks);
  free(locks.records);
  free(locks.whole);
  free(locks);
}
