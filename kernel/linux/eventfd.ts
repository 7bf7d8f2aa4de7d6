/**
 * eventfd(2): a counter that can be waited for.
 *
 * Lock: `lock` guards the counter.
 */
import { copyUser } from "../arch/cpu";
import { SpinLock } from "../arch/spinlock";
import {
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  POLLERR,
  POLLIN,
  POLLOUT,
  POLLRDNORM,
  POLLWRNORM,
} from "../fs/constants";
import { kernelMemoryIsShort } from "../fs/page-cache";
import { EAGAIN, EFAULT, EINVAL, ENOMEM } from "../lib/errno";
import { free } from "../lib/object";
import { FOREVER, WaitLink, WaitQueue } from "../sched/wait";
import { AnonymousFile } from "./anonymous-file";
import { FD_CLOEXEC } from "./fd-table";
import { installFile } from "./install";
import { scratch } from "./user-memory";

const EFD_SEMAPHORE: u32 = 1;
const COUNTER_BYTES: usize = 8;
/** The counter never exceeds this value; a write that would is held back. */
const COUNTER_MAX: u64 = 0xffff_ffff_ffff_fffe;

export class EventFile extends AnonymousFile {
  private lock: SpinLock = new SpinLock();
  private queue: WaitQueue = new WaitQueue();

  constructor(
    private counter: u64,
    private isSemaphore: bool,
    flags: u32,
  ) {
    super(flags);
  }

  typeName(): string {
    return "eventfd";
  }

  /** Takes the counter, or 1 of a semaphore; sleeps while it is 0. */
  read(buffer: usize, length: usize): i64 {
    if (length < COUNTER_BYTES) return -EINVAL;
    this.lock.acquire();
    while (this.counter == 0) {
      const status = this.flags & O_NONBLOCK ? -EAGAIN : this.queue.sleep(this.lock, FOREVER, true);
      if (status < 0) {
        this.lock.release();
        return status;
      }
    }
    const value: u64 = this.isSemaphore ? 1 : this.counter;
    this.counter -= value;
    this.lock.release();
    this.queue.wakeForOne(POLLOUT | POLLWRNORM);
    const slot = scratch();
    store<u64>(slot, value);
    return copyUser(buffer, slot, COUNTER_BYTES) == 0 ? <i64>COUNTER_BYTES : -EFAULT;
  }

  /** Adds to the counter; sleeps while it would overflow. */
  write(buffer: usize, length: usize): i64 {
    if (length != COUNTER_BYTES) return -EINVAL;
    const slot = scratch();
    if (copyUser(slot, buffer, COUNTER_BYTES) != 0) return -EFAULT;
    const value = load<u64>(slot);
    if (value > COUNTER_MAX) return -EINVAL;
    this.lock.acquire();
    while (COUNTER_MAX - this.counter < value) {
      const status = this.flags & O_NONBLOCK ? -EAGAIN : this.queue.sleep(this.lock, FOREVER, true);
      if (status < 0) {
        this.lock.release();
        return status;
      }
    }
    this.counter += value;
    this.lock.release();
    this.queue.wakeForOne(POLLIN | POLLRDNORM);
    return COUNTER_BYTES;
  }

  /** Adds to the counter without waiting, as far as it can count. */
  add(value: u64): void {
    this.lock.acquire();
    this.counter += min(value, COUNTER_MAX + 1 - this.counter);
    this.lock.release();
    this.queue.wakeForOne(POLLIN | POLLRDNORM);
  }

  poll(link: WaitLink | null): u32 {
    if (link) this.queue.add(link);
    const counter = this.counter;
    let events: u32 = 0;
    if (counter != 0) events |= POLLIN | POLLRDNORM;
    if (counter < COUNTER_MAX) events |= POLLOUT | POLLWRNORM;
    if (counter > COUNTER_MAX) events |= POLLERR;
    return events;
  }

  unpoll(link: WaitLink): void {
    this.queue.remove(link);
  }

  dispose(): void {
    this.queue.dispose();
    free(this.queue);
    free(this.lock);
    free(this);
  }
}

/** eventfd(2) in its first form. */
export function sysEventfd(initial: u32): i64 {
  return sysEventfd2(initial, 0);
}

/** eventfd2(2). */
export function sysEventfd2(initial: u32, flags: u32): i64 {
  if ((flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK)) != 0) return -EINVAL;
  if (kernelMemoryIsShort()) return -ENOMEM;
  const status = O_RDWR | (flags & O_NONBLOCK);
  const file = new EventFile(initial, (flags & EFD_SEMAPHORE) != 0, status);
  return installFile(file, (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0);
}
