/**
 * A pair of queues of a virtio network device, one for each direction: what one processor works with.
 *
 *     interrupt ─► `net-receive.ts`: frames ─► `framesReceived`
 *     transmit ─► `net-send.ts` ─► device
 *
 * Pairs share nothing. Neighbours: `net.ts` chooses the pair of a packet.
 */
import { InterruptHandler } from "../../arch/irq";
import { PolledDevice } from "../../sched/halt-polling";
import { DeviceCounters, framesReceived } from "../network";
import { Packet, packetBytes } from "../packet";
import { writeHeader } from "./net-header";
import { NetReceive } from "./net-receive";
import { NetSend } from "./net-send";
import { VirtioNet } from "./net";

export class QueuePair extends InterruptHandler {
  readonly counters: DeviceCounters = new DeviceCounters();

  constructor(
    readonly device: VirtioNet,
    readonly receiver: NetReceive,
    readonly sender: NetSend,
  ) {
    super();
  }

  /** Takes what the device has received and sent. Interrupt context. */
  handle(): void {
    const counters = this.counters;
    let first = this.receiver.take();
    if (first != 0) {
      this.sender.plug();
      while (first != 0) {
        this.countReceived(first);
        framesReceived(this.device, changetype<Packet>(first));
        first = this.receiver.take();
      }
      this.sender.unplug();
    }
    this.sender.serve();
    counters.sendDrops = this.sender.drops;
  }

  /** True if `handle` would find something to do. */
  get hasWork(): bool {
    return this.receiver.queue.hasUsed() || this.sender.isAwaited;
  }

  private countReceived(first: usize): void {
    const counters = this.counters;
    for (let at = first; at != 0; at = changetype<Packet>(at).next) {
      counters.receivedPackets++;
      counters.receivedBytes += packetBytes(changetype<Packet>(at));
    }
  }

  /** Sends a frame; takes it. Any context. */
  transmit(packet: Packet): void {
    const counters = this.counters;
    counters.sentPackets++;
    counters.sentBytes += packet.length + packet.moreBytes;
    writeHeader(packet, this.receiver.headerBytes);
    this.sender.send(packet);
    counters.sendDrops = this.sender.drops;
  }
}

/** Lets a pair's processor look for frames instead of being interrupted. */
export class PairPolling extends PolledDevice {
  constructor(readonly pair: QueuePair) {
    super();
  }

  hush(): void {
    this.pair.receiver.hush();
  }

  hasWork(): bool {
    return this.pair.receiver.queue.hasUsed();
  }

  serve(): void {
    this.pair.handle();
  }

  listen(): bool {
    return this.pair.receiver.listen();
  }
}
