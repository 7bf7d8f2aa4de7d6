/**
 * Threads waiting on futexes: a hash table of buckets keyed by (address space or file, address).
 *
 * Locks: each bucket's `lock` guards its list and the waiters on it. Two buckets are locked in the
 * order of their index. No other lock is taken inside.
 *
 * Neighbours: `futex.ts` (the system call), `thread.ts` (owns one waiter).
 */
import { WaitQueue } from "../sched/wait";

/** A thread's place in the table. `bucket` is null while it waits for nothing. */
export class FutexWaiter {
  next: FutexWaiter | null = null;
  previous: FutexWaiter | null = null;
  /** Index of the bucket it is on, -1 for none. */
  bucket: i32 = -1;
  keyOwner: usize = 0;
  keyAddress: usize = 0;
  bitset: u32 = 0;
  woken: bool = false;
  queue: WaitQueue = new WaitQueue();
}
