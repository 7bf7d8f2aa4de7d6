/**
 * Endpoints: sockets with an address, and the channel through which they get their packets.
 *
 * After Van Jacobson's net channels: the receive path does not process a packet, it only finds its
 * endpoint and appends the packet to the endpoint's channel, without a lock:
 *
 *     interrupts, senders ──compare-and-swap──► newest ─► … ─► oldest        (channel)
 *     the thread that reads or waits ──exchange──► all of them, put in order
 *
 * Any CPU may append; only the holder of the endpoint's lock takes. Order within a flow is kept, as
 * one producer appends its packets one after another.
 *
 * Neighbours: `ports.ts` finds endpoints; `udp-socket.ts`, `tcp-socket.ts` extend this.
 */
import { SpinLock } from "../arch/spinlock";
import { Packet } from "../dev/packet";
import { EAFNOSUPPORT, EINVAL } from "../lib/errno";
import { free } from "../lib/object";
import { store16, store32, load16, load32 } from "./bytes";
import { AF_INET, Socket } from "./socket";

/** Bytes of struct sockaddr_in. */
export const SOCKADDR_IN_BYTES: usize = 16;

export abstract class Endpoint extends Socket {
  /** Links of the tables in `ports.ts`: by local port, and by both addresses. */
  portNext: Endpoint | null = null;
  flowNext: Endpoint | null = null;
  isPortBound: bool = false;
  isFlowBound: bool = false;
  /** Addresses in host order, 0 = any or none. */
  localAddress: u32 = 0;
  remoteAddress: u32 = 0;
  localPort: u16 = 0;
  remotePort: u16 = 0;
  /** SO_REUSEADDR, SO_REUSEPORT. */
  reusesAddress: bool = false;
  reusesPort: bool = false;
  /** Guards the endpoint's state. */
  lock: SpinLock = new SpinLock();
  /** IP_TTL and IP_TOS; 0 = the default. */
  timeToLive: u8 = 0;
  typeOfService: u8 = 0;
  private channel: usize = 0;

  /** Appends a packet; any context. @returns true if the channel was empty */
  append(packet: Packet): bool {
    const cell = changetype<usize>(this) + offsetof<Endpoint>("channel");
    const added = changetype<usize>(packet);
    let seen = atomic.load<usize>(cell);
    while (true) {
      packet.next = seen;
      const before = atomic.cmpxchg<usize>(cell, seen, added);
      if (before == seen) return seen == 0;
      seen = before;
    }
  }

  /** Takes all packets, oldest first, linked by `next`; 0 if there are none. The lock is held. */
  takeChannel(): usize {
    if (this.channel == 0) return 0;
    let newest = atomic.xchg<usize>(changetype<usize>(this) + offsetof<Endpoint>("channel"), 0);
    let ordered: usize = 0;
    while (newest != 0) {
      const packet = changetype<Packet>(newest);
      newest = packet.next;
      packet.next = ordered;
      ordered = changetype<usize>(packet);
    }
    return ordered;
  }

  /** True if packets wait in the channel. */
  get hasArrivals(): bool {
    return atomic.load<usize>(changetype<usize>(this) + offsetof<Endpoint>("channel")) != 0;
  }

  localName(out: usize): i64 {
    return writeAddress(out, this.localAddress, this.localPort);
  }

  protected disposeEndpoint(): void {
    free(this.lock);
    this.disposeBase();
  }
}

/** Writes a struct sockaddr_in. @returns its length */
export function writeAddress(out: usize, address: u32, port: u16): i64 {
  store<u16>(out, <u16>AF_INET);
  store16(out + 2, port);
  store32(out + 4, address);
  store<u64>(out, 0, 8);
  return <i64>SOCKADDR_IN_BYTES;
}

/** What is wrong with a sockaddr that should be a sockaddr_in: 0, -EINVAL or -EAFNOSUPPORT. */
export function checkAddress(address: usize, length: usize): i64 {
  if (length < SOCKADDR_IN_BYTES) return -EINVAL;
  return load<u16>(address) == <u16>AF_INET ? 0 : -EAFNOSUPPORT;
}

/** The port of a struct sockaddr_in. */
export function portOf(address: usize): u16 {
  return load16(address + 2);
}

/** The address of a struct sockaddr_in, in host order. */
export function hostOf(address: usize): u32 {
  return load32(address + 4);
}
