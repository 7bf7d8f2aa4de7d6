/**
 * One watched file of an epoll set: which events, what the application wants to be told with them,
 * and its places on the file's wait queue and on the set's ready list.
 *
 * An entry ends when it is removed, when its set is closed, or when its file is; the last two may
 * happen at the same time, so whoever looks at an entry from outside the set's mutex holds a
 * reference.
 *
 * Neighbours: `epoll-set.ts`, `file-watch.ts`.
 */
import { free } from "../lib/object";
import { WAIT_EXCLUSIVE, WaitLink } from "../sched/wait";
import { EpollSet } from "./epoll-set";
import { FileWatcher } from "./file-watch";

// Flags of epoll_ctl(2) beside the events.
export const EPOLLEXCLUSIVE: u32 = 1 << 28;
export const EPOLLWAKEUP: u32 = 1 << 29;
export const EPOLLONESHOT: u32 = 1 << 30;
export const EPOLLET: u32 = 1 << 31;

const FLAGS: u32 = EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET;

export class EpollItem extends FileWatcher {
  hashNext: usize = 0;
  hashValue: u64 = 0;
  readyNext: usize = 0;
  readyPrevious: usize = 0;
  /** True while on the set's ready list; guarded by the set's spin lock. */
  isReady: bool = false;
  /** Place on the wait queue of the file. */
  link: WaitLink = changetype<WaitLink>(<usize>0);
  private references: u32 = 1;

  /** Takes a reference of the set. @param events POLL* and EPOLL* bits */
  constructor(
    public set: EpollSet,
    public fd: i32,
    public events: u32,
    public data: u64,
  ) {
    super();
    set.retain();
    this.link = new WaitLink(this);
    if ((events & EPOLLEXCLUSIVE) != 0) this.link.mode = WAIT_EXCLUSIVE;
  }

  /** False after a one-shot entry has been reported. */
  isArmed(): bool {
    return (this.events & ~FLAGS) != 0;
  }

  /** Reports nothing more until epoll_ctl(EPOLL_CTL_MOD). */
  disarm(): void {
    this.events &= FLAGS;
  }

  onWake(events: u32): bool {
    return (events & this.events) != 0 && this.set.wake(this);
  }

  keepAlive(): void {
    atomic.add<u32>(this.referencesAddress(), 1);
  }

  fileEnded(): void {
    const set = this.set;
    set.acquire();
    set.remove(this);
    set.giveBack();
    this.leave();
  }

  /** Gives up one reference: that of the set, or that of `keepAlive`. */
  leave(): void {
    if (atomic.sub<u32>(this.referencesAddress(), 1) != 1) return;
    const set = this.set;
    free(this.link);
    free(this);
    set.release();
  }

  private referencesAddress(): usize {
    return changetype<usize>(this) + offsetof<EpollItem>("references");
  }
}
