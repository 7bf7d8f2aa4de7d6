/**
 * The addresses of this machine, and which of them to send from (RFC 6724, section 5).
 *
 * Readers walk the lists without a lock: entries are of stable type, removed ones are reused and
 * never freed, so that a reader who meets one sees at worst a wrong answer for a moment. `lock` is
 * for writers. Neighbours: `interface.ts`, `routes.ts`; `dhcp.ts`, `slaac.ts`, `netlink` write.
 */
import { SpinLock } from "../arch/spinlock";
import { EADDRNOTAVAIL, EEXIST } from "../lib/errno";
import { IpAddress } from "../lib/ip-address";
import { free } from "../lib/object";
import { monotonicNs } from "../sched/clock";
import { ethernetInterface, Interface, loopback } from "./interface";
import { isJoined } from "./groups";
import { addConnectedRoute, removeConnectedRoute } from "./routes";

/** A time that does not come. */
export const NEVER: u64 = u64.MAX_VALUE;

/** Where an address comes from (IFA_PROTO, IFA_F_PERMANENT). */
export const ORIGIN_STATIC: u8 = 0;
export const ORIGIN_DHCP: u8 = 1;
export const ORIGIN_ROUTER: u8 = 2;

export class InterfaceAddress {
  next: InterfaceAddress | null = null;
  private addressFirst: u64 = 0;
  private addressLast: u64 = 0;
  /** Length of the subnet's prefix within 128 bits: IPv4 prefixes are 96 longer. */
  prefixBits: u32 = 0;
  origin: u8 = ORIGIN_STATIC;
  /** Monotonic times of the end of its use for new connections, and at all. */
  preferredUntilNs: u64 = NEVER;
  validUntilNs: u64 = NEVER;
  /** Until then another machine may turn out to have it (RFC 4429, optimistic). */
  optimisticUntilNs: u64 = 0;

  get address(): IpAddress {
    return changetype<IpAddress>(
      changetype<usize>(this) + offsetof<InterfaceAddress>("addressFirst"),
    );
  }

  /** The directed broadcast address of an IPv4 subnet in host order, 0 if it has none. */
  get broadcast(): u32 {
    if (!this.address.isV4 || this.address.isLoopback) return 0;
    if (this.prefixBits < 97 || this.prefixBits > 126) return 0;
    return this.address.v4 | (u32.MAX_VALUE >> (this.prefixBits - 96));
  }
}

const lock = new SpinLock();
let retired: InterfaceAddress | null = null;

function newEntry(): InterfaceAddress {
  const entry = retired;
  if (!entry) return new InterfaceAddress();
  retired = entry.next;
  return entry;
}

/**
 * Gives an interface an address, and the route to its subnet. The caller may set the lifetimes.
 * @param bits prefix length within 128 bits
 * @returns the InterfaceAddress, or -EEXIST
 */
export function addAddress(on: Interface, address: IpAddress, bits: u32, origin: u8): usize {
  if (findAddress(on, address)) return <usize>-EEXIST;
  lock.acquire();
  const entry = newEntry();
  entry.address.copyFrom(address);
  entry.prefixBits = bits;
  entry.origin = origin;
  entry.preferredUntilNs = NEVER;
  entry.validUntilNs = NEVER;
  entry.optimisticUntilNs = 0;
  entry.next = null;
  let last = on.addresses;
  if (!last) on.addresses = entry;
  else {
    while (last.next) last = last.next!;
    last.next = entry;
  }
  lock.release();
  addConnectedRoute(on, address, bits);
  return changetype<usize>(entry);
}

/** Takes an address away, and the route to its subnet. @returns 0 or -EADDRNOTAVAIL */
export function removeAddress(from: Interface, address: IpAddress): i32 {
  lock.acquire();
  let before: InterfaceAddress | null = null;
  let at = from.addresses;
  while (at && !at.address.equals(address)) {
    before = at;
    at = at.next;
  }
  if (at) {
    if (before) before.next = at.next;
    else from.addresses = at.next;
    removeConnectedRoute(from, at.address, at.prefixBits);
    at.next = retired;
    retired = at;
  }
  lock.release();
  return at ? 0 : -EADDRNOTAVAIL;
}

/** The entry of an address, or null. */
export function findAddress(on: Interface, address: IpAddress): InterfaceAddress | null {
  let at = on.addresses;
  while (at && !at.address.equals(address)) at = at.next;
  return at;
}

/** The first IPv4 address of an interface in host order; 0 = none. */
export function firstV4(on: Interface): u32 {
  let at = on.addresses;
  while (at && !at.address.isV4) at = at.next;
  return at ? at.address.v4 : 0;
}

/** True if packets to `address` are for this machine alone. */
export function isOwnAddress(address: IpAddress): bool {
  if (address.isLoopback) return true;
  let on = loopback().next;
  while (on) {
    if (on.isUp && findAddress(on, address)) return true;
    on = on.next;
  }
  return false;
}

/** True for 255.255.255.255 and the directed broadcast addresses of our subnets. */
export function isBroadcast(address: IpAddress): bool {
  if (!address.isV4) return false;
  const v4 = address.v4;
  if (v4 == u32.MAX_VALUE) return true;
  let on = loopback().next;
  while (on) {
    let at = on.addresses;
    while (at) {
      if (at.broadcast != 0 && at.broadcast == v4) return true;
      at = at.next;
    }
    on = on.next;
  }
  return false;
}

/** True for addresses a packet received on `from` may be sent to. */
export function isReceiver(from: Interface, address: IpAddress): bool {
  if (isOwnAddress(address)) return true;
  if (address.isMulticast) return from.isLoopback || isJoined(from, address);
  if (isBroadcast(address)) return true;
  // Before an address is set, an offer of one may be sent to it (RFC 2131, section 4.1).
  return address.isV4 && !from.isLoopback && firstV4(from) == 0;
}

/**
 * Chooses the address of `on` to use towards `destination`; false if it has none of that family.
 * IPv4: one of the same subnet, else the first. IPv6: rules 2, 3 and 8 of RFC 6724, section 5.
 */
export function chooseAddress(on: Interface, destination: IpAddress, out: IpAddress): bool {
  const isV4 = destination.isV4;
  const wantsLink = destination.isLinkLocal || isLinkGroup(destination);
  const nowNs = monotonicNs();
  let best: InterfaceAddress | null = null;
  let bestScore: u32 = 0;
  let nextInterfaceAddress: InterfaceAddress | null = on.addresses;
  while (nextInterfaceAddress) {
    const at = nextInterfaceAddress;
    nextInterfaceAddress = at.next;
    const own = at.address;
    if (own.isV4 != isV4 || at.validUntilNs <= nowNs) continue;
    let score: u32 = 1;
    if (own.isLinkLocal == wantsLink) score += 1024;
    if (at.preferredUntilNs > nowNs) score += 512;
    score += commonBits(own, destination, at.prefixBits);
    if (score > bestScore) {
      best = at;
      bestScore = score;
    }
  }
  if (best) out.copyFrom(best.address);
  return best != null;
}

/** Multicast of interface or link scope (RFC 4291, section 2.7). */
function isLinkGroup(address: IpAddress): bool {
  return !address.isV4 && address.isMulticast && ((address.first >> 8) & 15) <= 2;
}

/** Length of the prefix that two addresses share, `most` at most. */
function commonBits(a: IpAddress, b: IpAddress, most: u32): u32 {
  const high = bswap<u64>(a.first ^ b.first);
  const low = bswap<u64>(a.last ^ b.last);
  const shared = <u32>(high != 0 ? clz<u64>(high) : 64 + (low != 0 ? clz<u64>(low) : 64));
  return min(shared, most);
}

/** An address to answer with where the own interface has none: of `eth0`. */
export function anyOwnAddress(destination: IpAddress, out: IpAddress): bool {
  const outer = ethernetInterface();
  return outer != null && chooseAddress(outer, destination, out);
}

/** Gives `lo` its addresses. */
export function initLoopbackAddresses(): void {
  const scratch = new IpAddress();
  scratch.setV4(0x7f000001);
  addAddress(loopback(), scratch, 104, ORIGIN_STATIC);
  scratch.setLoopback();
  addAddress(loopback(), scratch, 128, ORIGIN_STATIC);
  free(scratch);
}
