/**
 * The receiving half of a virtio network device: empty packets are given to the device, full ones
 * are taken back, each a buffer that nobody copies.
 *
 * With merged buffers (VIRTIO 1.2, section 5.1.6.4) a frame larger than a packet fills several; the
 * first holds all headers, the others become its `more`.
 *
 * Lock: `lock` guards the queue; it is not held while protocols run. Neighbours: `net.ts`,
 * `net-header.ts`, `virtqueue.ts`.
 */
import { SpinLock } from "../../arch/spinlock";
import { log } from "../../lib/log";
import { physicalAddress } from "../dma";
import { freePacket, newReceivePacket, Packet, packetRoom, pull } from "../packet";
import { bufferCount, readHeader } from "./net-header";
import { Transport } from "./transport";
import { Virtqueue } from "./virtqueue";

export class NetReceive {
  private lock: SpinLock = new SpinLock();

  /** @param merges whether a frame may fill several buffers */
  constructor(
    readonly transport: Transport,
    readonly queue: Virtqueue,
    readonly headerBytes: u32,
    readonly merges: bool,
  ) {}

  /** Gives the device its first buffers. */
  start(): void {
    this.lock.acquire();
    this.refill();
    this.queue.enableInterrupts();
    this.lock.release();
  }

  /**
   * Takes the frames that have come and gives the device new buffers.
   * @returns the frames, linked by `next`, without the virtio header; 0 if there are none, and the
   *   device interrupts for the next
   */
  take(): usize {
    const queue = this.queue;
    let first: usize = 0;
    let last: usize = 0;
    this.lock.acquire();
    do {
      let frame = this.takeFrame();
      while (frame != 0) {
        if (last != 0) changetype<Packet>(last).next = frame;
        else first = frame;
        last = frame;
        frame = this.takeFrame();
      }
      if (queue.broken) log("virtio-net: the device returned a buffer it did not have");
      else this.refill();
      // With frames in hand the queue is looked at again, so interrupts can wait.
    } while (first == 0 && queue.enableInterrupts());
    this.lock.release();
    return first;
  }

  /** Asks the device not to interrupt for frames until `take` or `listen`. */
  hush(): void {
    this.lock.acquire();
    this.queue.disableInterrupts();
    this.lock.release();
  }

  /** Asks the device to interrupt for the next frame. @returns true if some have already come */
  listen(): bool {
    this.lock.acquire();
    const hasFrames = this.queue.enableInterrupts();
    this.lock.release();
    return hasFrames;
  }

  /** Gives the device as many empty packets as fit. */
  private refill(): void {
    const queue = this.queue;
    while (queue.freeCount > 0) {
      const address = newReceivePacket();
      if (address == 0) break;
      const packet = changetype<Packet>(address);
      queue.append(physicalAddress(packet.data), packetRoom(packet), true);
      queue.endChain(address);
    }
    if (queue.publish()) this.transport.notify(queue);
  }

  /** One frame, or 0. Frames without a whole header are dropped. */
  private takeFrame(): usize {
    while (this.takeBuffer() != 0) {
      const address = <usize>this.queue.usedToken;
      const packet = changetype<Packet>(address);
      if (packet.length < this.headerBytes) {
        freePacket(packet);
        continue;
      }
      readHeader(packet);
      if (this.merges && !this.gather(packet, bufferCount(packet))) {
        freePacket(packet);
        continue;
      }
      pull(packet, this.headerBytes);
      return address;
    }
    return 0;
  }

  private takeBuffer(): usize {
    if (!this.queue.takeUsed()) return 0;
    const address = <usize>this.queue.usedToken;
    const packet = changetype<Packet>(address);
    packet.length = this.queue.usedBytes;
    packet.next = 0;
    return address;
  }

  /** Takes the other buffers of a frame; they are all there. */
  private gather(packet: Packet, count: u32): bool {
    let last: usize = 0;
    for (let taken: u32 = 1; taken < count; taken++) {
      const address = this.takeBuffer();
      if (address == 0) return false;
      if (last != 0) changetype<Packet>(last).next = address;
      else packet.more = address;
      last = address;
      packet.moreBytes += changetype<Packet>(address).length;
    }
    return true;
  }
}
