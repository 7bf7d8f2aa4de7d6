/**
 * FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI (futex(2), Linux Documentation/locking/
 * futex-requeue-pi.rst): waiting on one word, as on a condition variable, to be moved to a PI futex and
 * to return as its owner.
 *
 * Neighbours: `futex-pi.ts` (its lock is held throughout), `futex-requeue.ts`.
 */
import { EAGAIN, EDEADLK, EINTR, EINVAL, ERESTARTNOINTR, errorOf, isError } from "../lib/errno";
import { free } from "../lib/object";
import { Thread } from "../sched/thread";
import { FutexKey, futexKey } from "./futex-key";
import {
  TAKEN,
  acquire,
  awaitPi,
  claim,
  foundHolder,
  handOver,
  oldestFor,
  piLock,
  waitsFor,
} from "./futex-pi";
import {
  FOR_LOCK_PI,
  FOR_REQUEUE_PI,
  FutexWaiter,
  futexBucket,
  futexHash,
  lockBuckets,
  nextOf,
  unlockBuckets,
} from "./futex-table";
import { currentLinuxThread, currentProcess } from "./process";
import { LinuxThread } from "./thread";
import { load32, loadedValue } from "./user-memory";

/**
 * FUTEX_WAIT_REQUEUE_PI.
 * @param address2 the PI futex that waiters are moved to
 * @returns 0 as its owner; -EAGAIN (the word is not `expected`, or a signal came after the move),
 *   -ETIMEDOUT, -EINVAL, -EFAULT
 */
export function doWaitRequeuePi(
  address: usize,
  isPrivate: bool,
  expected: u32,
  deadlineNs: u64,
  address2: usize,
): i64 {
  if (address == address2) return -EINVAL;
  const waiter = currentLinuxThread().futexWaiter;
  const key = currentLinuxThread().futexKey;
  let error = futexKey(currentProcess(), address2, isPrivate, key);
  if (error != 0) return error;
  waiter.targetOwner = key.owner;
  waiter.targetAddress = key.address;
  error = futexKey(currentProcess(), address, isPrivate, key);
  if (error != 0) return error;
  piLock.lock();
  let result = compare(address, expected);
  if (result == 0 && isTarget(waiter, key)) result = -EINVAL;
  if (result == 0) {
    result = awaitPi(waiter, key.owner, key.address, FOR_REQUEUE_PI, deadlineNs);
    if (result == 0 && waiter.deadOwner != 0) {
      const dead = waiter.deadOwner;
      result = acquire(address2, waiter.keyOwner, waiter.keyAddress, deadlineNs, false, dead);
    }
    // Once moved the call cannot start anew: the word has changed.
    if (result == -EINTR) result = waiter.purpose == FOR_LOCK_PI ? -EAGAIN : -ERESTARTNOINTR;
  }
  piLock.unlock();
  return result;
}

/** 0 if the word is `expected`, -EAGAIN if not, -EFAULT. */
function compare(address: usize, expected: u32): i64 {
  const error = load32(address);
  if (error != 0) return error;
  return <u32>loadedValue() == expected ? 0 : -EAGAIN;
}

function isTarget(waiter: FutexWaiter, key: FutexKey): bool {
  return waiter.targetAddress == key.address && waiter.targetOwner == key.owner;
}

/**
 * FUTEX_CMP_REQUEUE_PI: gives the PI futex at `address2` to the oldest waiter at `address` if it is
 * free, and moves up to `moves` others to it.
 * @param wakes must be 1
 * @returns how many got it or were moved; -EAGAIN, -EDEADLK, -ESRCH, -EINVAL, -EFAULT
 */
export function doRequeuePi(
  address: usize,
  isPrivate: bool,
  address2: usize,
  wakes: u32,
  moves: u32,
  expected: u32,
): i64 {
  if (wakes != 1 || <i32>moves < 0 || address == address2) return -EINVAL;
  const from = new FutexKey();
  const to = new FutexKey();
  let result = futexKey(currentProcess(), address, isPrivate, from);
  if (result == 0) result = futexKey(currentProcess(), address2, isPrivate, to);
  if (result == 0 && from.owner == to.owner && from.address == to.address) result = -EINVAL;
  if (result == 0) {
    piLock.lock();
    result = compare(address, expected);
    if (result == 0) result = requeuePi(from, address2, to, moves);
    piLock.unlock();
  }
  free(from);
  free(to);
  return result;
}

function requeuePi(from: FutexKey, address2: usize, to: FutexKey, moves: u32): i64 {
  const oldest = oldestFor(FOR_REQUEUE_PI, from.owner, from.address);
  if (isError(oldest)) return errorOf(oldest);
  if (oldest == 0) return 0;
  const first = changetype<FutexWaiter>(oldest);
  if (!isTarget(first, to)) return -EINVAL;
  const claimed = claim(address2, to.owner, to.address, first.thread!, moves != 0);
  if (claimed < 0) return claimed;
  const isTaken = claimed == TAKEN;
  const source = futexHash(from.owner, from.address);
  const target = futexHash(to.owner, to.address);
  lockBuckets(source, target);
  if (isTaken) handOver(futexBucket(source), first, 0);
  const moved = move(from, to, isTaken ? first.thread : foundHolder(), isTaken ? moves : moves + 1);
  unlockBuckets(source, target);
  return moved < 0 || !isTaken ? moved : moved + 1;
}

/**
 * Moves up to `limit` waiters from one key to another, which `owner` has. Hold both buckets' locks.
 * @returns how many, or the error that the last one met
 */
function move(from: FutexKey, to: FutexKey, owner: Thread | null, limit: u32): i64 {
  const source = futexBucket(futexHash(from.owner, from.address));
  const target = futexHash(to.owner, to.address);
  let moved: u32 = 0;
  let waiter = source.oldest(from.owner, from.address);
  while (waiter && moved < limit) {
    const next = nextOf(waiter.next, from.owner, from.address);
    if (waiter.purpose != FOR_REQUEUE_PI || !isTarget(waiter, to)) return -EINVAL;
    if (waitsFor(owner, waiter.thread!)) return -EDEADLK;
    source.remove(waiter);
    waiter.keyOwner = to.owner;
    waiter.keyAddress = to.address;
    waiter.purpose = FOR_LOCK_PI;
    waiter.owner = owner;
    if (owner) changetype<LinuxThread>(owner).isWaitedFor = true;
    futexBucket(target).add(waiter, target);
    moved++;
    waiter = next;
  }
  return moved;
}
