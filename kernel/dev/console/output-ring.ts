/**
 * Bytes on their way to a device: a ring that writers fill and the device's driver empties.
 *
 *     freed              sent               written
 *       | device has them | not yet sent     |        free
 *
 * Positions count bytes since the start and never wrap; a position modulo the size is an offset.
 * Small writes that come faster than the device takes them are thereby merged.
 *
 * Either byte streams write (`write`: straight from user memory into the ring, one writer at a
 * time), or a terminal appends (`append`: any context, whole pieces); never both on one ring.
 *
 * Lock: `lock` guards everything here and, in subclasses, the device's queue; wait queues are woken
 * with it held. Neighbours: `virtio/console-output`, `console/serial-terminal`.
 */
import { copyUser } from "../../arch/cpu";
import { SpinLock } from "../../arch/spinlock";
import { EAGAIN, EFAULT, EINTR, ENOMEM, EPIPE } from "../../lib/errno";
import { heapAllocate } from "../../mm/heap";
import { FOREVER, WaitQueue } from "../../sched/wait";

const SMALLEST_RING: usize = 256;

export abstract class OutputRing {
  lock: SpinLock = new SpinLock();
  /** Woken when there is room again, when all is sent, or when the other end goes away. */
  changed: WaitQueue;
  /** Nobody reads at the other end: writing fails with -EPIPE. */
  hungUp: bool = false;

  protected ring: usize = 0;
  protected written: u64 = 0;
  protected sent: u64 = 0;
  protected freed: u64 = 0;
  /** Somebody waits for room or for the end of output: the device must tell when it is done. */
  protected wanted: bool = false;
  private writing: bool = false;

  /**
   * @param sizeBytes size of the ring, a power of two; allocated at the first write, smaller when
   *   memory is short
   * @param changed the wait queue to wake (one for both directions of a device)
   */
  constructor(
    public sizeBytes: usize,
    changed: WaitQueue,
  ) {
    this.changed = changed;
  }

  /**
   * Hands what is not yet sent to the device, as far as it takes it, and takes back what it is done
   * with. The lock is held. @returns true if `notify` must be called once the lock is released
   */
  protected abstract advance(): bool;

  /** Tells the device to look; without the lock. */
  protected abstract notify(): void;

  /** Bytes that can be appended now. Takes no lock: exact only for the one who holds it. */
  room(): usize {
    return this.sizeBytes - <usize>(this.written - this.freed);
  }

  /** Bytes the device has not finished with. */
  pending(): u64 {
    return this.written - this.freed;
  }

  /** Makes the ring, a smaller one when memory is short: a program's last words must get out. */
  private allocateRing(): bool {
    while (this.ring == 0 && this.sizeBytes >= SMALLEST_RING) {
      this.ring = heapAllocate(this.sizeBytes);
      if (this.ring == 0) this.sizeBytes /= 2;
    }
    return this.ring != 0;
  }

  /** Bytes that can be stored at the position `written` without wrapping around. */
  private contiguousRoom(): usize {
    const untilEnd = this.sizeBytes - <usize>(this.written & (this.sizeBytes - 1));
    return min(this.room(), untilEnd);
  }

  /**
   * Writes `length` bytes from a user or kernel address; sleeps while the ring is full.
   * @returns bytes written, -EAGAIN if none could be without sleeping, -EINTR, -EFAULT, -EPIPE,
   * -ENOMEM
   */
  write(buffer: usize, length: usize, nonBlocking: bool): i64 {
    if (length == 0) return 0;
    this.lock.acquire();
    while (this.writing) {
      const error = nonBlocking ? -EAGAIN : this.sleep(true);
      if (error != 0) {
        this.lock.release();
        return error;
      }
    }
    this.writing = true;
    const result = this.writeAll(buffer, length, nonBlocking);
    this.writing = false;
    this.changed.wakeAll();
    this.lock.release();
    return result;
  }

  /** The lock is held, except while bytes are copied and the device is notified. */
  private writeAll(buffer: usize, length: usize, nonBlocking: bool): i64 {
    let done: usize = 0;
    let error: i32 = this.allocateRing() ? 0 : -ENOMEM;
    while (done < length && error == 0) {
      if (this.hungUp) {
        error = -EPIPE;
        break;
      }
      let part = min(this.contiguousRoom(), length - done);
      if (part == 0) {
        this.pump();
        part = min(this.contiguousRoom(), length - done);
      }
      if (part == 0) {
        error = nonBlocking ? -EAGAIN : this.sleep(true);
        continue;
      }
      // The range is this writer's own: nobody else moves `written` while `writing` is set.
      const target = this.ring + <usize>(this.written & (this.sizeBytes - 1));
      this.lock.release();
      const left = copyUser(target, buffer + done, part);
      this.lock.acquire();
      this.written += part - left;
      done += part - left;
      if (left > 0) error = -EFAULT;
      this.pump();
    }
    return done > 0 ? done : error;
  }

  /** Advances and notifies; the lock is held before and after, not between. */
  private pump(): void {
    if (!this.advance()) return;
    this.lock.release();
    this.notify();
    this.lock.acquire();
  }

  /**
   * Lets some time pass until something changed; the caller then checks its condition again.
   * @returns 0 or -EINTR
   */
  private sleep(interruptible: bool): i32 {
    const before = this.freed;
    this.wanted = true;
    if (this.advance()) {
      this.lock.release();
      this.notify();
      this.lock.acquire();
      return 0;
    }
    if (this.freed != before) return 0;
    return this.changed.sleep(this.lock, FOREVER, interruptible) == -EINTR ? -EINTR : 0;
  }

  /**
   * Appends all `length` bytes at the kernel address `bytes`, or nothing. Any context.
   * @returns false if they do not fit
   */
  append(bytes: usize, length: usize): bool {
    this.lock.acquire();
    if (!this.allocateRing() || this.room() < length) {
      this.lock.release();
      return false;
    }
    let done: usize = 0;
    while (done < length) {
      const part = min(this.contiguousRoom(), length - done);
      memory.copy(this.ring + <usize>(this.written & (this.sizeBytes - 1)), bytes + done, part);
      this.written += part;
      done += part;
    }
    const notify = this.advance();
    this.lock.release();
    if (notify) this.notify();
    return true;
  }

  /** Sleeps until at least `length` bytes fit, or the other end went away. @returns 0 or -EINTR */
  waitForRoom(length: usize): i32 {
    let error: i32 = 0;
    this.lock.acquire();
    while (this.room() < length && !this.hungUp && error == 0) error = this.sleep(true);
    this.lock.release();
    return error;
  }

  /** Sleeps, uninterruptibly, until the device has finished with every byte. */
  drain(): void {
    this.lock.acquire();
    while (this.freed != this.written && !this.hungUp) this.sleep(false);
    this.lock.release();
  }

  /** As `drain`, for tcdrain(3): a signal ends the wait. @returns 0 or -EINTR */
  drainInterruptibly(): i32 {
    let error: i32 = 0;
    this.lock.acquire();
    while (this.freed != this.written && !this.hungUp && error == 0) error = this.sleep(true);
    this.lock.release();
    return error;
  }

  /** Drops what the device does not have yet. */
  discard(): void {
    this.lock.acquire();
    this.written = this.sent;
    this.changed.wakeAll();
    this.lock.release();
  }

  /** For poll: says that a change from full must be announced. @returns true if there is room */
  wantRoom(): bool {
    this.lock.acquire();
    let room = this.room() > 0 || this.hungUp;
    let notify = false;
    if (!room) {
      this.wanted = true;
      notify = this.advance();
      room = this.room() > 0;
    }
    this.lock.release();
    if (notify) this.notify();
    return room;
  }

  /** Called from the device's interrupt: something may be finished. */
  interrupt(): void {
    this.lock.acquire();
    const before = this.freed;
    const notify = this.advance();
    if (this.freed != before) this.wakeIfWorthwhile();
    this.lock.release();
    if (notify) this.notify();
  }

  /** Wakes writers once half of the ring is free, so that they do not wake for every piece. */
  private wakeIfWorthwhile(): void {
    if (!this.wanted) return;
    if (this.freed != this.written && this.room() < this.sizeBytes / 2) return;
    this.wanted = this.freed != this.written;
    this.changed.wakeAll();
  }

  /** Says that nobody reads at the other end any more, or that somebody does again. */
  setHungUp(hungUp: bool): void {
    this.lock.acquire();
    this.hungUp = hungUp;
    this.changed.wakeAll();
    this.lock.release();
  }
}
