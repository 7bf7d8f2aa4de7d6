/**
 * Network devices as the protocols see them, and where received frames go.
 *
 * Neighbours: `virtio/net.ts` implements it; `net/interface.ts` uses it. As `dev/` knows nothing of
 * protocols, `net/` registers what receives frames.
 */
import { freePackets, Packet } from "./packet";

/** Bytes of a hardware address. */
export const MAC_BYTES: usize = 6;

/** Somebody who has something to send once the device is less busy. */
export abstract class SendWaiter {
  /** The next one on the device's list. */
  nextWaiter: SendWaiter | null = null;
  isWaiting: bool = false;
  /** The device has taken a packet. Interrupt context. */
  abstract deviceTook(): void;
}

/** What a device, or one pair of its queues, has received and sent. */
export class DeviceCounters {
  next: DeviceCounters | null = null;
  receivedPackets: u64 = 0;
  receivedBytes: u64 = 0;
  receiveDrops: u64 = 0;
  sentPackets: u64 = 0;
  sentBytes: u64 = 0;
  sendDrops: u64 = 0;
}

export abstract class NetworkDevice {
  /** Hardware address, 6 bytes. */
  readonly mac: StaticArray<u8> = new StaticArray<u8>(6);
  /** Largest network-layer packet in bytes. */
  mtuBytes: u32 = 1500;
  /** True if the device finishes CHECKSUM_PARTIAL. */
  offloadsChecksum: bool = false;
  /** True if the device cuts TCP segments (Packet.segmentBytes), over IPv4 and over IPv6. */
  offloadsSegmentation: bool = false;
  offloadsSegmentation6: bool = false;
  /** True if the device takes packets of several parts (Packet.more). */
  gathers: bool = false;
  /** The interface that receives its frames (`net/`), 0 = none yet. */
  owner: usize = 0;
  /** A list: pairs of queues count apart, so that processors share no cache line for it. */
  counters: DeviceCounters | null = null;

  get macAddress(): usize {
    return changetype<usize>(this.mac);
  }

  /** The sum of a counter, whose place is its offset in DeviceCounters. */
  sum(place: usize): u64 {
    let sum: u64 = 0;
    let row = this.counters;
    while (row) {
      sum += load<u64>(changetype<usize>(row) + place);
      row = row.next;
    }
    return sum;
  }

  /** So many processors run now: a device with several queues gives each its own. May sleep. */
  spread(_processors: u32): void {}

  /**
   * Sends a frame and frees the packet when the device has it. Never sleeps; any context. A frame
   * that finds no room is dropped and counted.
   */
  abstract transmit(packet: Packet): void;

  /** A number that grows with every packet that is transmitted on a queue (Packet.sendQueue). */
  sendNumber(_queue: u8): u32 {
    return 0;
  }

  /** True if the device has taken everything that was transmitted when `number` was the number. */
  hasTaken(_queue: u8, _number: u32): bool {
    return true;
  }

  /**
   * Tells `waiter` when the device takes the next packet of a queue.
   * @returns false if it has taken all
   */
  awaitTaken(_queue: u8, _waiter: SendWaiter): bool {
    return false;
  }
}

let receiver: ((device: NetworkDevice, first: Packet) => void) | null = null;
let firstDevice: NetworkDevice | null = null;

/** Registers the function that takes received frames, linked by `next`, and the packets with them. */
export function setFrameReceiver(receive: (device: NetworkDevice, first: Packet) => void): void {
  receiver = receive;
}

/** Called by drivers, with interrupts off, for the frames that have come, linked by `next`. */
export function framesReceived(device: NetworkDevice, first: Packet): void {
  const receive = receiver;
  if (receive && device.owner != 0) receive(device, first);
  else freePackets(changetype<usize>(first));
}

/** Registers a device. The first one becomes eth0; further ones are not used. */
export function registerNetworkDevice(device: NetworkDevice): void {
  if (firstDevice == null) firstDevice = device;
}

/** The first network device, or null. */
export function networkDevice(): NetworkDevice | null {
  return firstDevice;
}
