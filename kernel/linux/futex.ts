/**
 * futex(2): waiting for and waking at 32-bit words of the application's memory.
 *
 * A waiter enters its bucket before it reads the word. So a waker that changes the word and then
 * wakes cannot be missed, without reading application memory (which may fault and sleep) under a
 * spin lock. If the word turns out to be different, the waiter leaves again; a wake-up it caught in
 * between is passed on to the next waiter.
 *
 * Neighbours: `futex-table.ts`, `futex-key.ts`, `futex-requeue.ts`, `futex-pi.ts`, `futex-exit.ts`.
 */
import { mfence } from "../arch/cpu";
import { EAGAIN, EFAULT, EINTR, EINVAL, ENOSYS, ERESTARTSYS } from "../lib/errno";
import { onlineCpus } from "../sched/run-queue";
import { FOREVER } from "../sched/wait";
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from "./clocks";
import { futexKey } from "./futex-key";
import { doLockPi, doUnlockPi } from "./futex-pi";
import { doRequeuePi, doWaitRequeuePi } from "./futex-pi-requeue";
import { doRequeue, doWakeOperation } from "./futex-requeue";
import { FOR_WAKE, FutexWaiter, futexBucket, futexHash } from "./futex-table";
import { currentLinuxThread, currentProcess } from "./process";
import { deadlineFrom, readTimespec } from "./timespec";
import { load32, loadedValue } from "./user-memory";

const FUTEX_WAIT: u32 = 0;
const FUTEX_WAKE: u32 = 1;
const FUTEX_REQUEUE: u32 = 3;
const FUTEX_CMP_REQUEUE: u32 = 4;
const FUTEX_WAKE_OP: u32 = 5;
const FUTEX_LOCK_PI: u32 = 6;
const FUTEX_UNLOCK_PI: u32 = 7;
const FUTEX_TRYLOCK_PI: u32 = 8;
const FUTEX_WAIT_BITSET: u32 = 9;
const FUTEX_WAKE_BITSET: u32 = 10;
const FUTEX_WAIT_REQUEUE_PI: u32 = 11;
const FUTEX_CMP_REQUEUE_PI: u32 = 12;
const FUTEX_LOCK_PI2: u32 = 13;
const FUTEX_PRIVATE_FLAG: u32 = 128;
const FUTEX_CLOCK_REALTIME: u32 = 256;
/** A bitset that meets every other. */
export const MATCH_ANY: u32 = 0xffff_ffff;

/** futex(2). `timeoutOrCount` is a struct timespec address or, for requeue and WAKE_OP, a count. */
export function sysFutex(
  address: usize,
  operation: u32,
  value: u32,
  timeoutOrCount: usize,
  address2: usize,
  value3: u32,
): i64 {
  const isPrivate = (operation & FUTEX_PRIVATE_FLAG) != 0;
  const onRealtime = (operation & FUTEX_CLOCK_REALTIME) != 0;
  const command = operation & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
  const count = <u32>timeoutOrCount;
  let deadlineNs = FOREVER;
  if (mayTimeOut(command) && timeoutOrCount != 0) {
    const error = readTimespec(timeoutOrCount);
    if (error != 0) return error;
    const clock = onRealtime || command == FUTEX_LOCK_PI ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    deadlineNs = deadlineFrom(clock, command != FUTEX_WAIT);
  }
  if (onRealtime && (!mayTimeOut(command) || command == FUTEX_LOCK_PI)) return -ENOSYS;
  switch (command) {
    case FUTEX_WAIT:
      // A relative time-out cannot be restarted: it would start anew.
      return waitFor(address, isPrivate, value, MATCH_ANY, deadlineNs, timeoutOrCount == 0);
    case FUTEX_WAIT_BITSET:
      return waitFor(address, isPrivate, value, value3, deadlineNs, true);
    case FUTEX_WAKE:
      return doWake(address, isPrivate, value, MATCH_ANY);
    case FUTEX_WAKE_BITSET:
      return doWake(address, isPrivate, value, value3);
    case FUTEX_REQUEUE:
      return requeue(address, address2, isPrivate, value, count, false, 0);
    case FUTEX_CMP_REQUEUE:
      return requeue(address, address2, isPrivate, value, count, true, value3);
    case FUTEX_WAKE_OP:
      return doWakeOperation(address, address2, isPrivate, value, count, value3);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
      return doLockPi(address, isPrivate, deadlineNs, false);
    case FUTEX_TRYLOCK_PI:
      return doLockPi(address, isPrivate, FOREVER, true);
    case FUTEX_UNLOCK_PI:
      return doUnlockPi(address, isPrivate);
    case FUTEX_WAIT_REQUEUE_PI:
      return doWaitRequeuePi(address, isPrivate, value, deadlineNs, address2);
    case FUTEX_CMP_REQUEUE_PI:
      return doRequeuePi(address, isPrivate, address2, value, count, value3);
    default:
      return -ENOSYS;
  }
}

/** True for operations whose fourth argument is a time-out. */
function mayTimeOut(command: u32): bool {
  switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_WAIT_REQUEUE_PI:
      return true;
    default:
      return false;
  }
}

function requeue(
  address: usize,
  address2: usize,
  isPrivate: bool,
  wakes: u32,
  moves: u32,
  compares: bool,
  expected: u32,
): i64 {
  return doRequeue(address, isPrivate, address2, isPrivate, wakes, moves, compares, expected);
}

function waitFor(
  address: usize,
  isPrivate: bool,
  expected: u32,
  bitset: u32,
  deadlineNs: u64,
  mayRestart: bool,
): i64 {
  if (bitset == 0) return -EINVAL;
  const result = doWait(address, isPrivate, expected, bitset, deadlineNs);
  return result == -EINTR && mayRestart ? -ERESTARTSYS : result;
}

/**
 * Waits while the word at `address` is `expected`.
 * @returns 0 when woken, -EAGAIN if the word differs, -ETIMEDOUT, -EINTR, -EFAULT, -EINVAL
 */
export function doWait(
  address: usize,
  isPrivate: bool,
  expected: u32,
  bitset: u32,
  deadlineNs: u64,
): i64 {
  const waiter = currentLinuxThread().futexWaiter;
  const error = enterTable(waiter, address, isPrivate, bitset);
  if (error != 0) return error;

  if (load32(address) != 0) return leave(waiter, -EFAULT);
  if (<u32>loadedValue() != expected) return leave(waiter, -EAGAIN);

  const result = sleepInTable(waiter, deadlineNs);
  return result == 0 ? 0 : withdraw(waiter, result);
}

/** Sleeps until the waiter has left the table. @returns 0, -ETIMEDOUT or -EINTR */
export function sleepInTable(waiter: FutexWaiter, deadlineNs: u64): i64 {
  let result: i64 = 0;
  let locked: i32 = -1;
  while (result == 0) {
    const index = bucketOf(waiter);
    if (index < 0) {
      // Having had the lock of the bucket it was woken in, it knows that the waker is done.
      if (locked != <i32>futexHash(waiter.keyOwner, waiter.keyAddress)) awaitWaker(waiter);
      break;
    }
    locked = index;
    const bucket = futexBucket(<u32>index);
    bucket.lock.acquire();
    // A requeue may have moved it meanwhile; then the other bucket's lock is the right one.
    if (waiter.bucket == index) result = waiter.queue.sleep(bucket.lock, deadlineNs, true);
    bucket.lock.release();
  }
  return result;
}

/**
 * Whoever took the waiter out of its bucket may still be about to wake its queue: lets them finish,
 * because the waiter may be freed next.
 */
function awaitWaker(waiter: FutexWaiter): void {
  const bucket = futexBucket(futexHash(waiter.keyOwner, waiter.keyAddress));
  bucket.lock.acquire();
  bucket.lock.release();
}

/** The bucket a waiter is in, read without its lock; -1 if it is in none. */
export function bucketOf(waiter: FutexWaiter): i32 {
  return atomic.load<i32>(changetype<usize>(waiter) + offsetof<FutexWaiter>("bucket"));
}

/** Makes `waiter` wait for the word at `address`; from now on it may be woken. 0, -EINVAL, -EFAULT */
export function enterTable(waiter: FutexWaiter, address: usize, isPrivate: bool, bitset: u32): i64 {
  const key = currentLinuxThread().futexKey;
  const error = futexKey(currentProcess(), address, isPrivate, key);
  waiter.keyOwner = key.owner;
  waiter.keyAddress = key.address;
  waiter.bitset = bitset;
  waiter.purpose = FOR_WAKE;
  if (error != 0) return error;
  const index = futexHash(waiter.keyOwner, waiter.keyAddress);
  const bucket = futexBucket(index);
  bucket.lock.acquire();
  bucket.add(waiter, index);
  bucket.lock.release();
  return 0;
}

/** Ends a wait that did not begin; a wake-up caught meanwhile goes to the next waiter. */
function leave(waiter: FutexWaiter, error: i64): i64 {
  const owner = waiter.keyOwner;
  const address = waiter.keyAddress;
  const bitset = waiter.bitset;
  if (withdraw(waiter, error) == 0) wakeKey(owner, address, 1, bitset);
  return error;
}

/** Takes the waiter out of the table. @returns `error`, or 0 if it was woken before */
export function withdraw(waiter: FutexWaiter, error: i64): i64 {
  while (true) {
    const index = bucketOf(waiter);
    if (index < 0) {
      awaitWaker(waiter);
      return 0;
    }
    const bucket = futexBucket(<u32>index);
    bucket.lock.acquire();
    if (waiter.bucket == index) {
      bucket.remove(waiter);
      bucket.lock.release();
      return error;
    }
    bucket.lock.release(); // requeued or woken in between
  }
}

/** Wakes up to `count` waiters of a key; how many, or -EINVAL if one waits for a PI futex. */
export function wakeKey(owner: usize, address: usize, count: u32, bitset: u32): i64 {
  const bucket = futexBucket(futexHash(owner, address));
  // The application's change of the word comes before the look at the list, as the waiter's entry in
  // the list comes before its look at the word.
  if (onlineCpus() > 1) mfence();
  if (bucket.first == null) return 0;
  bucket.lock.acquire();
  const woken = bucket.wake(owner, address, count, bitset);
  bucket.lock.release();
  return woken;
}

/** Wakes up to `count` threads at `address`; how many, or -EINVAL, -EFAULT. */
export function doWake(address: usize, isPrivate: bool, count: u32, bitset: u32): i64 {
  if (bitset == 0) return -EINVAL;
  const key = currentLinuxThread().futexKey;
  const result = futexKey(currentProcess(), address, isPrivate, key);
  return result == 0 ? wakeKey(key.owner, key.address, count, bitset) : result;
}
