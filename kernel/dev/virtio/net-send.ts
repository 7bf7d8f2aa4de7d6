/**
 * The sending half of a virtio network device.
 *
 *     send ─► queue of the device; what finds it full waits in `backlog`
 *
 * A packet in several parts goes as an indirect table of descriptors (VIRTIO 1.2, section 2.7.5.3)
 * that lies in a block of its own. Sent packets are taken back at the next transmission; the device
 * interrupts for them only while there is a backlog or somebody waits for it to take the next one.
 * While `plugged`, packets are queued and the device is told of them at once in the end: answers to
 * a batch of frames cost one notification.
 *
 * Lock: `lock` guards everything. Neighbours: `net-pair.ts`, `net-header.ts`, `virtqueue.ts`.
 */
import { SpinLock } from "../../arch/spinlock";
import { heapAllocate, heapFree } from "../../mm/heap";
import { physicalAddress } from "../dma";
import { SendWaiter } from "../network";
import { freePacket, Packet } from "../packet";
import { FEATURE_INDIRECT, Transport } from "./transport";
import { Descriptor, DESCRIPTOR_BYTES, DESCRIPTOR_NEXT, Virtqueue } from "./virtqueue";

/** Packets that may wait for the device. */
const BACKLOG_MAX: u32 = 1024;

export class NetSend {
  /** Packets dropped because the device was too slow. */
  drops: u64 = 0;
  private lock: SpinLock = new SpinLock();
  private backlogFirst: usize = 0;
  private backlogLast: usize = 0;
  private backlogLength: u32 = 0;
  private plugDepth: u32 = 0;
  private waiters: SendWaiter | null = null;
  /** Packets transmitted, and those of them that the device has taken. */
  number: u32 = 0;
  private taken: u32 = 0;
  private usesIndirect: bool;

  constructor(
    readonly transport: Transport,
    readonly queue: Virtqueue,
  ) {
    this.usesIndirect = transport.has(FEATURE_INDIRECT);
    queue.disableInterrupts();
  }

  /** Sends a packet with its header in front; takes it. Any context. */
  send(packet: Packet): void {
    this.lock.acquire();
    this.number++;
    this.reclaim();
    if (this.backlogFirst != 0 || !this.enqueue(packet)) this.postpone(packet);
    else if (this.plugDepth == 0) this.show();
    this.lock.release();
  }

  /** From now on packets wait to be shown to the device, until `unplug`. */
  plug(): void {
    this.lock.acquire();
    this.plugDepth++;
    this.lock.release();
  }

  unplug(): void {
    this.lock.acquire();
    if (--this.plugDepth == 0) this.show();
    this.lock.release();
  }

  /** True if the device has taken the first `number` packets; devices take them in order. */
  hasTaken(number: u32): bool {
    if (<i32>(this.taken - number) >= 0) return true;
    this.lock.acquire();
    this.reclaim();
    const isTaken = <i32>(this.taken - number) >= 0;
    this.lock.release();
    return isTaken;
  }

  /** Tells `waiter` when the device takes the next packet; false if it has taken all. */
  await(waiter: SendWaiter): bool {
    this.lock.acquire();
    this.reclaim();
    while (this.taken != this.number && this.queue.enableInterrupts()) this.reclaim();
    const isBusy = this.taken != this.number;
    if (isBusy && !waiter.isWaiting) {
      waiter.isWaiting = true;
      waiter.nextWaiter = this.waiters;
      this.waiters = waiter;
    }
    this.lock.release();
    return isBusy;
  }

  /** True if something waits for the device to take packets. */
  get isAwaited(): bool {
    return this.backlogFirst != 0 || this.waiters != null;
  }

  /** The device interrupted: sends what had to wait. */
  serve(): void {
    if (!this.isAwaited) return;
    this.lock.acquire();
    const before = this.taken;
    do {
      this.drainBacklog();
    } while (this.isWaitedFor(before) && this.queue.enableInterrupts());
    let waiter: SendWaiter | null = null;
    if (!this.isWaitedFor(before)) {
      waiter = this.waiters;
      this.waiters = null;
    }
    this.lock.release();
    while (waiter) {
      const next = waiter.nextWaiter;
      waiter.isWaiting = false;
      waiter.deviceTook();
      waiter = next;
    }
  }

  /** True if somebody waits for the device to take more than `before` packets, and it could. */
  private isWaitedFor(before: u32): bool {
    return this.waiters != null && this.taken == before && this.taken != this.number;
  }

  private show(): void {
    if (this.queue.publish()) this.transport.notify(this.queue);
  }

  /** Gives a packet to the queue; false if it has no room. */
  private enqueue(packet: Packet): bool {
    const queue = this.queue;
    const token = changetype<usize>(packet);
    if (packet.more == 0) {
      if (queue.freeCount == 0) return false;
      queue.append(physicalAddress(packet.data), packet.length, false);
      queue.endChain(token);
      return true;
    }
    let count: u32 = 1;
    for (let at = packet.more; at != 0; at = changetype<Packet>(at).next) count++;
    if (this.usesIndirect && queue.freeCount > 0) {
      const table = heapAllocate(<usize>(count * DESCRIPTOR_BYTES));
      if (table != 0) {
        fillTable(table, packet);
        packet.table = table;
        queue.appendIndirect(physicalAddress(table), count, 0);
        queue.endChain(token);
        return true;
      }
    }
    if (queue.freeCount < count) return false;
    queue.append(physicalAddress(packet.data), packet.length, false);
    for (let at = packet.more; at != 0; at = changetype<Packet>(at).next) {
      const part = changetype<Packet>(at);
      queue.append(physicalAddress(part.data), part.length, false);
    }
    queue.endChain(token);
    return true;
  }

  /** Frees what the device has sent. */
  private reclaim(): void {
    const queue = this.queue;
    while (queue.takeUsed()) {
      const packet = changetype<Packet>(<usize>queue.usedToken);
      this.taken++;
      if (packet.table != 0) heapFree(packet.table);
      freePacket(packet);
    }
  }

  private postpone(packet: Packet): void {
    if (this.backlogLength == BACKLOG_MAX || this.queue.broken) {
      this.drops++;
      this.taken++;
      freePacket(packet);
      return;
    }
    const address = changetype<usize>(packet);
    packet.next = 0;
    if (this.backlogLast != 0) changetype<Packet>(this.backlogLast).next = address;
    else this.backlogFirst = address;
    this.backlogLast = address;
    this.backlogLength++;
    this.drainBacklog();
  }

  /** Sends what waits, and asks for an interrupt if some of it must wait on. */
  private drainBacklog(): void {
    const queue = this.queue;
    do {
      this.reclaim();
      while (this.backlogFirst != 0) {
        const packet = changetype<Packet>(this.backlogFirst);
        const next = packet.next;
        if (!this.enqueue(packet)) break;
        this.backlogFirst = next;
        if (next == 0) this.backlogLast = 0;
        this.backlogLength--;
      }
      this.show();
      if (this.backlogFirst == 0) {
        queue.disableInterrupts();
        return;
      }
    } while (queue.enableInterrupts());
  }
}

/** Writes the descriptors of a packet's parts. */
function fillTable(table: usize, packet: Packet): void {
  let part = packet;
  let at = table;
  let index: u16 = 0;
  while (true) {
    const descriptor = changetype<Descriptor>(at);
    descriptor.address = physicalAddress(part.data);
    descriptor.lengthBytes = part.length;
    descriptor.flags = 0;
    descriptor.next = 0;
    const next = index == 0 ? packet.more : part.next;
    if (next == 0) return;
    descriptor.flags = DESCRIPTOR_NEXT;
    descriptor.next = ++index;
    part = changetype<Packet>(next);
    at += DESCRIPTOR_BYTES;
  }
}
