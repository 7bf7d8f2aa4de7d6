/**
 * The descriptor of inotify(7): watches of files and directories, and the events that they saw.
 *
 *     struct inotify_event:  | watch i32 | mask u32 | cookie u32 | length u32 | name, zeros |
 *
 * Events wait as blocks in exactly this form, in front of each a link. An event that is equal to the last
 * one waiting is not repeated; beyond EVENTS_MAX one that says so takes the place of all that follow.
 *
 * Neighbours: `inotify.ts` (the system calls), `fs/notify` (where events come from).
 * Locks: `watchLock` of `fs/notify` guards the list of watches; inside it `lock` the queue.
 */
import { copyUser } from "../arch/cpu";
import { SpinLock } from "../arch/spinlock";
import { O_NONBLOCK, POLLIN, POLLRDNORM } from "../fs/constants";
import {
  IN_ALL_EVENTS,
  IN_EXCL_UNLINK,
  IN_ONESHOT,
  Watch,
  firstWatch,
  linkWatch,
  unlinkWatch,
  watchLock,
} from "../fs/notify";
import { Vnode } from "../fs/vnode";
import { EAGAIN, EEXIST, EFAULT, EINVAL, ENOSPC, ENOTTY } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { List } from "../lib/list";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { FOREVER, WaitLink, WaitQueue } from "../sched/wait";
import { AnonymousFile } from "./anonymous-file";
import { store32 } from "./user-memory";

const IN_Q_OVERFLOW: u32 = 0x4000;
const IN_IGNORED: u32 = 0x8000;
export const IN_MASK_CREATE: u32 = 0x1000_0000;
export const IN_MASK_ADD: u32 = 0x2000_0000;
export const IN_ISDIR: u32 = 0x4000_0000;
/** IN_DELETE_SELF and IN_MOVE_SELF are reported without IN_ISDIR. */
const SELF_EVENTS: u32 = 0xc00;
const FIONREAD: u32 = 0x541b;

/** /proc/sys/fs/inotify/max_queued_events and max_user_watches. */
export const EVENTS_MAX: u32 = 16384;
export const WATCHES_MAX: u32 = 65536;

/** An event in the queue: the next one, then struct inotify_event. */
const LINK: usize = 8;
const HEADER: usize = 16;
const NO_WATCH: i32 = -1;

class InotifyWatch extends Watch {
  listNext: usize = 0;
  listPrevious: usize = 0;

  constructor(
    private file: InotifyFile,
    vnode: Vnode,
    mask: u32,
    readonly number: i32,
  ) {
    super(vnode, mask);
  }

  belongsTo(file: InotifyFile): bool {
    return this.file == file;
  }

  deliver(mask: u32, cookie: u32, name: usize, nameLength: usize): void {
    const told = (mask & SELF_EVENTS) != 0 ? mask & ~IN_ISDIR : mask;
    this.file.queue(this.number, told, cookie, name, nameLength);
  }

  leave(): void {
    this.file.queue(this.number, IN_IGNORED, 0, 0, 0);
    this.file.watches.remove(this);
  }

  end(): void {
    const vnode = this.vnode;
    free(this);
    vnode.release();
  }
}

export class InotifyFile extends AnonymousFile {
  /** Its watches; guarded by `watchLock`. */
  watches: List<InotifyWatch> = new List<InotifyWatch>(offsetof<InotifyWatch>("listNext"));
  private lastNumber: i32 = 0;
  private lock: SpinLock = new SpinLock();
  private readable: WaitQueue = new WaitQueue();
  /** Addresses of the first and last event; 0 if there is none. */
  private first: usize = 0;
  private last: usize = 0;
  private count: u32 = 0;
  /** Bytes that reading all events would give. */
  private bytes: usize = 0;

  typeName(): string {
    return "inotify";
  }

  writePath(out: ByteWriter): void {
    out.writeString("anon_inode:inotify");
  }

  /** Appends an event. Any context. */
  queue(watch: i32, mask: u32, cookie: u32, name: usize, nameLength: usize): void {
    // The name's zero counts; the whole is a multiple of the structure's size.
    const padded = nameLength == 0 ? 0 : (nameLength + HEADER) & ~(HEADER - 1);
    this.lock.acquire();
    const isFull = this.count >= EVENTS_MAX;
    if (isFull && this.count > EVENTS_MAX) {
      this.lock.release();
      return;
    }
    const isRepeated = (mask & IN_IGNORED) == 0 && this.isLast(watch, mask, name, nameLength);
    if (!isRepeated) {
      if (isFull) this.append(NO_WATCH, IN_Q_OVERFLOW, 0, 0, 0, 0);
      else this.append(watch, mask, cookie, name, nameLength, padded);
    }
    this.lock.release();
    if (!isRepeated) this.readable.wakeAll();
  }

  private append(
    watch: i32,
    mask: u32,
    cookie: u32,
    name: usize,
    nameLength: usize,
    padded: usize,
  ): void {
    const event = heapAllocate(LINK + HEADER + padded);
    if (event == 0) return;
    store<usize>(event, 0);
    store<i32>(event + LINK, watch);
    store<u32>(event + LINK, mask, 4);
    store<u32>(event + LINK, cookie, 8);
    store<u32>(event + LINK, <u32>padded, 12);
    memory.copy(event + LINK + HEADER, name, nameLength);
    memory.fill(event + LINK + HEADER + nameLength, 0, padded - nameLength);
    if (this.last != 0) store<usize>(this.last, event);
    else this.first = event;
    this.last = event;
    this.count++;
    this.bytes += HEADER + padded;
  }

  private isLast(watch: i32, mask: u32, name: usize, nameLength: usize): bool {
    const event = this.last;
    if (event == 0) return false;
    if (load<i32>(event + LINK) != watch || load<u32>(event + LINK, 4) != mask) return false;
    const padded = load<u32>(event + LINK, 12);
    if ((padded == 0) != (nameLength == 0)) return false;
    if (nameLength == 0) return true;
    const known = event + LINK + HEADER;
    if (nameLength >= <usize>padded || load<u8>(known + nameLength) != 0) return false;
    return memory.compare(known, name, nameLength) == 0;
  }

  /** Gives whole events; -EINVAL if the buffer is too small for the first. */
  read(buffer: usize, length: usize): i64 {
    let done: usize = 0;
    while (true) {
      this.lock.acquire();
      while (this.first == 0 && done == 0) {
        const status = this.flags & O_NONBLOCK ? -EAGAIN : this.readable.sleep(this.lock, FOREVER);
        if (status < 0) {
          this.lock.release();
          return status;
        }
      }
      const event = this.first;
      const size = event == 0 ? 0 : HEADER + <usize>load<u32>(event + LINK, 12);
      const fits = event != 0 && size <= length - done;
      if (fits) this.take(event, size);
      this.lock.release();
      if (!fits) return done == 0 ? -EINVAL : <i64>done;
      const missed = copyUser(buffer + done, event + LINK, size);
      heapFree(event);
      if (missed != 0) return done == 0 ? -EFAULT : <i64>done;
      done += size;
    }
  }

  private take(event: usize, size: usize): void {
    this.first = load<usize>(event);
    if (this.first == 0) this.last = 0;
    this.count--;
    this.bytes -= size;
  }

  ioctl(request: u32, argument: usize): i64 {
    return request == FIONREAD ? store32(argument, <u32>this.bytes) : -ENOTTY;
  }

  poll(link: WaitLink | null): u32 {
    if (link) this.readable.add(link);
    return this.first != 0 ? POLLIN | POLLRDNORM : 0;
  }

  unpoll(link: WaitLink): void {
    this.readable.remove(link);
  }

  /** Watches `vnode` from now on, or changes how; takes over the reference. @returns number, error */
  watch(vnode: Vnode, mask: u32): i64 {
    const kept = mask & (IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT);
    watchLock.acquire();
    const known = this.watchOf(vnode);
    let result: i64 = 0;
    if (known) {
      if ((mask & IN_MASK_CREATE) != 0) result = -EEXIST;
      else {
        known.mask = (mask & IN_MASK_ADD) != 0 ? known.mask | kept : kept;
        result = known.number;
      }
    } else if (this.watches.length >= WATCHES_MAX) result = -ENOSPC;
    else {
      const watch = new InotifyWatch(this, vnode, kept, ++this.lastNumber);
      this.watches.pushBack(watch);
      linkWatch(watch);
      result = watch.number;
    }
    watchLock.release();
    if (known || result < 0) vnode.release();
    return result;
  }

  /** The watch of this descriptor on a vnode. Hold `watchLock`. */
  private watchOf(vnode: Vnode): InotifyWatch | null {
    let watch = firstWatch(vnode);
    while (watch) {
      const own = changetype<InotifyWatch>(watch);
      if (own.belongsTo(this)) return own;
      watch = watch.nextOnVnode;
    }
    return null;
  }

  /** Ends the watch with this number; 0 or -EINVAL. */
  unwatch(number: i32): i64 {
    watchLock.acquire();
    let watch = this.watches.first;
    while (watch && watch.number != number) watch = this.watches.next(watch);
    if (watch) unlinkWatch(watch);
    watchLock.release();
    if (watch) watch.end();
    return watch ? 0 : -EINVAL;
  }

  dispose(): void {
    watchLock.acquire();
    let watch = this.watches.first;
    while (watch) {
      unlinkWatch(watch);
      watchLock.release();
      watch.end();
      watchLock.acquire();
      watch = this.watches.first;
    }
    watchLock.release();
    for (let event = this.first; event != 0; ) {
      const next = load<usize>(event);
      heapFree(event);
      event = next;
    }
    this.readable.dispose();
    free(this.readable);
    free(this.lock);
    free(this.watches);
    free(this);
  }
}
