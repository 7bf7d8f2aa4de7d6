/**
 * The virtio network device: Virtual I/O Device (VIRTIO) version 1.2, section 5.1.
 *
 *     interrupt ─► receive queue: frames ─► `frameReceived`, each buffer replaced by a new packet
 *     transmit ─► send queue; what finds it full waits in `backlog` until the device has caught up
 *
 * Sent packets are taken back at the next transmission; the device interrupts for them only while
 * there is a backlog. Locks: `receiveLock`, `sendLock` guard a queue each; neither is held while
 * protocols run.
 *
 * Neighbours: `../network.ts`, `../packet.ts`, `transport.ts`, `virtqueue.ts`.
 */
import { SpinLock } from "../../arch/spinlock";
import { isError } from "../../lib/errno";
import { log } from "../../lib/log";
import { randomBytes } from "../random";
import { physicalAddress } from "../dma";
import { Driver } from "../driver";
import { frameReceived, MAC_BYTES, NetworkDevice, registerNetworkDevice } from "../network";
import {
  CHECKSUM_PARTIAL,
  CHECKSUM_VALID,
  freePacket,
  newReceivePacket,
  Packet,
  packetRoom,
  pull,
  push,
} from "../packet";
import { FEATURE_EVENT_INDEX, Transport, VIRTIO_TYPE_NETWORK, VirtioDriver } from "./transport";
import { MAX_QUEUE_SIZE, Virtqueue } from "./virtqueue";

// Feature bits (section 5.1.3).
const FEATURE_CHECKSUM: u64 = 1 << 0;
const FEATURE_GUEST_CHECKSUM: u64 = 1 << 1;
const FEATURE_MTU: u64 = 1 << 3;
const FEATURE_MAC: u64 = 1 << 5;
const FEATURE_HOST_TSO4: u64 = 1 << 11;

/** Configuration space (section 5.1.4): the hardware address, then the largest packet. */
const CONFIGURATION_MTU: u32 = 10;

// struct virtio_net_hdr (section 5.1.6): flags u8, gso_type u8, hdr_len u16, gso_size u16,
// csum_start u16, csum_offset u16, num_buffers u16 (not on legacy devices).
const HEADER_BYTES: u32 = 12;
const LEGACY_HEADER_BYTES: u32 = 10;
const HEADER_NEEDS_CHECKSUM: u8 = 1;
const HEADER_DATA_VALID: u8 = 2;
const GSO_TCPV4: u8 = 1;

/** Where the checksum is in a TCP and in a UDP header. */
const TCP_CHECKSUM_OFFSET: u16 = 16;
const UDP_CHECKSUM_OFFSET: u16 = 6;
const PROTOCOL_TCP: u8 = 6;
const IPV4_PROTOCOL: usize = 9;
const ETHERNET_BYTES: usize = 14;

/** Packets that may wait for the send queue. */
const BACKLOG_MAX: u32 = 1024;
const MTU_MIN: u32 = 576;
const MTU_MAX: u32 = 1500;

class NetInterrupts extends VirtioDriver {
  constructor(readonly device: VirtioNet) {
    super();
  }

  interrupt(): void {
    this.device.serve();
  }
}

export class VirtioNet extends NetworkDevice {
  private receiveQueue: Virtqueue = changetype<Virtqueue>(<usize>0);
  private sendQueue: Virtqueue = changetype<Virtqueue>(<usize>0);
  private receiveLock: SpinLock = new SpinLock();
  private sendLock: SpinLock = new SpinLock();
  private headerBytes: u32 = HEADER_BYTES;
  private backlogFirst: usize = 0;
  private backlogLast: usize = 0;
  private backlogLength: u32 = 0;

  constructor(readonly transport: Transport) {
    super();
  }

  /** Sets the device up and gives it buffers. @returns 0 or a negative errno */
  start(): i32 {
    const transport = this.transport;
    const result = transport.negotiate(
      FEATURE_CHECKSUM |
        FEATURE_GUEST_CHECKSUM |
        FEATURE_MTU |
        FEATURE_MAC |
        FEATURE_HOST_TSO4 |
        FEATURE_EVENT_INDEX,
    );
    if (result != 0) return result;
    if (transport.legacy) this.headerBytes = LEGACY_HEADER_BYTES;
    this.offloadsChecksum = transport.has(FEATURE_CHECKSUM);
    this.offloadsSegmentation = this.offloadsChecksum && transport.has(FEATURE_HOST_TSO4);
    this.readConfiguration();
    const receive = transport.createQueue(0, MAX_QUEUE_SIZE);
    if (isError(receive)) return transport.fail(<i32>receive);
    this.receiveQueue = changetype<Virtqueue>(receive);
    const send = transport.createQueue(1, MAX_QUEUE_SIZE);
    if (isError(send)) return transport.fail(<i32>send);
    this.sendQueue = changetype<Virtqueue>(send);
    const connected = transport.connect(new NetInterrupts(this));
    if (connected != 0) return transport.fail(connected);
    transport.start();
    this.sendQueue.disableInterrupts();
    this.receiveLock.acquire();
    this.refill();
    this.receiveQueue.enableInterrupts();
    this.receiveLock.release();
    return 0;
  }

  private readConfiguration(): void {
    const transport = this.transport;
    if (transport.has(FEATURE_MAC)) {
      for (let i: u32 = 0; i < <u32>MAC_BYTES; i++) {
        this.mac[i] = transport.configuration8(i);
      }
    } else {
      randomBytes(this.macAddress, MAC_BYTES);
      this.mac[0] = (this.mac[0] & 0xfe) | 2; // locally administered, not a group (IEEE 802)
    }
    if (transport.has(FEATURE_MTU)) {
      const mtu = <u32>transport.configuration16(CONFIGURATION_MTU);
      this.mtuBytes = max(MTU_MIN, min(mtu, MTU_MAX));
    }
  }

  /** Gives the device as many empty packets as fit. The lock is held. */
  private refill(): void {
    const queue = this.receiveQueue;
    while (queue.freeCount > 0) {
      const address = newReceivePacket();
      if (address == 0) break;
      const packet = changetype<Packet>(address);
      queue.append(physicalAddress(packet.data), packetRoom(packet), true);
      queue.endChain(address);
    }
    if (queue.publish()) this.transport.notify(queue);
  }

  /** Takes what the device has received and sent. Interrupt context. */
  serve(): void {
    const queue = this.receiveQueue;
    let again = true;
    while (again) {
      let first: usize = 0;
      let last: usize = 0;
      this.receiveLock.acquire();
      while (queue.takeUsed()) {
        const address = <usize>queue.usedToken;
        const packet = changetype<Packet>(address);
        packet.length = queue.usedBytes;
        packet.next = 0;
        if (last != 0) changetype<Packet>(last).next = address;
        else first = address;
        last = address;
      }
      if (queue.broken) log("virtio-net: the device returned a buffer it did not have");
      else this.refill();
      again = queue.enableInterrupts();
      this.receiveLock.release();
      this.deliver(first);
    }
    if (this.backlogFirst != 0) {
      this.sendLock.acquire();
      this.drainBacklog();
      this.sendLock.release();
    }
  }

  private deliver(first: usize): void {
    let address = first;
    while (address != 0) {
      const packet = changetype<Packet>(address);
      address = packet.next;
      packet.next = 0;
      if (packet.length < this.headerBytes) {
        freePacket(packet);
        continue;
      }
      const flags = load<u8>(packet.data);
      if ((flags & (HEADER_NEEDS_CHECKSUM | HEADER_DATA_VALID)) != 0) {
        packet.checksum = CHECKSUM_VALID;
      }
      pull(packet, this.headerBytes);
      this.receivedPackets++;
      this.receivedBytes += packet.length;
      frameReceived(this, packet);
    }
  }

  transmit(packet: Packet): void {
    this.writeHeader(packet);
    const queue = this.sendQueue;
    this.sendLock.acquire();
    this.reclaim();
    if (queue.freeCount == 0 || this.backlogFirst != 0) this.postpone(packet);
    else {
      this.enqueue(packet);
      if (queue.publish()) this.transport.notify(queue);
    }
    this.sendLock.release();
  }

  /** Puts the header in front that tells the device what to finish (section 5.1.6.2). */
  private writeHeader(packet: Packet): void {
    this.sentPackets++;
    this.sentBytes += packet.length;
    const frame = packet.data;
    const header = push(packet, this.headerBytes);
    memory.fill(header, 0, this.headerBytes);
    if (packet.checksum != CHECKSUM_PARTIAL) return;
    const start = <u16>(packet.transport - frame);
    const isTcp = load<u8>(frame + ETHERNET_BYTES + IPV4_PROTOCOL) == PROTOCOL_TCP;
    store<u8>(header, HEADER_NEEDS_CHECKSUM);
    store<u16>(header, start, 6);
    store<u16>(header, isTcp ? TCP_CHECKSUM_OFFSET : UDP_CHECKSUM_OFFSET, 8);
    if (packet.segmentBytes != 0) {
      store<u8>(header, GSO_TCPV4, 1);
      store<u16>(header, <u16>(start + packet.headerBytes), 2);
      store<u16>(header, packet.segmentBytes, 4);
    }
  }

  private enqueue(packet: Packet): void {
    this.sendQueue.append(physicalAddress(packet.data), packet.length, false);
    this.sendQueue.endChain(changetype<usize>(packet));
  }

  /** Frees what the device has sent. The lock is held. */
  private reclaim(): void {
    const queue = this.sendQueue;
    while (queue.takeUsed()) freePacket(changetype<Packet>(<usize>queue.usedToken));
  }

  private postpone(packet: Packet): void {
    if (this.backlogLength == BACKLOG_MAX || this.sendQueue.broken) {
      this.sendDrops++;
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

  /** Sends what waits, and asks for an interrupt if some of it must wait on. The lock is held. */
  private drainBacklog(): void {
    const queue = this.sendQueue;
    do {
      this.reclaim();
      while (this.backlogFirst != 0 && queue.freeCount > 0) {
        const packet = changetype<Packet>(this.backlogFirst);
        this.backlogFirst = packet.next;
        if (this.backlogFirst == 0) this.backlogLast = 0;
        this.backlogLength--;
        this.enqueue(packet);
      }
      if (queue.publish()) this.transport.notify(queue);
      if (this.backlogFirst == 0) {
        queue.disableInterrupts();
        return;
      }
    } while (queue.enableInterrupts());
  }
}

/** Starts virtio network devices. */
export class VirtioNetDriver extends Driver {
  constructor() {
    super();
    this.name = "virtio-net";
  }

  matchesVirtio(deviceType: u32): bool {
    return deviceType == VIRTIO_TYPE_NETWORK;
  }

  startVirtio(transport: Transport): i32 {
    const device = new VirtioNet(transport);
    const result = device.start();
    if (result == 0) registerNetworkDevice(device);
    return result;
  }
}
