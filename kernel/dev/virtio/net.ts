/**
 * The virtio network device: Virtual I/O Device (VIRTIO) version 1.2, section 5.1.
 *
 *     interrupt ─► `net-receive.ts`: frames ─► `frameReceived`
 *     transmit ─► `net-send.ts` ─► device
 *
 * Neighbours: `../network.ts`, `../packet.ts`, `net-header.ts`, `transport.ts`.
 */
import { isError } from "../../lib/errno";
import { randomBytes } from "../random";
import { Driver } from "../driver";
import {
  frameReceived,
  MAC_BYTES,
  NetworkDevice,
  registerNetworkDevice,
  SendWaiter,
} from "../network";
import { Packet } from "../packet";
import { HEADER_BYTES, LEGACY_HEADER_BYTES, writeHeader } from "./net-header";
import { NetReceive } from "./net-receive";
import { NetSend } from "./net-send";
import {
  FEATURE_EVENT_INDEX,
  FEATURE_INDIRECT,
  Transport,
  VIRTIO_TYPE_NETWORK,
  VirtioDriver,
} from "./transport";
import { MAX_QUEUE_SIZE, Virtqueue } from "./virtqueue";

// Feature bits (section 5.1.3).
const FEATURE_CHECKSUM: u64 = 1 << 0;
const FEATURE_GUEST_CHECKSUM: u64 = 1 << 1;
const FEATURE_MTU: u64 = 1 << 3;
const FEATURE_MAC: u64 = 1 << 5;
const FEATURE_GUEST_TSO4: u64 = 1 << 7;
const FEATURE_GUEST_TSO6: u64 = 1 << 8;
const FEATURE_HOST_TSO4: u64 = 1 << 11;
const FEATURE_HOST_TSO6: u64 = 1 << 12;
const FEATURE_MERGE_BUFFERS: u64 = 1 << 15;

/** Configuration space (section 5.1.4): the hardware address, then the largest packet. */
const CONFIGURATION_MTU: u32 = 10;

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
  private receiver: NetReceive = changetype<NetReceive>(<usize>0);
  private sender: NetSend = changetype<NetSend>(<usize>0);
  private headerBytes: u32 = HEADER_BYTES;

  constructor(readonly transport: Transport) {
    super();
  }

  /** Sets the device up and gives it buffers. @returns 0 or a negative errno */
  start(): i32 {
    const transport = this.transport;
    let wanted =
      FEATURE_CHECKSUM |
      FEATURE_GUEST_CHECKSUM |
      FEATURE_MTU |
      FEATURE_MAC |
      FEATURE_HOST_TSO4 |
      FEATURE_HOST_TSO6 |
      FEATURE_MERGE_BUFFERS |
      FEATURE_INDIRECT |
      FEATURE_EVENT_INDEX;
    // Large segments are received in merged buffers only: no buffer holds 64 KiB.
    if ((transport.readFeatures() & FEATURE_MERGE_BUFFERS) != 0) {
      wanted |= FEATURE_GUEST_TSO4 | FEATURE_GUEST_TSO6;
    }
    const result = transport.negotiate(wanted);
    if (result != 0) return result;
    const merges = transport.has(FEATURE_MERGE_BUFFERS);
    if (transport.legacy && !merges) this.headerBytes = LEGACY_HEADER_BYTES;
    this.offloadsChecksum = transport.has(FEATURE_CHECKSUM);
    this.offloadsSegmentation = this.offloadsChecksum && transport.has(FEATURE_HOST_TSO4);
    this.offloadsSegmentation6 = this.offloadsChecksum && transport.has(FEATURE_HOST_TSO6);
    this.gathers = this.offloadsChecksum;
    this.readConfiguration();
    const receive = transport.createQueue(0, MAX_QUEUE_SIZE);
    if (isError(receive)) return transport.fail(<i32>receive);
    const send = transport.createQueue(1, MAX_QUEUE_SIZE);
    if (isError(send)) return transport.fail(<i32>send);
    const receiveQueue = changetype<Virtqueue>(receive);
    this.receiver = new NetReceive(transport, receiveQueue, this.headerBytes, merges);
    this.sender = new NetSend(transport, changetype<Virtqueue>(send));
    const connected = transport.connect(new NetInterrupts(this));
    if (connected != 0) return transport.fail(connected);
    transport.start();
    this.receiver.start();
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

  /** Takes what the device has received and sent. Interrupt context. */
  serve(): void {
    let first = this.receiver.take();
    if (first != 0) {
      this.sender.plug();
      while (first != 0) {
        this.deliver(first);
        first = this.receiver.take();
      }
      this.sender.unplug();
    }
    this.sender.serve();
  }

  private deliver(first: usize): void {
    let address = first;
    while (address != 0) {
      const packet = changetype<Packet>(address);
      address = packet.next;
      packet.next = 0;
      this.receivedPackets++;
      this.receivedBytes += packet.length + packet.moreBytes;
      frameReceived(this, packet);
    }
  }

  transmit(packet: Packet): void {
    this.sentPackets++;
    this.sentBytes += packet.length + packet.moreBytes;
    writeHeader(packet, this.headerBytes);
    this.sender.send(packet);
    this.sendDrops = this.sender.drops;
  }

  get sendNumber(): u32 {
    return this.sender.number;
  }

  hasTaken(number: u32): bool {
    return this.sender.hasTaken(number);
  }

  awaitTaken(waiter: SendWaiter): bool {
    return this.sender.await(waiter);
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
