/**
 * The routing table of both families: longest prefix first, then lowest metric. Own addresses come
 * before it and lead to `lo`.
 *
 * Readers walk the list without a lock, as in `addresses.ts`: entries are reused, never freed. `lock`
 * is for writers. Neighbours: `ip.ts` routes by it; `addresses.ts`, `dhcp.ts`, `slaac.ts` and netlink
 * fill it.
 */
import { SpinLock } from "../arch/spinlock";
import { EEXIST, ESRCH } from "../lib/errno";
import { IpAddress } from "../lib/ip-address";
import { monotonicNs } from "../sched/clock";
import { anyOwnAddress, chooseAddress, isOwnAddress, NEVER } from "./addresses";
import { ethernetInterface, Interface, loopback } from "./interface";

// Who made a route (rtnetlink(7), rtm_protocol).
export const ROUTE_BY_KERNEL: u8 = 2;
export const ROUTE_BY_BOOT: u8 = 3;
export const ROUTE_BY_ROUTER: u8 = 9;
export const ROUTE_BY_DHCP: u8 = 16;

/** Metrics where nobody says one: IPv4 has none, IPv6 has 256 for subnets, 1024 for what is told. */
export const METRIC_V6_SUBNET: u32 = 256;
export const METRIC_V6: u32 = 1024;

/** Bits of a mapped IPv4 address before the address itself. */
export const V4_BITS: u32 = 96;

export class Route {
  next: Route | null = null;
  private prefixFirst: u64 = 0;
  private prefixLast: u64 = 0;
  private gatewayFirst: u64 = 0;
  private gatewayLast: u64 = 0;
  private sourceFirst: u64 = 0;
  private sourceLast: u64 = 0;
  /** Length of the prefix within 128 bits. */
  prefixBits: u32 = 0;
  metric: u32 = 0;
  madeBy: u8 = ROUTE_BY_BOOT;
  /** Monotonic time of its end. */
  validUntilNs: u64 = NEVER;
  through: Interface = changetype<Interface>(<usize>0);

  get prefix(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<Route>("prefixFirst"));
  }

  /** The router to send to; `::` = the destinations are neighbours. */
  get gateway(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<Route>("gatewayFirst"));
  }

  /** The address to send from; `::` = as `chooseAddress` says. */
  get source(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<Route>("sourceFirst"));
  }

  /** Whom to give a packet for `destination` to. */
  nextHop(destination: IpAddress): IpAddress {
    return this.gateway.isAny ? destination : this.gateway;
  }

  private leadsTo(destination: IpAddress): bool {
    return (
      this.prefix.isV4 == destination.isV4 && destination.sharesPrefix(this.prefix, this.prefixBits)
    );
  }

  serves(destination: IpAddress, bound: Interface | null): bool {
    if (bound && bound != this.through) return false;
    if (!this.through.isUp || !this.leadsTo(destination)) return false;
    return this.validUntilNs == NEVER || this.validUntilNs > monotonicNs();
  }
}

const lock = new SpinLock();
let routes: Route | null = null;
let retired: Route | null = null;

/** The first route of the table. */
export function firstRoute(): Route | null {
  return routes;
}

/**
 * The route of packets to `destination`, or null.
 * @param bound the only interface they may leave by; null = any
 */
export function findRoute(destination: IpAddress, bound: Interface | null): Route | null {
  if (isOwnAddress(destination)) return directRoute(loopback());
  if (bound && destination.isMulticast) return directRoute(bound);
  let nextRoute: Route | null = routes;
  while (nextRoute) {
    const at = nextRoute;
    nextRoute = at.next;
    if (at.serves(destination, bound)) return at;
  }
  // Groups and everybody can be reached without a route, and before there is an address.
  const outer = ethernetInterface();
  if (!outer || (bound && bound != outer) || !outer.isUp) return null;
  const isForAll = destination.isV4
    ? destination.v4 == u32.MAX_VALUE
    : destination.isMulticast || destination.isLinkLocal;
  return isForAll ? directRoute(outer) : null;
}

/** A route to the neighbours on an interface. */
export function directRoute(through: Interface): Route {
  let route = through.direct;
  if (!route) {
    route = new Route();
    route.through = through;
    through.direct = route;
  }
  return route;
}

/** The interface that leads to `destination`, or null if there is no route. */
export function routeTo(destination: IpAddress): Interface | null {
  const route = findRoute(destination, null);
  return route ? route.through : null;
}

/** Chooses the own address to use towards `destination`; false if there is no way. */
export function chooseSource(
  destination: IpAddress,
  out: IpAddress,
  bound: Interface | null = null,
): bool {
  const route = findRoute(destination, bound);
  if (!route) return false;
  if (route.through.isLoopback && !destination.isMulticast) {
    out.copyFrom(destination);
    return true;
  }
  if (!route.source.isAny) {
    out.copyFrom(route.source);
    return true;
  }
  const hop = route.nextHop(destination);
  // An IPv4 gateway says which of several subnets; IPv6 compares with the destination.
  return (
    chooseAddress(route.through, destination.isV4 ? hop : destination, out) ||
    anyOwnAddress(destination, out)
  );
}

/**
 * A new entry that is not in the table yet: the caller fills it and calls `addRoute`.
 * @param prefix copied; @param bits its length within 128 bits
 */
export function newRoute(prefix: IpAddress, bits: u32, through: Interface, madeBy: u8): Route {
  lock.acquire();
  let route = retired;
  if (route) retired = route.next;
  lock.release();
  if (!route) route = new Route();
  route.next = null;
  route.prefix.copyFrom(prefix);
  route.prefixBits = bits;
  route.gateway.clear();
  route.source.clear();
  route.metric = prefix.isV4 ? 0 : METRIC_V6;
  route.madeBy = madeBy;
  route.validUntilNs = NEVER;
  route.through = through;
  return route;
}

function isSame(a: Route, b: Route): bool {
  return (
    a.prefixBits == b.prefixBits &&
    a.metric == b.metric &&
    a.through == b.through &&
    a.prefix.equals(b.prefix) &&
    a.gateway.equals(b.gateway)
  );
}

/** Enters a route, which is the table's from now on. @returns 0 or -EEXIST */
export function addRoute(route: Route): i32 {
  lock.acquire();
  let before: Route | null = null;
  let at = routes;
  while (at && !isSame(at, route)) at = at.next;
  const isNew = at == null;
  if (isNew) {
    at = routes;
    while (at && comesBefore(at, route)) {
      before = at;
      at = at.next;
    }
    route.next = at;
    if (before) before.next = route;
    else routes = route;
  } else {
    route.next = retired;
    retired = route;
  }
  lock.release();
  return isNew ? 0 : -EEXIST;
}

function comesBefore(a: Route, b: Route): bool {
  return a.prefixBits > b.prefixBits || (a.prefixBits == b.prefixBits && a.metric <= b.metric);
}

/** Takes a route out of the table. @returns 0 or -ESRCH */
export function removeRoute(route: Route): i32 {
  lock.acquire();
  let before: Route | null = null;
  let at = routes;
  while (at && at != route) {
    before = at;
    at = at.next;
  }
  if (at) {
    if (before) before.next = at.next;
    else routes = at.next;
    at.next = retired;
    retired = at;
  }
  lock.release();
  return at ? 0 : -ESRCH;
}

/**
 * The route with this prefix, or null.
 * @param gateway, through null = whatever they are
 */
export function routeWith(
  prefix: IpAddress,
  bits: u32,
  gateway: IpAddress | null,
  through: Interface | null,
): Route | null {
  let nextRoute: Route | null = routes;
  while (nextRoute) {
    const at = nextRoute;
    nextRoute = at.next;
    if (at.prefixBits != bits || !at.prefix.equals(prefix)) continue;
    if (gateway && !gateway.equals(at.gateway)) continue;
    if (through && through != at.through) continue;
    return at;
  }
  return null;
}

/** Clears the bits of an address after the prefix. */
export function maskAddress(address: IpAddress, bits: u32): void {
  const high = bits >= 64 ? u64.MAX_VALUE : bits == 0 ? 0 : ~(u64.MAX_VALUE >> bits);
  const low = bits >= 128 ? u64.MAX_VALUE : bits <= 64 ? 0 : ~(u64.MAX_VALUE >> (bits - 64));
  address.first &= bswap<u64>(high);
  address.last &= bswap<u64>(low);
}

/** The route to the subnet of an address. */
export function addConnectedRoute(on: Interface, address: IpAddress, bits: u32): void {
  if (on.isLoopback || bits == 128) return;
  const route = newRoute(address, bits, on, ROUTE_BY_KERNEL);
  maskAddress(route.prefix, bits);
  if (address.isV4) route.source.copyFrom(address);
  else route.metric = METRIC_V6_SUBNET;
  addRoute(route);
}

/** Takes the route away that `addConnectedRoute` made. */
export function removeConnectedRoute(on: Interface, address: IpAddress, bits: u32): void {
  let nextRoute: Route | null = routes;
  while (nextRoute) {
    const at = nextRoute;
    nextRoute = at.next;
    if (at.madeBy != ROUTE_BY_KERNEL || at.through != on || at.prefixBits != bits) continue;
    if (!address.sharesPrefix(at.prefix, bits) || address.isV4 != at.prefix.isV4) continue;
    if (address.isV4 && !at.source.equals(address)) continue;
    removeRoute(at);
    return;
  }
}
