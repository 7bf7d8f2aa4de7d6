/**
 * The control queue of a virtio network device: Virtual I/O Device (VIRTIO) version 1.2,
 * section 5.1.6.5. A command is a class and a number, then its data; the device writes one byte.
 *
 * Commands are given one at a time, by threads. Lock: `lock` guards the queue. Neighbour: `net.ts`.
 */
import { SpinLock } from "../../arch/spinlock";
import { EIO, ENOMEM, ETIMEDOUT } from "../../lib/errno";
import { heapAllocate } from "../../mm/heap";
import { monotonicNs } from "../../sched/clock";
import { WaitQueue } from "../../sched/wait";
import { physicalAddress } from "../dma";
import { Transport } from "./transport";
import { Virtqueue } from "./virtqueue";

/** VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET (section 5.1.6.5.5). */
const CLASS_QUEUES: u8 = 4;
const SET_PAIRS: u8 = 0;
const ACKNOWLEDGED: u8 = 0;
const REFUSED: u8 = 1;

/** Where a command and its answer lie in the buffer. */
const DATA: u32 = 2;
const COMMAND_BYTES: u32 = 4;
const BUFFER_BYTES: u32 = 8;

/** A device that has not answered after this time has failed. */
const WAIT_NS: u64 = 1_000_000_000;

export class NetControl {
  private lock: SpinLock = new SpinLock();
  private done: WaitQueue = new WaitQueue();
  private buffer: usize = 0;
  private isBusy: bool = false;

  constructor(
    readonly transport: Transport,
    readonly queue: Virtqueue,
  ) {}

  /** Has the device use the first `count` pairs of queues. May sleep. @returns 0 or -errno */
  setPairs(count: u16): i32 {
    if (this.buffer == 0) this.buffer = heapAllocate(BUFFER_BYTES);
    const buffer = this.buffer;
    if (buffer == 0) return -ENOMEM;
    store<u8>(buffer, CLASS_QUEUES);
    store<u8>(buffer, SET_PAIRS, 1);
    store<u16>(buffer + DATA, count);
    store<u8>(buffer + COMMAND_BYTES, REFUSED);
    const queue = this.queue;
    this.lock.acquire();
    this.isBusy = true;
    queue.append(physicalAddress(buffer), COMMAND_BYTES, false);
    queue.append(physicalAddress(buffer + COMMAND_BYTES), 1, true);
    queue.endChain(0);
    if (queue.publish()) this.transport.notify(queue);
    if (queue.enableInterrupts()) this.takeAnswer();
    const deadlineNs = monotonicNs() + WAIT_NS;
    while (this.isBusy && this.done.sleep(this.lock, deadlineNs, false) == 0) {}
    const isBusy = this.isBusy;
    this.lock.release();
    if (isBusy) return -ETIMEDOUT;
    return load<u8>(buffer + COMMAND_BYTES) == ACKNOWLEDGED ? 0 : -EIO;
  }

  /** The device may have answered. Interrupt context. */
  serve(): void {
    if (!this.queue.hasUsed()) return;
    this.lock.acquire();
    this.takeAnswer();
    this.lock.release();
  }

  private takeAnswer(): void {
    if (!this.queue.takeUsed()) return;
    this.isBusy = false;
    this.done.wakeAll();
  }
}
