/**
 * futex(2), the operations on two words: moving waiters from one to the other (condition variables
 * wake one thread and move the rest to the mutex), and FUTEX_WAKE_OP.
 *
 * Neighbours: `futex.ts`, `futex-table.ts`.
 */
import { EAGAIN, EFAULT, EINVAL, ENOSYS } from "../lib/errno";
import { free } from "../lib/object";
import { MATCH_ANY, wakeKey } from "./futex";
import { FutexKey, futexKey } from "./futex-key";
import {
  FOR_WAKE,
  FutexBucket,
  futexBucket,
  futexHash,
  lockBuckets,
  nextOf,
  unlockBuckets,
} from "./futex-table";
import { currentProcess } from "./process";
import { exchange32, load32, loadedValue } from "./user-memory";

/**
 * FUTEX_REQUEUE and FUTEX_CMP_REQUEUE.
 * @param compare the word at `address` must be `expected`, else -EAGAIN
 * @returns how many waiters were woken and moved; -EINVAL, -EFAULT, -EAGAIN
 */
export function doRequeue(
  address: usize,
  isPrivate: bool,
  address2: usize,
  isPrivate2: bool,
  wakeCount: u32,
  moveCount: u32,
  compare: bool,
  expected: u32,
): i64 {
  if (<i32>wakeCount < 0 || <i32>moveCount < 0) return -EINVAL;
  const from = new FutexKey();
  const to = new FutexKey();
  let result = futexKey(currentProcess(), address, isPrivate, from);
  if (result == 0) result = futexKey(currentProcess(), address2, isPrivate2, to);
  if (result == 0 && compare) {
    result = load32(address);
    if (result == 0 && <u32>loadedValue() != expected) result = -EAGAIN;
  }
  if (result == 0) result = requeue(from, to, wakeCount, moveCount);
  free(from);
  free(to);
  return result;
}

/** Wakes some waiters of one key and moves others to another; how many of both. */
function requeue(from: FutexKey, to: FutexKey, wakeCount: u32, moveCount: u32): i64 {
  const source = futexHash(from.owner, from.address);
  const target = futexHash(to.owner, to.address);
  lockBuckets(source, target);
  const bucket = futexBucket(source);
  let result = bucket.wake(from.owner, from.address, wakeCount, MATCH_ANY);
  const isSame = from.owner == to.owner && from.address == to.address;
  if (result >= 0 && !isSame) {
    const moved = move(bucket, from, to, target, moveCount);
    result = moved < 0 ? moved : result + moved;
  }
  unlockBuckets(source, target);
  return result;
}

/** Moves up to `count` waiters; how many, or -EINVAL at one that waits for a PI futex. */
function move(bucket: FutexBucket, from: FutexKey, to: FutexKey, target: u32, count: u32): i64 {
  let moved: u32 = 0;
  let waiter = bucket.oldest(from.owner, from.address);
  while (waiter && moved < count) {
    const next = nextOf(waiter.next, from.owner, from.address);
    if (waiter.purpose != FOR_WAKE) return -EINVAL;
    bucket.remove(waiter);
    waiter.keyOwner = to.owner;
    waiter.keyAddress = to.address;
    futexBucket(target).add(waiter, target);
    moved++;
    waiter = next;
  }
  return moved;
}

/** FUTEX_WAKE_OP: changes the word at `address2`, wakes at `address`, and perhaps at `address2`. */
export function doWakeOperation(
  address: usize,
  address2: usize,
  isPrivate: bool,
  count: u32,
  count2: u32,
  encoded: u32,
): i64 {
  const key = new FutexKey();
  const key2 = new FutexKey();
  let result = futexKey(currentProcess(), address, isPrivate, key);
  if (result == 0) result = futexKey(currentProcess(), address2, isPrivate, key2);
  if (result == 0) result = changeWord(address2, encoded);
  if (result >= 0) {
    const alsoSecond = result == 1;
    result = wakeKey(key.owner, key.address, count, MATCH_ANY);
    if (alsoSecond && result >= 0) {
      const second = wakeKey(key2.owner, key2.address, count2, MATCH_ANY);
      result = second < 0 ? second : result + second;
    }
  }
  free(key);
  free(key2);
  return result;
}

/**
 * Applies the operation of FUTEX_WAKE_OP: op 4 bits (bit 3: operand is a shift), cmp 4 bits, operand
 * and comparison argument 12 bits each, sign-extended.
 * @returns 1 if the old value meets the comparison, else 0; -EFAULT, -ENOSYS
 */
function changeWord(address: usize, encoded: u32): i64 {
  const operation = (encoded >> 28) & 7;
  const comparison = (encoded >> 24) & 15;
  let operand = <u32>(<i32>(encoded << 8) >> 20);
  const argument = <i32>(encoded << 20) >> 20;
  if (encoded >> 31 != 0) operand = (<u32>1) << (operand & 31);
  if (operation > 4 || comparison > 5) return -ENOSYS;
  while (true) {
    if (load32(address) != 0) return -EFAULT;
    const old = <u32>loadedValue();
    const changed = exchange32(address, old, combine(operation, old, operand));
    if (changed == 0) return compareWord(comparison, <i32>old, argument) ? 1 : 0;
    if (changed != -EAGAIN) return changed;
  }
}

function combine(operation: u32, old: u32, operand: u32): u32 {
  switch (operation) {
    case 0:
      return operand;
    case 1:
      return old + operand;
    case 2:
      return old | operand;
    case 3:
      return old & ~operand;
    default:
      return old ^ operand;
  }
}

function compareWord(comparison: u32, old: i32, argument: i32): bool {
  switch (comparison) {
    case 0:
      return old == argument;
    case 1:
      return old != argument;
    case 2:
      return old < argument;
    case 3:
      return old <= argument;
    case 4:
      return old > argument;
    default:
      return old >= argument;
  }
}
