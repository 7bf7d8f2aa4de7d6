/**
 * Waiting for the first of several open files to become ready: the common part of poll(2) and
 * select(2).
 *
 * The files are first asked without registering anywhere, which is all it takes when one is ready
 * already. Only a call that has to sleep puts a link on each file's wait queue. The files are held
 * until the end, so closing a descriptor meanwhile changes nothing (poll(2) leaves that undefined).
 *
 *     one entry:  +-----------+-----------+--------------+-------------+
 *                 | held (8)  | link (8)  | wanted (u32) | ready (u32) |
 *                 +-----------+-----------+--------------+-------------+
 *
 * Neighbours: `poll.ts`, `select.ts`; `epoll.ts` is the form whose cost does not grow with the set.
 */
import { POLLERR, POLLHUP } from "../fs/constants";
import { kernelMemoryIsShort } from "../fs/page-cache";
import { EINTR, ENOMEM, ETIMEDOUT } from "../lib/errno";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { monotonicNs } from "../sched/clock";
import { ThreadWaiter, WaitLink } from "../sched/wait";
import { drop, heldFile, hold } from "./held-file";

const ENTRY: usize = 24;
const LINK: usize = 8;
const WANTED: usize = 16;
const READY: usize = 20;

/** The files of one poll or select call. */
export class PollSet {
  private entries: usize;
  private count: u32 = 0;
  private waiter: ThreadWaiter | null = null;

  private entriesBytes: usize;

  /**
   * @param capacity how many files `add` will be called for; see `hasMemory`
   * @param extraBytes memory for the caller, at `extra`
   */
  constructor(capacity: u32, extraBytes: usize = 0) {
    this.entriesBytes = <usize>capacity * ENTRY;
    this.entries = heapAllocate(max<usize>(this.entriesBytes + extraBytes, 8));
  }

  /** Address of the memory that the caller asked for. */
  extra(): usize {
    return this.entries + this.entriesBytes;
  }

  /** False if the set could not be allocated (ENOMEM). */
  hasMemory(): bool {
    return this.entries != 0;
  }

  /**
   * Adds the file of `fd`, or an entry that is never ready if `fd` is not open.
   * @param wanted POLL* bits; POLLERR and POLLHUP are always reported
   * @returns false if `fd` is not open
   */
  add(fd: i32, wanted: u32): bool {
    const entry = this.entries + <usize>this.count * ENTRY;
    const held = fd < 0 ? 0 : hold(fd);
    store<usize>(entry, held);
    store<usize>(entry, 0, LINK);
    store<u32>(entry, wanted | POLLERR | POLLHUP, WANTED);
    store<u32>(entry, 0, READY);
    this.count++;
    return held != 0;
  }

  /** The events that hold for entry `index` after `wait`. */
  ready(index: u32): u32 {
    return load<u32>(this.entries + <usize>index * ENTRY, READY);
  }

  /**
   * Waits until a file is ready.
   * @param deadlineNs monotonic time; 0 = do not wait, FOREVER
   * @returns how many entries are ready, 0 at the deadline, -EINTR or -ENOMEM
   */
  wait(deadlineNs: u64): i64 {
    let found = this.check();
    if (found != 0 || deadlineNs == 0 || monotonicNs() >= deadlineNs) return found;
    if (kernelMemoryIsShort()) return -ENOMEM;
    const waiter = new ThreadWaiter();
    this.waiter = waiter;
    found = this.register(waiter);
    while (found == 0) {
      const result = waiter.wait(deadlineNs, true);
      waiter.reset();
      found = this.check();
      if (found != 0 || result == -ETIMEDOUT) break;
      if (result == -EINTR) return -EINTR;
    }
    return found;
  }

  /** Leaves all queues, lets the files go and frees the set. */
  dispose(): void {
    for (let i: u32 = 0; i < this.count; i++) {
      const entry = this.entries + <usize>i * ENTRY;
      const held = load<usize>(entry);
      const link = load<usize>(entry, LINK);
      if (link != 0) {
        heldFile(held).unpoll(changetype<WaitLink>(link));
        free(changetype<WaitLink>(link));
      }
      drop(held);
    }
    const waiter = this.waiter;
    if (waiter) free(waiter);
    if (this.entries != 0) heapFree(this.entries);
    free(this);
  }

  /** Asks every file; returns how many are ready. */
  private check(): i64 {
    let found: i64 = 0;
    for (let i: u32 = 0; i < this.count; i++) {
      const entry = this.entries + <usize>i * ENTRY;
      const held = load<usize>(entry);
      if (held == 0) continue;
      found += this.note(entry, heldFile(held).poll(null));
    }
    return found;
  }

  /** Asks every file and puts a link on its queue; returns how many are ready. */
  private register(waiter: ThreadWaiter): i64 {
    let found: i64 = 0;
    for (let i: u32 = 0; i < this.count; i++) {
      const entry = this.entries + <usize>i * ENTRY;
      const held = load<usize>(entry);
      if (held == 0) continue;
      const file = heldFile(held);
      let link: WaitLink | null = null;
      if (file.canPoll()) {
        link = new WaitLink(waiter);
        store<usize>(entry, changetype<usize>(link), LINK);
      }
      found += this.note(entry, file.poll(link));
    }
    return found;
  }

  private note(entry: usize, events: u32): i64 {
    const ready = events & load<u32>(entry, WANTED);
    store<u32>(entry, ready, READY);
    return ready != 0 ? 1 : 0;
  }
}
