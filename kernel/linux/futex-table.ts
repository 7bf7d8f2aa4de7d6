/**
 * Threads waiting on futexes: a hash table of buckets keyed by (address space or file, address).
 *
 * Locks: each bucket's `lock` guards its list and the waiters on it. Two buckets are locked in the
 * order of their index. Inside, only wait-queue and scheduler locks are taken; application memory is
 * never touched with a bucket locked.
 *
 * Neighbours: `futex.ts` (the system call), `futex-key.ts`, `thread.ts` (owns one waiter).
 */
import { mfence } from "../arch/cpu";
import { SpinLock } from "../arch/spinlock";
import { EINVAL } from "../lib/errno";
import { free } from "../lib/object";
import { Thread } from "../sched/thread";
import { WaitQueue } from "../sched/wait";

/** Number of buckets; a power of two. */
export const FUTEX_BUCKETS: u32 = 128;

/** What a waiter waits for: to be woken, to be moved to a PI futex and get it, to get a PI futex. */
export const FOR_WAKE: u32 = 0;
export const FOR_REQUEUE_PI: u32 = 1;
export const FOR_LOCK_PI: u32 = 2;

/** A thread's place in the table. */
export class FutexWaiter {
  next: FutexWaiter | null = null;
  previous: FutexWaiter | null = null;
  /** Index of the bucket it is in; -1 when it has been woken or does not wait. */
  bucket: i32 = -1;
  keyOwner: usize = 0;
  keyAddress: usize = 0;
  bitset: u32 = 0;
  /** FOR_*: operations for the one kind do not touch waiters of another. */
  purpose: u32 = FOR_WAKE;
  queue: WaitQueue = new WaitQueue();

  /** For PI futexes (`futex-pi.ts`, whose lock guards these): who waits, */
  thread: Thread | null = null;
  /** who has the futex that it waits for (null: the owner died and an heir is on its way), */
  owner: Thread | null = null;
  /** the dead owner whose futex it was given, 0 = none; */
  deadOwner: i32 = 0;
  /** and the key of the futex that it is to be moved to. */
  targetOwner: usize = 0;
  targetAddress: usize = 0;

  /** True if it waits for this futex. */
  matches(owner: usize, address: usize): bool {
    return this.keyAddress == address && this.keyOwner == owner;
  }

  /** Frees the object and what it owns. */
  destroy(): void {
    this.queue.dispose();
    free(this.queue);
    free(this);
  }
}

/** Waiters whose keys have the same hash, oldest first. */
export class FutexBucket {
  lock: SpinLock = new SpinLock();
  first: FutexWaiter | null = null;
  last: FutexWaiter | null = null;

  /** Appends a waiter. Hold `lock`. */
  add(waiter: FutexWaiter, index: u32): void {
    const last = this.last;
    waiter.previous = last;
    waiter.next = null;
    if (last) last.next = waiter;
    else this.first = waiter;
    this.last = waiter;
    waiter.bucket = <i32>index;
  }

  /** Takes a waiter out. Hold `lock`. */
  remove(waiter: FutexWaiter): void {
    const next = waiter.next;
    const previous = waiter.previous;
    if (previous) previous.next = next;
    else this.first = next;
    if (next) next.previous = previous;
    else this.last = previous;
    waiter.next = null;
    waiter.previous = null;
    waiter.bucket = -1;
  }

  /**
   * Wakes up to `count` waiters of a futex whose bitset meets `bitset`, oldest first. Hold `lock`.
   * @returns how many were woken, or -EINVAL at one that waits for a PI futex
   */
  wake(owner: usize, address: usize, count: u32, bitset: u32): i64 {
    let woken: u32 = 0;
    let waiter = this.first;
    while (waiter && woken < count) {
      const next = waiter.next;
      if (waiter.matches(owner, address)) {
        if (waiter.purpose != FOR_WAKE) return -EINVAL;
        if ((waiter.bitset & bitset) != 0) {
          this.release(waiter);
          woken++;
        }
      }
      waiter = next;
    }
    return woken;
  }

  /** Takes a waiter out and wakes it. Hold `lock`. */
  release(waiter: FutexWaiter): void {
    this.remove(waiter);
    waiter.queue.wakeOne();
  }

  /** The waiter of this futex that waits longest, or null. Hold `lock`. */
  oldest(owner: usize, address: usize): FutexWaiter | null {
    return nextOf(this.first, owner, address);
  }
}

/** `waiter` or the first after it that waits for this futex, or null. Hold the bucket's lock. */
export function nextOf(
  waiter: FutexWaiter | null,
  owner: usize,
  address: usize,
): FutexWaiter | null {
  while (waiter && !waiter.matches(owner, address)) waiter = waiter.next;
  return waiter;
}

const buckets = new StaticArray<FutexBucket | null>(<i32>FUTEX_BUCKETS);

/** Guards the making of buckets. */
const bucketsLock = new SpinLock();

/** The bucket with this index. */
export function futexBucket(index: u32): FutexBucket {
  const bucket = unchecked(buckets[<i32>index]);
  return bucket ? bucket : makeBucket(index);
}

function makeBucket(index: u32): FutexBucket {
  bucketsLock.acquire();
  let bucket = buckets[<i32>index];
  if (bucket == null) {
    bucket = new FutexBucket();
    mfence(); // whole before it can be found
    buckets[<i32>index] = bucket;
  }
  bucketsLock.release();
  return bucket;
}

/** Index of the bucket for a key: Fibonacci hashing (Knuth, TAOCP vol. 3 §6.4). */
export function futexHash(owner: usize, address: usize): u32 {
  const mixed = (address >> 2) ^ (owner << 13) ^ (owner >> 7);
  return <u32>((mixed * 0x9e37_79b9_7f4a_7c15) >> 57);
}

/** Locks the buckets of two keys in index order; the same bucket is locked once. */
export function lockBuckets(one: u32, other: u32): void {
  futexBucket(min(one, other)).lock.acquire();
  if (one != other) futexBucket(max(one, other)).lock.acquire();
}

/** Undoes `lockBuckets`. */
export function unlockBuckets(one: u32, other: u32): void {
  if (one != other) futexBucket(max(one, other)).lock.release();
  futexBucket(min(one, other)).lock.release();
}
