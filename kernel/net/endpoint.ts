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
import { IpAddress } from "../lib/ip-address";
import { free } from "../lib/object";
import { Interface, interfaceAt } from "./interface";
import { writeAddress } from "./sockaddr";
import { AF_INET, Socket } from "./socket";

export abstract class Endpoint extends Socket {
  /** Links of the tables in `ports.ts`: by local port, and by both addresses. */
  portNext: Endpoint | null = null;
  flowNext: Endpoint | null = null;
  isPortBound: bool = false;
  isFlowBound: bool = false;
  private localFirst: u64 = 0;
  private localLast: u64 = 0;
  private remoteFirst: u64 = 0;
  private remoteLast: u64 = 0;
  localPort: u16 = 0;
  remotePort: u16 = 0;
  /** SO_REUSEADDR, SO_REUSEPORT. */
  reusesAddress: bool = false;
  reusesPort: bool = false;
  /** IPV6_V6ONLY: an AF_INET6 socket that does not serve IPv4. */
  isV6Only: bool = false;
  /** The Interface that packets come from and leave by (SO_BINDTODEVICE, a link's scope); 0 = any. */
  boundTo: usize = 0;
  /** Guards the endpoint's state. */
  lock: SpinLock = new SpinLock();
  /** IP_TTL and IP_TOS; 0 = the default. */
  timeToLive: u8 = 0;
  typeOfService: u8 = 0;
  private channel: usize = 0;

  /** Own address and the peer's; `::` = any or none. */
  get localAddress(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<Endpoint>("localFirst"));
  }

  get remoteAddress(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<Endpoint>("remoteFirst"));
  }

  /** True if addresses of the family of `address` can reach it; `::` counts as IPv6. */
  servesFamilyOf(address: IpAddress): bool {
    return address.isV4 ? this.servesV4 : this.servesV6;
  }

  get servesV4(): bool {
    if (this.family == AF_INET) return true;
    const local = this.localAddress;
    return !this.isV6Only && (local.isAny || local.isV4);
  }

  get servesV6(): bool {
    return this.family != AF_INET && !this.localAddress.isV4;
  }

  /** Index of the interface that a link-local address belongs to, for sockaddr_in6. */
  get scope(): u32 {
    return this.boundTo != 0 ? changetype<Interface>(this.boundTo).index : 0;
  }

  /** Index of the interface a packet came from. */
  protected scopeOfPacket(packet: Packet): u32 {
    return packet.origin != 0 ? changetype<Interface>(packet.origin).index : 0;
  }

  /** Binds to the interface of a link-local address; false if it does not say one that exists. */
  protected bindScope(index: u32): bool {
    if (index == 0) return this.boundTo != 0;
    const on = interfaceAt(index);
    if (!on || (this.boundTo != 0 && this.boundTo != changetype<usize>(on))) return false;
    this.boundTo = changetype<usize>(on);
    return true;
  }

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
    return writeAddress(out, this.family, this.localAddress, this.localPort, this.scope);
  }

  protected disposeEndpoint(): void {
    free(this.lock);
    this.disposeBase();
  }
}
