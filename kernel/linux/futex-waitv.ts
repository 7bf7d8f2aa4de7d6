/**
 * futex_waitv(2): waiting for the first of several words (Linux
 * Documentation/userspace-api/futex2.rst). Each word has a waiter of its own in the table; the thread
 * hangs on all their queues.
 *
 * Neighbours: `futex.ts`, `futex-table.ts`, `futex2.ts`.
 */
import { EAGAIN, EFAULT, EINTR, EINVAL, ENOMEM, ERESTARTSYS } from "../lib/errno";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { FOREVER, ThreadWaiter, WaitLink } from "../sched/wait";
import { bucketOf, enterTable, MATCH_ANY, withdraw } from "./futex";
import { areFutexFlags, FUTEX2_PRIVATE } from "./futex2";
import { FutexWaiter } from "./futex-table";
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from "./clocks";
import { deadlineFrom, readTimespec } from "./timespec";
import { copyIn, load32, loadedValue } from "./user-memory";

/** struct futex_waitv: value u64, address u64, flags u32, reserved u32. */
const WAITV_BYTES: usize = 24;
const WAITV_ADDRESS: usize = 8;
const WAITV_FLAGS: usize = 16;
const WAITV_RESERVED: usize = 20;
const WAITV_MAX: u32 = 128;

/** The words of one call: their descriptions, then for each a waiter and a link (16 bytes). */
class WordSet {
  private block: usize;
  private waiter: ThreadWaiter = new ThreadWaiter();
  /** How many words have entered the table. */
  private entered: u32 = 0;

  constructor(private count: u32) {
    this.block = heapAllocate(<usize>count * (WAITV_BYTES + 16));
  }

  /** Copies the descriptions; 0, -ENOMEM, -EFAULT or -EINVAL. */
  take(words: usize): i64 {
    if (this.block == 0) return -ENOMEM;
    const error = copyIn(this.block, words, <usize>this.count * WAITV_BYTES);
    if (error != 0) return error;
    for (let i: u32 = 0; i < this.count; i++) {
      const word = this.word(i);
      if (!areFutexFlags(load<u32>(word, WAITV_FLAGS))) return -EINVAL;
      if (load<u32>(word, WAITV_RESERVED) != 0 || load<u64>(word) >> 32 != 0) return -EINVAL;
    }
    return 0;
  }

  /** Enters all words, and looks at each; 0, or the error of the first that cannot be waited for. */
  enter(): i64 {
    while (this.entered < this.count) {
      const word = this.word(this.entered);
      const address = load<usize>(word, WAITV_ADDRESS);
      const isPrivate = (load<u32>(word, WAITV_FLAGS) & FUTEX2_PRIVATE) != 0;
      const waiter = new FutexWaiter();
      const link = new WaitLink(this.waiter);
      waiter.queue.add(link);
      const error = enterTable(waiter, address, isPrivate, MATCH_ANY);
      if (error != 0) {
        waiter.queue.remove(link);
        free(link);
        waiter.destroy();
        return error;
      }
      store<usize>(this.slot(this.entered), changetype<usize>(waiter));
      store<usize>(this.slot(this.entered), changetype<usize>(link), 8);
      this.entered++;
      if (load32(address) != 0) return -EFAULT;
      if (loadedValue() != load<u64>(word)) return -EAGAIN;
    }
    return 0;
  }

  /** Sleeps until a word is woken; 0, -ETIMEDOUT or -EINTR. */
  sleep(deadlineNs: u64): i64 {
    while (!this.isAnyWoken()) {
      const result = this.waiter.wait(deadlineNs, true);
      this.waiter.reset();
      if (result != 0) return result;
    }
    return 0;
  }

  private isAnyWoken(): bool {
    for (let i: u32 = 0; i < this.entered; i++) {
      if (bucketOf(changetype<FutexWaiter>(load<usize>(this.slot(i)))) < 0) return true;
    }
    return false;
  }

  /** Takes all words out and frees the set. @returns index of a word that was woken, else `error` */
  leave(error: i64): i64 {
    let result = error;
    for (let i: u32 = 0; i < this.entered; i++) {
      const waiter = changetype<FutexWaiter>(load<usize>(this.slot(i)));
      const link = changetype<WaitLink>(load<usize>(this.slot(i), 8));
      if (withdraw(waiter, -1) == 0) result = i;
      waiter.queue.remove(link);
      free(link);
      waiter.destroy();
    }
    if (this.block != 0) heapFree(this.block);
    free(this.waiter);
    free(this);
    return result;
  }

  private word(index: u32): usize {
    return this.block + <usize>index * WAITV_BYTES;
  }

  private slot(index: u32): usize {
    return this.block + <usize>this.count * WAITV_BYTES + <usize>index * 16;
  }
}

/**
 * futex_waitv(2).
 * @param timeout absolute, struct timespec
 * @returns index of a word that was woken; -EAGAIN, -EINVAL, -EFAULT, -ENOMEM, -ETIMEDOUT
 */
export function sysFutexWaitv(
  words: usize,
  count: u32,
  flags: u32,
  timeout: usize,
  clock: i32,
): i64 {
  if (flags != 0 || count == 0 || count > WAITV_MAX || words == 0) return -EINVAL;
  let deadlineNs = FOREVER;
  if (timeout != 0) {
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return -EINVAL;
    const error = readTimespec(timeout);
    if (error != 0) return error;
    deadlineNs = deadlineFrom(clock, true);
  }
  const set = new WordSet(count);
  let result = set.take(words);
  if (result == 0) result = set.enter();
  if (result == 0) result = set.sleep(deadlineNs);
  result = set.leave(result);
  return result == -EINTR ? -ERESTARTSYS : result;
}
