/**
 * PI futexes (futex(2), Linux Documentation/locking/pi-futex.rst): mutexes whose word names the owner,
 * who gives a contended one directly to the thread that waited longest. Threads have one priority here,
 * so there is none to inherit; ownership, errors and the death of owners are Linux's.
 *
 * Waiters are in the futex table; each knows who has the futex. Lock: `piLock` guards what waiters know,
 * and no waiter for a PI futex comes or goes without it. It sleeps, because the word is application
 * memory. Order: `piLock`, then `familyLock` or an address space, then buckets.
 *
 * Neighbours: `futex-pi-requeue.ts`, `futex-word.ts`, `futex-table.ts`, `exit.ts` and `exec.ts` (owners end).
 */
import {
  EAGAIN,
  EDEADLK,
  EFAULT,
  EINTR,
  EINVAL,
  EPERM,
  ERESTARTNOINTR,
  ESRCH,
  asError,
  errorOf,
  isError,
} from "../lib/errno";
import { Mutex } from "../sched/mutex";
import { Thread } from "../sched/thread";
import { sleepInTable, withdraw } from "./futex";
import { futexKey } from "./futex-key";
import {
  FOR_LOCK_PI,
  FUTEX_BUCKETS,
  FutexBucket,
  FutexWaiter,
  futexBucket,
  futexHash,
  nextOf,
} from "./futex-table";
import {
  FUTEX_WAITERS,
  givenWord,
  inheritedWord,
  isLeftBy,
  isOwnedBy,
  ownerOf,
  takenWord,
} from "./futex-word";
import { LinuxProcess, currentLinuxThread, currentProcess } from "./process";
import { familyLock, nextProcess } from "./process-table";
import { LinuxThread } from "./thread";
import { exchange32, load32, loadedValue } from "./user-memory";

export const piLock = new Mutex();

/** Results of `claim` beside negative errors. */
export const TAKEN: i64 = 0;
const MUST_WAIT: i64 = 1;

/** Who has the futex that `claim` found taken; null: an heir is on its way. Guarded by `piLock`. */
let holder: Thread | null = null;

/** The owner that the latest `claim` found. Hold `piLock`. */
export function foundHolder(): Thread | null {
  return holder;
}

/**
 * FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_TRYLOCK_PI.
 * @param isTry -EAGAIN instead of waiting
 * @returns 0 or -EDEADLK, -ESRCH (the owner does not exist), -EINVAL, -EFAULT, -ETIMEDOUT
 */
export function doLockPi(address: usize, isPrivate: bool, deadlineNs: u64, isTry: bool): i64 {
  const key = currentLinuxThread().futexKey;
  const error = futexKey(currentProcess(), address, isPrivate, key);
  if (error != 0) return error;
  piLock.lock();
  const result = acquire(address, key.owner, key.address, deadlineNs, isTry, 0);
  piLock.unlock();
  return result == -EINTR ? -ERESTARTNOINTR : result;
}

/** FUTEX_UNLOCK_PI: 0 or -EPERM (the caller is not the owner), -EINVAL, -EFAULT. */
export function doUnlockPi(address: usize, isPrivate: bool): i64 {
  const thread = currentLinuxThread();
  if (load32(address) != 0) return -EFAULT;
  if (ownerOf(<u32>loadedValue()) != thread.id) return -EPERM;
  const key = thread.futexKey;
  const error = futexKey(currentProcess(), address, isPrivate, key);
  if (error != 0) return error;
  piLock.lock();
  const result = release(address, key.owner, key.address);
  piLock.unlock();
  return result;
}

/**
 * Makes the running thread the owner, waiting for it if need be. Hold `piLock`, which is released
 * meanwhile.
 * @param deadOwner the thread waited already and inherits from this one, 0 = no
 */
export function acquire(
  address: usize,
  keyOwner: usize,
  keyAddress: usize,
  deadlineNs: u64,
  isTry: bool,
  deadOwner: i32,
): i64 {
  const thread = currentLinuxThread();
  const waiter = thread.futexWaiter;
  let from = deadOwner;
  while (true) {
    const result =
      from != 0
        ? inherit(address, keyOwner, keyAddress, from)
        : claim(address, keyOwner, keyAddress, thread, false);
    if (result != MUST_WAIT) return result;
    if (isTry) return -EAGAIN;
    if (waitsFor(holder, thread)) return -EDEADLK;
    waiter.owner = holder;
    const waited = awaitPi(waiter, keyOwner, keyAddress, FOR_LOCK_PI, deadlineNs);
    if (waited != 0) return waited;
    from = waiter.deadOwner;
    if (from == 0) return 0; // the previous owner has written our id into the word
  }
}

/**
 * Makes `thread` the owner of a futex that has none. Otherwise makes sure that the owner unlocks by the
 * kernel; it is then `foundHolder()`. Hold `piLock`.
 * @param hasWaiters the kernel is to be asked to unlock in any case
 */
export function claim(
  address: usize,
  keyOwner: usize,
  keyAddress: usize,
  thread: Thread,
  hasWaiters: bool,
): i64 {
  while (true) {
    if (load32(address) != 0) return -EFAULT;
    const word = <u32>loadedValue();
    const owner = ownerOf(word);
    if (owner == thread.id) return -EDEADLK;
    const oldest = oldestFor(FOR_LOCK_PI, keyOwner, keyAddress);
    if (isError(oldest)) return errorOf(oldest);
    if (oldest != 0) {
      const known = changetype<FutexWaiter>(oldest).owner;
      holder = known;
      return isOwnedBy(word, known ? known.id : 0) ? MUST_WAIT : -EINVAL;
    }
    const desired = owner == 0 ? takenWord(word, thread.id, hasWaiters) : word | FUTEX_WAITERS;
    const error = exchange32(address, word, desired);
    if (error == -EAGAIN) continue;
    if (error != 0) return error;
    if (owner == 0) return TAKEN;
    holder = findOwner(owner);
    if (holder) return MUST_WAIT;
    // A robust mutex may have been marked since its word was read, as its owner ended.
    if (load32(address) != 0) return -EFAULT;
    if (<u32>loadedValue() == desired) return -ESRCH;
  }
}

/** As `claim` for the running thread, which waited longest when owner `deadOwner` ended. */
function inherit(address: usize, keyOwner: usize, keyAddress: usize, deadOwner: i32): i64 {
  const thread = currentLinuxThread();
  let result: i64 = -EAGAIN;
  while (result == -EAGAIN) {
    result = load32(address);
    const word = <u32>loadedValue();
    if (result != 0) break;
    if (isLeftBy(word, deadOwner)) {
      result = exchange32(address, word, inheritedWord(thread.id));
      if (result == 0) becomeOwner(thread, keyOwner, keyAddress);
    } else {
      // Somebody who had not waited was quicker, and learnt of the death in our place.
      result = claim(address, keyOwner, keyAddress, thread, false);
    }
  }
  if (result < 0) passOn(keyOwner, keyAddress, deadOwner);
  return result;
}

/** Gives up a futex, or gives it to the waiter that waits longest. Hold `piLock`. */
function release(address: usize, keyOwner: usize, keyAddress: usize): i64 {
  const thread = currentLinuxThread();
  while (true) {
    if (load32(address) != 0) return -EFAULT;
    const word = <u32>loadedValue();
    if (ownerOf(word) != thread.id) return -EPERM;
    const oldest = oldestFor(FOR_LOCK_PI, keyOwner, keyAddress);
    if (isError(oldest)) return errorOf(oldest);
    const heir = changetype<FutexWaiter | null>(oldest);
    if (heir && heir.owner != thread) return -EINVAL;
    const error = exchange32(address, word, heir ? givenWord(heir.thread!.id) : 0);
    if (error == -EAGAIN) continue;
    if (error != 0 || !heir) return error;
    const bucket = futexBucket(futexHash(keyOwner, keyAddress));
    bucket.lock.acquire();
    handOver(bucket, heir, 0);
    bucket.lock.release();
    becomeOwner(heir.thread!, keyOwner, keyAddress);
    return 0;
  }
}

/** A thread ends or executes another program: its heirs get the futexes that it owns. May sleep. */
export function leavePiFutexes(thread: LinuxThread): void {
  if (!thread.isWaitedFor) return;
  piLock.lock();
  thread.isWaitedFor = false;
  for (let index: u32 = 0; index < FUTEX_BUCKETS; index++) {
    const bucket = futexBucket(index);
    bucket.lock.acquire();
    for (let heir = firstOf(bucket, thread); heir; heir = firstOf(bucket, thread)) {
      let waiter: FutexWaiter | null = heir;
      while (waiter) {
        if (waiter.owner == thread) waiter.owner = null;
        waiter = nextOf(waiter.next, heir.keyOwner, heir.keyAddress);
      }
      handOver(bucket, heir, thread.id);
    }
    bucket.lock.release();
  }
  piLock.unlock();
}

/** The oldest waiter in a bucket for something that `owner` has. */
function firstOf(bucket: FutexBucket, owner: Thread): FutexWaiter | null {
  let waiter = bucket.first;
  while (waiter && waiter.owner != owner) waiter = waiter.next;
  return waiter;
}

/** An heir could not take what it inherits: the next one is to try. */
function passOn(keyOwner: usize, keyAddress: usize, deadOwner: i32): void {
  const bucket = futexBucket(futexHash(keyOwner, keyAddress));
  bucket.lock.acquire();
  const next = bucket.oldest(keyOwner, keyAddress);
  if (next && next.purpose == FOR_LOCK_PI && !next.owner) handOver(bucket, next, deadOwner);
  bucket.lock.release();
}

/** All who wait for a futex now wait for `thread`. Hold `piLock`. */
function becomeOwner(thread: Thread, keyOwner: usize, keyAddress: usize): void {
  const bucket = futexBucket(futexHash(keyOwner, keyAddress));
  bucket.lock.acquire();
  let waiter = bucket.oldest(keyOwner, keyAddress);
  while (waiter) {
    if (waiter.purpose == FOR_LOCK_PI) {
      waiter.owner = thread;
      changetype<LinuxThread>(thread).isWaitedFor = true;
    }
    waiter = nextOf(waiter.next, keyOwner, keyAddress);
  }
  bucket.lock.release();
}

/** Wakes a waiter, which gets the futex. Hold `piLock` and the bucket's lock. */
export function handOver(bucket: FutexBucket, waiter: FutexWaiter, deadOwner: i32): void {
  waiter.owner = null;
  waiter.deadOwner = deadOwner;
  bucket.release(waiter);
}

/**
 * Waits in the table until somebody calls `handOver`. Hold `piLock`, which is released meanwhile.
 * @returns 0, -ETIMEDOUT, -EINTR
 */
export function awaitPi(
  waiter: FutexWaiter,
  keyOwner: usize,
  keyAddress: usize,
  purpose: u32,
  deadlineNs: u64,
): i64 {
  waiter.thread = currentLinuxThread();
  waiter.keyOwner = keyOwner;
  waiter.keyAddress = keyAddress;
  waiter.purpose = purpose;
  const index = futexHash(keyOwner, keyAddress);
  const bucket = futexBucket(index);
  bucket.lock.acquire();
  bucket.add(waiter, index);
  bucket.lock.release();
  piLock.unlock();
  let result = sleepInTable(waiter, deadlineNs);
  piLock.lock();
  if (result != 0) result = withdraw(waiter, result);
  waiter.owner = null;
  return result;
}

/**
 * The oldest waiter of a futex, which stays as long as `piLock` is held: its address, 0 if nobody
 * waits, -EINVAL if it waits for something else.
 */
export function oldestFor(purpose: u32, keyOwner: usize, keyAddress: usize): usize {
  const bucket = futexBucket(futexHash(keyOwner, keyAddress));
  bucket.lock.acquire();
  const waiter = bucket.oldest(keyOwner, keyAddress);
  const isOther = waiter != null && waiter.purpose != purpose;
  bucket.lock.release();
  return isOther ? asError(-EINVAL) : changetype<usize>(waiter);
}

/** True if `thread` is `other`, or waits for it through any number of PI futexes. Hold `piLock`. */
export function waitsFor(thread: Thread | null, other: Thread): bool {
  let each = thread;
  while (each && each != other) each = changetype<LinuxThread>(each).futexWaiter.owner;
  return each != null;
}

/**
 * The living thread with this id, which will call `leavePiFutexes` before it is gone; or null. Hold
 * `piLock` as long as the thread is used.
 */
function findOwner(id: i32): LinuxThread | null {
  let thread = findIn(currentProcess(), id);
  if (thread) return thread;
  familyLock.acquire();
  let process = nextProcess(null);
  while (process && !thread) {
    thread = findIn(process, id);
    process = nextProcess(process);
  }
  familyLock.release();
  return thread;
}

function findIn(process: LinuxProcess, id: i32): LinuxThread | null {
  process.lock.acquire();
  const thread = process.findThread(id);
  if (thread) thread.isWaitedFor = true;
  process.lock.release();
  return thread;
}
