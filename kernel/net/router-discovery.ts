/**
 * Addresses and routes from routers: RFC 4861 section 6.3 (router discovery), RFC 4862 section 5.5
 * (stateless address autoconfiguration), RFC 8106 (name servers).
 *
 * Asking happens beside the boot and delays nothing. Neighbours: `neighbour-discovery.ts` passes the
 * messages on; `addresses.ts`, `routes.ts` keep the result.
 */
import { Packet } from "../dev/packet";
import { isError } from "../lib/errno";
import { IpAddress } from "../lib/ip-address";
import { monotonicNs } from "../sched/clock";
import { armTimer, cancelTimer, Timer } from "../sched/timer";
import { findAddress, InterfaceAddress, NEVER, ORIGIN_ROUTER, ORIGIN_STATIC } from "./addresses";
import { load16, load32 } from "./bytes";
import { Interface } from "./interface";
import { claimAddress, linkOption, solicitRouters } from "./neighbour-discovery";
import { learnNeighbour } from "./neighbours";
import {
  addRoute,
  maskAddress,
  METRIC_V6_SUBNET,
  newRoute,
  removeRoute,
  ROUTE_BY_ROUTER,
  routeWith,
} from "./routes";
import { nameServerFound } from "./resolver";

const ADVERTISEMENT_BYTES: u32 = 16;
const OPTION_SOURCE_LINK: u8 = 1;
const OPTION_PREFIX: u8 = 3;
const OPTION_MTU: u8 = 5;
const OPTION_NAME_SERVERS: u8 = 25;

const PREFIX_OPTION_BYTES: usize = 32;
const PREFIX_ON_LINK: u8 = 0x80;
const PREFIX_AUTONOMOUS: u8 = 0x40;
/** Prefixes for which an address follows from the hardware address (RFC 2464, section 4). */
const SUBNET_BITS: u8 = 64;
const MTU_MIN: u32 = 1280;
const FOREVER_SECONDS: u32 = u32.MAX_VALUE;
const NS_PER_SECOND: u64 = 1_000_000_000;
/** A lifetime is not shortened below that by somebody who is not known (RFC 4862, section 5.5.3 e). */
const TWO_HOURS_NS: u64 = 7200 * NS_PER_SECOND;

const SOLICITATIONS_MAX: u32 = 3;
const SOLICITATION_INTERVAL_NS: u64 = 4 * NS_PER_SECOND;

/** Asks again while no router answers. */
class Solicitation extends Timer {
  sent: u32 = 0;

  constructor(readonly through: Interface) {
    super();
  }

  expired(): void {
    solicitRouters(this.through);
    if (++this.sent < SOLICITATIONS_MAX) armTimer(this, monotonicNs() + SOLICITATION_INTERVAL_NS);
  }
}

let pending: Solicitation | null = null;

/** Gives an interface its link-local address and begins to look for routers. Does not wait. */
export function startIpv6(on: Interface): void {
  const address = changetype<IpAddress>(memory.data(16, 8));
  address.first = 0x80fe;
  address.last = interfaceIdentifier(on);
  claimAddress(on, address, 64, ORIGIN_STATIC);
  const solicitation = new Solicitation(on);
  pending = solicitation;
  solicitation.expired();
}

/** The modified EUI-64 of a hardware address, as in a packet (RFC 4291, appendix A). */
function interfaceIdentifier(on: Interface): u64 {
  const mac = on.mac ^ 2;
  return (mac & 0xffffff) | 0xfeff000000 | ((mac >> 24) << 40);
}

function deadline(seconds: u32): u64 {
  return seconds == FOREVER_SECONDS ? NEVER : monotonicNs() + <u64>seconds * NS_PER_SECOND;
}

/** A router introduced itself; the message stays the caller's. Interrupt context. */
export function routerAdvertised(from: Interface, packet: Packet): void {
  const message = packet.data;
  if (packet.length < ADVERTISEMENT_BYTES || !packet.source.isLinkLocal) return;
  const solicitation = pending;
  if (solicitation) {
    cancelTimer(solicitation);
    solicitation.sent = SOLICITATIONS_MAX;
  }
  const mac = linkOption(packet, ADVERTISEMENT_BYTES, OPTION_SOURCE_LINK);
  if (mac != 0) learnNeighbour(from, packet.source, mac, true);
  const hopLimit = load<u8>(message, 4);
  if (hopLimit != 0) from.hopLimit = hopLimit;
  setDefaultRouter(from, packet.source, load16(message + 6));
  let at = message + ADVERTISEMENT_BYTES;
  const end = message + packet.length;
  while (at + 8 <= end) {
    const bytes = <usize>load<u8>(at, 1) * 8;
    if (bytes == 0 || at + bytes > end) return;
    takeOption(from, at, bytes);
    at += bytes;
  }
}

function takeOption(from: Interface, option: usize, bytes: usize): void {
  const type = load<u8>(option);
  if (type == OPTION_PREFIX && bytes == PREFIX_OPTION_BYTES) takePrefix(from, option);
  else if (type == OPTION_MTU) {
    const mtu = load32(option + 4);
    const device = from.device;
    if (device && mtu >= MTU_MIN && mtu <= device.mtuBytes) from.mtuBytes = mtu;
  } else if (type == OPTION_NAME_SERVERS && load32(option + 4) != 0) {
    for (let at = option + 8; at + 16 <= option + bytes; at += 16) {
      nameServerFound(changetype<IpAddress>(at));
    }
  }
}

const everything = changetype<IpAddress>(memory.data(16, 8));

/** The router is one to send to for `seconds`; 0 = no more. */
function setDefaultRouter(from: Interface, router: IpAddress, seconds: u32): void {
  const known = routeWith(everything, 0, router, from);
  if (seconds == 0) {
    if (known && known.madeBy == ROUTE_BY_ROUTER) removeRoute(known);
  } else if (known) known.validUntilNs = deadline(seconds);
  else {
    const route = newRoute(everything, 0, from, ROUTE_BY_ROUTER);
    route.gateway.copyFrom(router);
    route.validUntilNs = deadline(seconds);
    addRoute(route);
  }
}

function takePrefix(from: Interface, option: usize): void {
  const bits = load<u8>(option, 2);
  const flags = load<u8>(option, 3);
  const validSeconds = load32(option + 4);
  const preferredSeconds = load32(option + 8);
  const prefix = changetype<IpAddress>(option + 16);
  if (prefix.isLinkLocal || prefix.isMulticast || bits > 128) return;
  if (preferredSeconds > validSeconds) return;
  if ((flags & PREFIX_AUTONOMOUS) != 0 && bits == SUBNET_BITS) {
    prefix.last = interfaceIdentifier(from);
    takeAddress(from, prefix, deadline(validSeconds), deadline(preferredSeconds), validSeconds);
  }
  if ((flags & PREFIX_ON_LINK) != 0) takeSubnet(from, prefix, bits, validSeconds);
}

function takeAddress(
  on: Interface,
  address: IpAddress,
  validUntilNs: u64,
  preferredUntilNs: u64,
  validSeconds: u32,
): void {
  let entry = findAddress(on, address);
  if (!entry) {
    if (validSeconds == 0) return;
    const added = claimAddress(on, address, SUBNET_BITS, ORIGIN_ROUTER);
    if (isError(added)) return;
    entry = changetype<InterfaceAddress>(added);
  } else if (entry.origin != ORIGIN_ROUTER) return;
  const leastNs = min(entry.validUntilNs, monotonicNs() + TWO_HOURS_NS);
  entry.validUntilNs = entry.validUntilNs == NEVER ? validUntilNs : max(validUntilNs, leastNs);
  entry.preferredUntilNs = preferredUntilNs;
}

/** The machines with this prefix are neighbours for `seconds`. */
function takeSubnet(from: Interface, prefix: IpAddress, bits: u8, seconds: u32): void {
  maskAddress(prefix, bits);
  const known = routeWith(prefix, bits, everything, from);
  if (seconds == 0) {
    if (known) removeRoute(known);
  } else if (known) known.validUntilNs = deadline(seconds);
  else {
    const route = newRoute(prefix, bits, from, ROUTE_BY_ROUTER);
    route.metric = METRIC_V6_SUBNET;
    route.validUntilNs = deadline(seconds);
    addRoute(route);
  }
}
