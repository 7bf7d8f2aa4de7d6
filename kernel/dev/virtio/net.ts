/**
 * The virtio network device: Virtual I/O Device (VIRTIO) version 1.2, section 5.1.
 *
 * A device with several pairs of queues gets one for each processor (section 5.1.6.5.5): a flow is
 * sent on the pair of the processor that works on it, and a device that steers receives it there.
 * Where all queues share one interrupt (MMIO), the processor that gets it interrupts the others.
 *
 * Neighbours: `net-pair.ts`, `net-control.ts`, `../network.ts`, `../packet.ts`, `transport.ts`.
 */
import { cpuId } from "../../arch/cpu";
import { registerMsi } from "../../arch/irq";
import { sendInterrupt } from "../../arch/x86_64/apic";
import { isError } from "../../lib/errno";
import { logDec } from "../../lib/log";
import { registerPolledDevice } from "../../sched/halt-polling";
import { queueOf } from "../../sched/run-queue";
import { randomBytes } from "../random";
import { Driver } from "../driver";
import { MAC_BYTES, NetworkDevice, registerNetworkDevice, SendWaiter } from "../network";
import { Packet } from "../packet";
import { processorCount } from "../processors";
import { NetControl } from "./net-control";
import { HEADER_BYTES, LEGACY_HEADER_BYTES } from "./net-header";
import { PairPolling, QueuePair } from "./net-pair";
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
const FEATURE_CONTROL: u64 = 1 << 17;
const FEATURE_PAIRS: u64 = 1 << 22;

/** Configuration space (section 5.1.4): hardware address, pairs of queues, largest packet. */
const CONFIGURATION_PAIRS: u32 = 8;
const CONFIGURATION_MTU: u32 = 10;

const MTU_MIN: u32 = 576;
const MTU_MAX: u32 = 1500;
/** Pairs that are used at most; each has 1 MiB of buffers. */
const PAIRS_MAX: u32 = 16;
/** A control queue holds one command. */
const CONTROL_QUEUE_SIZE: u32 = 4;

class NetInterrupts extends VirtioDriver {
  constructor(readonly device: VirtioNet) {
    super();
  }

  interrupt(): void {
    this.device.serve();
  }
}

export class VirtioNet extends NetworkDevice {
  private pairs: StaticArray<QueuePair | null> = new StaticArray<QueuePair | null>(<i32>PAIRS_MAX);
  /** Pairs that there are, and those of them that are used. */
  private pairCount: u32 = 1;
  private usedPairs: u32 = 1;
  private control: NetControl | null = null;
  private merges: bool = false;
  private headerBytes: u32 = HEADER_BYTES;
  /** Vectors that interrupt the processors of the pairs; 0 where the device does it. */
  private vectors: StaticArray<u32> = new StaticArray<u32>(<i32>PAIRS_MAX);

  constructor(readonly transport: Transport) {
    super();
  }

  /** Sets the device up and gives it buffers. @returns 0 or a negative errno */
  start(): i32 {
    const transport = this.transport;
    const offered = transport.readFeatures();
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
    if ((offered & FEATURE_MERGE_BUFFERS) != 0) wanted |= FEATURE_GUEST_TSO4 | FEATURE_GUEST_TSO6;
    const hasPairs = (offered & FEATURE_PAIRS) != 0 && (offered & FEATURE_CONTROL) != 0;
    if (hasPairs && processorCount() > 1) wanted |= FEATURE_PAIRS | FEATURE_CONTROL;
    const result = transport.negotiate(wanted);
    if (result != 0) return result;
    this.merges = transport.has(FEATURE_MERGE_BUFFERS);
    if (transport.legacy && !this.merges) this.headerBytes = LEGACY_HEADER_BYTES;
    this.offloadsChecksum = transport.has(FEATURE_CHECKSUM);
    this.offloadsSegmentation = this.offloadsChecksum && transport.has(FEATURE_HOST_TSO4);
    this.offloadsSegmentation6 = this.offloadsChecksum && transport.has(FEATURE_HOST_TSO6);
    this.gathers = this.offloadsChecksum;
    this.readConfiguration();
    const made = this.makeQueues();
    if (made != 0) return transport.fail(made);
    const connected = transport.connect(new NetInterrupts(this));
    if (connected != 0) return transport.fail(connected);
    transport.start();
    this.startPair(0);
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

  /** Makes the queues, which are used from `spread` on but for the first pair. */
  private makeQueues(): i32 {
    const transport = this.transport;
    let offered: u32 = 1;
    if (transport.has(FEATURE_PAIRS)) {
      offered = <u32>transport.configuration16(CONFIGURATION_PAIRS);
      this.pairCount = max(1, min(offered, min(processorCount(), PAIRS_MAX)));
    }
    for (let i: u32 = 0; i < this.pairCount; i++) {
      const made = this.makePair(i);
      if (made != 0) return made;
    }
    if (this.pairCount == 1) return 0;
    // After all pairs that the device has (section 5.1.2).
    const queue = transport.createQueue(2 * offered, CONTROL_QUEUE_SIZE);
    if (isError(queue)) return <i32>queue;
    this.control = new NetControl(transport, changetype<Virtqueue>(queue));
    return 0;
  }

  private makePair(index: u32): i32 {
    const transport = this.transport;
    // The first pair has the common interrupt.
    const interrupt = index <= transport.ownInterrupts ? index : 0;
    const receive = transport.createQueue(2 * index, MAX_QUEUE_SIZE, interrupt);
    if (isError(receive)) return <i32>receive;
    const send = transport.createQueue(2 * index + 1, MAX_QUEUE_SIZE, interrupt);
    if (isError(send)) return <i32>send;
    const receiveQueue = changetype<Virtqueue>(receive);
    const receiver = new NetReceive(transport, receiveQueue, this.headerBytes, this.merges);
    const sender = new NetSend(transport, changetype<Virtqueue>(send));
    const pair = new QueuePair(this, receiver, sender);
    pair.counters.next = this.counters;
    this.counters = pair.counters;
    this.pairs[index] = pair;
    return 0;
  }

  private pair(index: u32): QueuePair {
    return changetype<QueuePair>(this.pairs[index]);
  }

  /** From now on the pair receives; its processor looks at it before it halts. */
  private startPair(index: u32): void {
    const pair = this.pair(index);
    pair.receiver.start();
    registerPolledDevice(new PairPolling(pair), index);
  }

  /** The pair for a queue number of a packet (Packet.sendQueue). */
  private pairOf(queue: u8): QueuePair {
    const used = this.usedPairs;
    if (used == 1) return this.pair(0);
    const index = queue != 0 ? <u32>queue - 1 : cpuId();
    return this.pair(index < used ? index : index % used);
  }

  spread(processors: u32): void {
    const control = this.control;
    const wanted = min(processors, this.pairCount);
    if (!control || wanted < 2) return;
    for (let i: u32 = 1; i < wanted; i++) {
      const pair = this.pair(i);
      const interrupt = pair.receiver.queue.interrupt;
      if (interrupt == 0) this.vectors[i] = registerMsi(pair);
      else if (this.transport.connectOwn(interrupt, pair, queueOf(i).apicId) != 0) return;
      if (interrupt == 0 && this.vectors[i] == 0) return;
      this.startPair(i);
    }
    const result = control.setPairs(<u16>wanted);
    if (result != 0) {
      logDec("virtio-net: the device refuses several pairs of queues, error", <u64>-result);
      return;
    }
    this.usedPairs = wanted;
    logDec("virtio-net: pairs of queues", wanted);
  }

  /** The common interrupt: serves the first pair, and interrupts the processors of others. */
  serve(): void {
    this.pair(0).handle();
    const control = this.control;
    if (!control) return;
    control.serve();
    for (let i: u32 = 1; i < this.pairCount; i++) {
      const vector = this.vectors[i];
      if (vector != 0 && this.pair(i).hasWork) sendInterrupt(queueOf(i).apicId, vector);
    }
  }

  transmit(packet: Packet): void {
    this.pairOf(packet.sendQueue).transmit(packet);
  }

  sendNumber(queue: u8): u32 {
    return this.pairOf(queue).sender.number;
  }

  hasTaken(queue: u8, number: u32): bool {
    return this.pairOf(queue).sender.hasTaken(number);
  }

  awaitTaken(queue: u8, waiter: SendWaiter): bool {
    return this.pairOf(queue).sender.await(waiter);
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
