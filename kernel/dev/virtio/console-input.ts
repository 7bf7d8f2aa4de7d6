/**
 * Input of a virtio console port (VIRTIO 1.2, section 5.3.6): a few buffers that the device fills
 * and the reader empties. A reader that does not read leaves the device without buffers, and the
 * host has to wait.
 *
 * Either `read` takes the bytes, or a receiver (a terminal) gets them as they arrive.
 *
 * Lock: `lock` guards everything here and the receive queue; wait queues are woken with it held.
 */
import { copyUser } from "../../arch/cpu";
import { SpinLock } from "../../arch/spinlock";
import { EAGAIN, EFAULT, EINTR, ENOMEM } from "../../lib/errno";
import { heapAllocate } from "../../mm/heap";
import { FOREVER, WaitQueue } from "../../sched/wait";
import { InputReceiver } from "../console/line";
import { physicalAddress } from "../dma";
import { Transport } from "./transport";
import { Virtqueue } from "./virtqueue";

const BUFFER_BYTES: u32 = 4096;
/** A power of two. */
const BUFFERS: u32 = 4;

export class ConsoleInput {
  lock: SpinLock = new SpinLock();
  private memory: usize = 0;
  /** Filled buffers in order of arrival: a ring of buffer numbers. */
  private filled: StaticArray<u32> = new StaticArray<u32>(<i32>BUFFERS);
  private firstFilled: u32 = 0;
  private filledCount: u32 = 0;
  /** For each buffer the bytes in it; `taken` counts those of the first filled one already read. */
  private lengths: StaticArray<u32> = new StaticArray<u32>(<i32>BUFFERS);
  private taken: u32 = 0;
  private hostOpen: bool = false;
  private reading: bool = false;
  private receiver: InputReceiver | null = null;

  constructor(
    readonly transport: Transport,
    readonly queue: Virtqueue,
    readonly changed: WaitQueue,
  ) {}

  /** Gives the device its first buffers. The lock is held. @returns true if it must be notified */
  private prime(): bool {
    const count = min(BUFFERS, this.queue.size);
    this.memory = heapAllocate(<usize>(count * BUFFER_BYTES));
    if (this.memory == 0) return false;
    for (let i: u32 = 0; i < count; i++) this.post(i);
    return this.queue.publish();
  }

  private bufferAddress(buffer: u32): usize {
    return this.memory + <usize>(buffer * BUFFER_BYTES);
  }

  private post(buffer: u32): void {
    this.queue.append(physicalAddress(this.bufferAddress(buffer)), BUFFER_BYTES, true);
    this.queue.endChain(buffer);
  }

  /** Collects the buffers the device filled. The lock is held. */
  private collect(): void {
    const queue = this.queue;
    do {
      while (queue.takeUsed()) {
        const buffer = <u32>queue.usedToken;
        if (queue.usedBytes == 0) {
          this.post(buffer);
          continue;
        }
        this.lengths[buffer] = queue.usedBytes;
        this.filled[(this.firstFilled + this.filledCount) & (BUFFERS - 1)] = buffer;
        this.filledCount++;
      }
    } while (queue.enableInterrupts());
  }

  /** Gives the first filled buffer back to the device, which sees it at the next `publish`. */
  private recycle(): void {
    const buffer = this.filled[this.firstFilled];
    this.firstFilled = (this.firstFilled + 1) & (BUFFERS - 1);
    this.filledCount--;
    this.taken = 0;
    this.post(buffer);
  }

  /** Passes everything on to the receiver. The lock is held. @returns true to notify */
  private feed(receiver: InputReceiver): bool {
    while (this.filledCount > 0) {
      const buffer = this.filled[this.firstFilled];
      const left = this.lengths[buffer] - this.taken;
      const address = this.bufferAddress(buffer) + this.taken;
      const used = <u32>receiver.receive(address, left);
      this.taken += used;
      if (used < left) break;
      this.recycle();
    }
    return this.queue.publish();
  }

  /** Called from the device's interrupt. */
  interrupt(): void {
    if (!this.queue.hasUsed()) return;
    this.lock.acquire();
    this.collect();
    const receiver = this.receiver;
    const notify = receiver ? this.feed(receiver) : this.queue.publish();
    this.changed.wakeAll();
    this.lock.release();
    if (notify) this.transport.notify(this.queue);
  }

  /** Sends all input to `receiver` from now on, what has already arrived first. */
  attach(receiver: InputReceiver): void {
    this.lock.acquire();
    this.receiver = receiver;
    let notify = false;
    if (this.memory == 0) notify = this.prime();
    if (this.feed(receiver)) notify = true;
    this.lock.release();
    if (notify) this.transport.notify(this.queue);
  }

  /** The receiver attached, or null. */
  attachedReceiver(): InputReceiver | null {
    return this.receiver;
  }

  /** The receiver has room again. */
  resume(): void {
    this.lock.acquire();
    const receiver = this.receiver;
    let notify = false;
    if (receiver) notify = this.feed(receiver);
    this.lock.release();
    if (notify) this.transport.notify(this.queue);
  }

  /** The host opened or closed its end. Data it sent before closing is read first. */
  setHostOpen(open: bool): void {
    this.lock.acquire();
    if (this.memory != 0) this.collect();
    this.hostOpen = open;
    const receiver = this.receiver;
    const notify = receiver ? this.feed(receiver) : this.queue.publish();
    if (receiver) receiver.setHungUp(!open);
    this.changed.wakeAll();
    this.lock.release();
    if (notify) this.transport.notify(this.queue);
  }

  /** True at the end of the input: nothing left, and nobody who could send more. */
  private atEnd(): bool {
    return this.filledCount == 0 && (!this.hostOpen || this.queue.broken);
  }

  /**
   * Reads what is there, up to `length` bytes, to a user or kernel address; sleeps until there is
   * something. @returns bytes read, 0 at the end, -EAGAIN, -EINTR, -EFAULT, -ENOMEM
   */
  read(buffer: usize, length: usize, nonBlocking: bool): i64 {
    if (length == 0) return 0;
    this.lock.acquire();
    const error = this.waitForInput(nonBlocking);
    if (error != 0 || this.filledCount == 0) {
      this.lock.release();
      return error;
    }
    this.reading = true;
    let done: usize = 0;
    let fault = false;
    while (done < length && this.filledCount > 0 && !fault) {
      const first = this.filled[this.firstFilled];
      const part = min(length - done, <usize>(this.lengths[first] - this.taken));
      const source = this.bufferAddress(first) + this.taken;
      // Only the one who is `reading` takes filled buffers, so this one stays.
      this.lock.release();
      const left = copyUser(buffer + done, source, part);
      this.lock.acquire();
      done += part - left;
      this.taken += <u32>(part - left);
      fault = left > 0;
      if (this.taken == this.lengths[first]) this.recycle();
    }
    this.reading = false;
    this.changed.wakeAll();
    const notify = this.queue.publish();
    this.lock.release();
    if (notify) this.transport.notify(this.queue);
    return done == 0 && fault ? -EFAULT : <i64>done;
  }

  /** Sleeps until there is input to read or its end. The lock is held. @returns 0 or an error */
  private waitForInput(nonBlocking: bool): i32 {
    if (this.memory == 0) {
      const notify = this.prime();
      if (this.memory == 0) return -ENOMEM;
      if (notify) {
        this.lock.release();
        this.transport.notify(this.queue);
        this.lock.acquire();
      }
      this.collect();
    }
    while (this.reading || this.filledCount == 0) {
      if (!this.reading && this.atEnd()) return 0;
      if (nonBlocking) return -EAGAIN;
      if (this.changed.sleep(this.lock, FOREVER, true) == -EINTR) return -EINTR;
    }
    return 0;
  }

  /** For poll. @returns true if `read` would not sleep */
  isReadable(): bool {
    this.lock.acquire();
    let notify = false;
    if (this.memory == 0) notify = this.prime();
    const readable = this.filledCount > 0 || this.atEnd();
    this.lock.release();
    if (notify) this.transport.notify(this.queue);
    return readable;
  }

  /** True if the host has closed its end and everything was read. */
  isAtEnd(): bool {
    return this.atEnd();
  }

  /** Bytes that can be read without sleeping, for FIONREAD. */
  available(): u32 {
    this.lock.acquire();
    let sum: u32 = 0;
    for (let i: u32 = 0; i < this.filledCount; i++) {
      sum += this.lengths[this.filled[(this.firstFilled + i) & (BUFFERS - 1)]];
    }
    this.lock.release();
    return sum - this.taken;
  }
}
