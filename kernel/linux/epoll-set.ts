/**
 * The heart of epoll(7): a set of watched files and the list of those that may be ready.
 *
 * A watched file wakes its entry through a WaitLink that stays on the file's wait queue, and the
 * entry puts itself on the ready list. Collecting events looks at that list only: the cost grows
 * with the number of ready files, not of watched ones. A wake-up is a hint; the file is asked what
 * holds before an event is reported, and an entry that has nothing to report leaves the list.
 *
 *     wait queue of a file ──wake──> EpollItem ──append──> ready list ──collect──> application
 *
 * Level-triggered entries go back to the end of the list after they were reported, and leave it at
 * the next look if the condition has gone. Edge-triggered ones wait for the next wake-up.
 *
 * Locks: `mutex` guards the items and is held while events are collected; `lock` (spin) guards the
 * ready list and is taken by wake-ups in any context. Order: mutex of an outer set, mutex of a set
 * inside it, file locks, wait queues, `lock`, own wait queues. No file is asked with `lock` held.
 *
 * Neighbours: `epoll-item.ts`, `epoll-file.ts` (the descriptor), `epoll.ts` (the system calls).
 */
import { SpinLock } from "../arch/spinlock";
import { File } from "../fs/file";
import { EFAULT, EINTR, ETIMEDOUT } from "../lib/errno";
import { HashTable, hashInteger } from "../lib/hashtable";
import { List } from "../lib/list";
import { Counted, free } from "../lib/object";
import { Mutex } from "../sched/mutex";
import { WaitLink, WaitQueue } from "../sched/wait";
import { EpollFile } from "./epoll-file";
import { EPOLLET, EPOLLONESHOT, EpollItem } from "./epoll-item";
import { startWatching, stopWatching } from "./file-watch";

/** struct epoll_event, packed on x86-64: u32 events, u64 data. */
export const EVENT_BYTES: usize = 12;
export const EVENT_DATA: usize = 4;
/** Entries that are looked at and reported together, for one locking and one copy. */
const BATCH: u32 = 16;

/** Where events go. */
export abstract class EventSink {
  /**
   * Takes `count` events, struct epoll_event each, for the place `target`.
   * @returns how many it took; fewer if the rest has no room there
   */
  abstract take(target: usize, events: usize, count: u32): u32;
}

export class EpollSet extends Counted {
  private mutex: Mutex = new Mutex();
  private items: HashTable<EpollItem> = new HashTable<EpollItem>(offsetof<EpollItem>("hashNext"));

  private lock: SpinLock = new SpinLock();
  private ready: List<EpollItem> = new List<EpollItem>(offsetof<EpollItem>("readyNext"));
  /** Threads in epoll_wait: one is woken for each entry that becomes ready. */
  private waiters: WaitQueue = new WaitQueue();
  /** Those who poll the set itself: poll(2), or a set around this one. */
  private pollers: WaitQueue = new WaitQueue();
  /** The descriptor of the set; null once it is closed. */
  file: EpollFile | null = null;
  /** (mutex) Entries taken off the ready list, and their events. */
  private batch: StaticArray<usize> = new StaticArray<usize>(<i32>BATCH);
  private events: StaticArray<u8> = new StaticArray<u8>(<i32>(BATCH * <u32>EVENT_BYTES));

  /** Takes the mutex; the functions marked (mutex) need it. */
  acquire(): void {
    this.mutex.lock();
  }

  /** Gives the mutex back. */
  giveBack(): void {
    this.mutex.unlock();
  }

  /** (mutex) The entry of `file` under descriptor `fd`, or null. */
  find(file: File, fd: i32): EpollItem | null {
    let item = this.items.firstWith(keyOf(file, fd));
    while (item && !(item.fd == fd && item.watched == file)) item = this.items.nextWith(item);
    return item;
  }

  /** (mutex) The first entry in no particular order; see `nextItem`. */
  firstItem(): EpollItem | null {
    return this.items.firstAny();
  }

  /** (mutex) The entry after `item`. */
  nextItem(item: EpollItem): EpollItem | null {
    return this.items.nextAny(item);
  }

  /** (mutex) Begins to watch `file`, which is not watched under `fd` yet. */
  add(file: File, fd: i32, events: u32, data: u64): void {
    const item = new EpollItem(this, fd, events, data);
    this.items.insert(item, keyOf(file, fd));
    startWatching(item, file);
    if ((file.poll(item.link) & events) != 0) this.wake(item);
  }

  /** (mutex) Changes what an entry waits for; a one-shot entry is armed again. */
  modify(item: EpollItem, events: u32, data: u64): void {
    item.events = events;
    item.data = data;
    const file = item.watched;
    if (file && (file.poll(null) & events) != 0) this.wake(item);
  }

  /** (mutex) Ends the watch of an entry and frees it. */
  remove(item: EpollItem): void {
    const file = item.watched;
    if (!file) return;
    // In this order: once nothing watches the file any more it may go away.
    file.unpoll(item.link);
    stopWatching(item);
    this.lock.acquire();
    if (item.isReady) {
      this.ready.remove(item);
      item.isReady = false;
    }
    this.lock.release();
    this.items.remove(item);
    item.leave();
  }

  /** Ends all watches: the set's descriptor is closed. */
  removeAll(): void {
    this.mutex.lock();
    let item = this.items.firstAny();
    while (item) {
      this.remove(item);
      item = this.items.firstAny();
    }
    this.mutex.unlock();
  }

  /**
   * An entry may be ready. Any context; the entry's file may hold its wait queue's lock.
   * @returns true if a thread that slept will look at it
   */
  wake(item: EpollItem): bool {
    this.lock.acquire();
    const isNew = !item.isReady && item.isArmed();
    if (isNew) {
      item.isReady = true;
      this.ready.pushBack(item);
    }
    this.lock.release();
    const isSeen = isNew && this.waiters.wakeOne();
    return this.pollers.wakeAll() || isSeen;
  }

  /** True if some entry really is ready now: poll of the set itself. */
  isReady(link: WaitLink | null): bool {
    if (link) this.pollers.add(link);
    this.mutex.lock();
    let found = false;
    for (let left = this.ready.length; left != 0 && !found; left--) {
      if (this.takeBatch(1) == 0) break;
      const item = this.taken(0);
      found = this.eventsOf(item) != 0;
      if (found) this.putBack(0, 1);
    }
    this.mutex.unlock();
    return found;
  }

  /** Takes a link of `isReady` off the queue. */
  unpoll(link: WaitLink): void {
    this.pollers.remove(link);
  }

  /**
   * Waits until entries are ready and hands their events out.
   * @param target where the sink is to put them
   * @param maximum most events to hand out, at least 1
   * @param deadlineNs monotonic; 0 = do not wait
   * @returns number of events, 0 at the deadline, -EINTR, or -EFAULT if the sink took nothing
   */
  wait(sink: EventSink, target: usize, maximum: u32, deadlineNs: u64): i64 {
    let status: i32 = deadlineNs == 0 ? -ETIMEDOUT : 0;
    while (true) {
      const collected = this.ready.isEmpty ? 0 : this.collect(sink, target, maximum);
      if (collected != 0) return collected;
      if (status == -ETIMEDOUT) return 0;
      if (status == -EINTR) return -EINTR;
      this.lock.acquire();
      while (this.ready.isEmpty && status == 0) {
        status = this.waiters.sleep(this.lock, deadlineNs, true);
      }
      this.lock.release();
    }
  }

  /** Hands out the events of ready entries, oldest first. */
  private collect(sink: EventSink, target: usize, maximum: u32): i64 {
    let count: u32 = 0;
    let error: i64 = 0;
    this.mutex.lock();
    // Entries that go back to the list's end, or are woken meanwhile, are not looked at again.
    let left = this.ready.length;
    while (left != 0 && count < maximum && error == 0) {
      const taken = this.takeBatch(min(min(left, BATCH), maximum - count));
      if (taken == 0) break;
      left -= taken;
      const due = this.describe(taken);
      if (due == 0) continue;
      const place = target + <usize>count * EVENT_BYTES;
      const reported = sink.take(place, changetype<usize>(this.events), due);
      if (reported < due) error = -EFAULT;
      count += reported;
      this.putBack(reported, due);
    }
    const isMore = !this.ready.isEmpty;
    this.mutex.unlock();
    if (isMore) this.waiters.wakeOne();
    return count == 0 ? error : count;
  }

  /**
   * Writes the events of the first `taken` entries of the batch, and closes up those that have any;
   * returns their number.
   */
  private describe(taken: u32): u32 {
    let due: u32 = 0;
    for (let i: u32 = 0; i < taken; i++) {
      const item = this.taken(i);
      const events = this.eventsOf(item);
      if (events == 0) continue;
      const event = changetype<usize>(this.events) + <usize>due * EVENT_BYTES;
      store<u32>(event, events);
      store<u64>(event, item.data, EVENT_DATA);
      unchecked((this.batch[due] = changetype<usize>(item)));
      due++;
    }
    return due;
  }

  /** The events to report of an entry now. */
  private eventsOf(item: EpollItem): u32 {
    const file = item.watched;
    return file ? file.poll(null) & item.events : 0;
  }

  private taken(index: u32): EpollItem {
    return changetype<EpollItem>(unchecked(this.batch[index]));
  }

  /** Takes entries off the ready list into the batch. From here on a wake-up puts them back. */
  private takeBatch(wanted: u32): u32 {
    let count: u32 = 0;
    this.lock.acquire();
    for (; count < wanted; count++) {
      const item = this.ready.popFront();
      if (!item) break;
      item.isReady = false;
      unchecked((this.batch[count] = changetype<usize>(item)));
    }
    this.lock.release();
    return count;
  }

  /**
   * Puts the first `count` entries of the batch at the end of the ready list, unless a wake-up did so
   * already; of the first `reported` only those that stay ready.
   */
  private putBack(reported: u32, count: u32): void {
    this.lock.acquire();
    for (let i: u32 = 0; i < count; i++) {
      const item = this.taken(i);
      if (i < reported) {
        if ((item.events & EPOLLONESHOT) != 0) item.disarm();
        if ((item.events & (EPOLLONESHOT | EPOLLET)) != 0) continue;
      }
      if (item.isReady) continue;
      item.isReady = true;
      this.ready.pushBack(item);
    }
    this.lock.release();
  }

  destroy(): void {
    this.items.dispose();
    this.waiters.dispose();
    this.pollers.dispose();
    this.mutex.dispose();
    free(this.items);
    free(this.ready);
    free(this.waiters);
    free(this.pollers);
    free(this.mutex);
    free(this.lock);
    __free(changetype<usize>(this.batch));
    __free(changetype<usize>(this.events));
    free(this);
  }
}

function keyOf(file: File, fd: i32): u64 {
  return hashInteger(changetype<usize>(file) + <u32>fd);
}
