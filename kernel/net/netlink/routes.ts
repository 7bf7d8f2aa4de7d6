/**
 * Routes over netlink: RTM_GETROUTE, RTM_NEWROUTE, RTM_DELROUTE (rtnetlink(7)).
 *
 *     struct rtmsg: | family u8 | dst length u8 | src length u8 | tos u8 | table u8 | protocol u8 |
 *                   | scope u8 | type u8 | flags u32 |
 *
 * Neighbours: `message.ts`, `netlink-socket.ts`; `../routes.ts` keeps the table.
 */
import { EINVAL, ENETUNREACH, ENODEV, EOPNOTSUPP, ESRCH } from "../../lib/errno";
import { ByteWriter } from "../../lib/format";
import { IpAddress } from "../../lib/ip-address";
import { free } from "../../lib/object";
import { monotonicNs } from "../../sched/clock";
import { Interface, interfaceAt } from "../interface";
import {
  addRoute,
  chooseSource,
  findRoute,
  firstRoute,
  maskAddress,
  newRoute,
  removeRoute,
  Route,
  routeTo,
  routeWith,
  V4_BITS,
} from "../routes";
import { AF_INET, AF_INET6 } from "../socket";
import {
  beginMessage,
  endMessage,
  familyOf,
  FLAG_MULTI,
  FLAG_REPLACE,
  put32,
  putAddress,
  putNumber,
  Request,
  TYPE_NEW_ROUTE,
} from "./message";

const ROUTE_BYTES: usize = 12;
// Attributes (linux/rtnetlink.h).
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_TABLE: u16 = 15;

const TABLE_MAIN: u8 = 254;
const TABLE_LOCAL: u8 = 255;
const SCOPE_UNIVERSE: u8 = 0;
const SCOPE_LINK: u8 = 253;
const TYPE_UNICAST: u8 = 1;
const TYPE_LOCAL: u8 = 2;

/** Writes a route; `destination` instead of its prefix if it answers a question about that. */
function writeRoute(
  out: ByteWriter,
  request: Request,
  route: Route,
  destination: IpAddress | null,
  flags: u16,
): void {
  const prefix = destination ? destination : route.prefix;
  const isV4 = prefix.isV4;
  const isLocal = route.through.isLoopback;
  const wide: u32 = isV4 ? 32 : 128;
  const own = isV4 ? route.prefixBits - V4_BITS : route.prefixBits;
  const bits = destination ? wide : own;
  const isDirect = route.gateway.isAny;
  const start = beginMessage(out, request, TYPE_NEW_ROUTE, flags);
  out.writeByte(familyOf(prefix));
  out.writeByte(<u8>bits);
  out.writeByte(0);
  out.writeByte(0);
  out.writeByte(isLocal ? TABLE_LOCAL : TABLE_MAIN);
  out.writeByte(route.madeBy);
  out.writeByte(isDirect && isV4 ? SCOPE_LINK : SCOPE_UNIVERSE);
  out.writeByte(isLocal ? TYPE_LOCAL : TYPE_UNICAST);
  put32(out, 0);
  putNumber(out, RTA_TABLE, isLocal ? TABLE_LOCAL : TABLE_MAIN);
  if (bits != 0) putAddress(out, RTA_DST, prefix);
  if (route.metric != 0) putNumber(out, RTA_PRIORITY, route.metric);
  if (!isDirect) putAddress(out, RTA_GATEWAY, route.gateway);
  putNumber(out, RTA_OIF, route.through.index);
  putSource(out, route, destination);
  endMessage(out, start);
}

/** The source that a route prefers, or the one that a packet to `destination` would have. */
function putSource(out: ByteWriter, route: Route, destination: IpAddress | null): void {
  if (!destination) {
    if (!route.source.isAny) putAddress(out, RTA_PREFSRC, route.source);
    return;
  }
  const source = new IpAddress();
  if (chooseSource(destination, source)) putAddress(out, RTA_PREFSRC, source);
  free(source);
}

/** RTM_GETROUTE: the whole table, or the way to one destination. */
export function getRoutes(request: Request, out: ByteWriter): i32 {
  const family = request.bodyBytes >= 1 ? load<u8>(request.body) : 0;
  if (!request.isDump) return getRoute(request, out);
  // Only the main table is told; `ip route` asks for all and picks it out itself.
  const isAsked = request.bodyBytes >= ROUTE_BYTES;
  const table = isAsked ? <u32>load<u8>(request.body, 4) : 0;
  if (table != 0 && table != TABLE_MAIN) return 0;
  let next = firstRoute();
  while (next) {
    const route = next;
    next = route.next;
    const isWanted = family == 0 || family == familyOf(route.prefix);
    if (isWanted && route.validUntilNs > monotonicNs()) {
      writeRoute(out, request, route, null, FLAG_MULTI);
    }
  }
  return 0;
}

function getRoute(request: Request, out: ByteWriter): i32 {
  if (request.bodyBytes < ROUTE_BYTES) return -EINVAL;
  const destination = new IpAddress();
  let result: i32 = -EINVAL;
  if (request.address(ROUTE_BYTES, RTA_DST, destination)) {
    const bound = interfaceAt(request.number(ROUTE_BYTES, RTA_OIF, 0));
    const route = findRoute(destination, bound);
    if (route) writeRoute(out, request, route, destination, 0);
    result = route ? 0 : -ENETUNREACH;
  }
  free(destination);
  return result;
}

/** RTM_NEWROUTE and RTM_DELROUTE. */
export function changeRoute(request: Request, adds: bool): i32 {
  if (request.bodyBytes < ROUTE_BYTES) return -EINVAL;
  const family = load<u8>(request.body);
  if (family != <u8>AF_INET && family != <u8>AF_INET6) return -EOPNOTSUPP;
  const type = load<u8>(request.body, 7);
  if (adds && type != TYPE_UNICAST) return -EOPNOTSUPP;
  const prefix = new IpAddress();
  const gateway = new IpAddress();
  prefix.clear();
  gateway.clear();
  const result = change(request, adds, prefix, gateway);
  free(prefix);
  free(gateway);
  return result;
}

function change(request: Request, adds: bool, prefix: IpAddress, gateway: IpAddress): i32 {
  const isV4 = load<u8>(request.body) == <u8>AF_INET;
  if (isV4) prefix.setV4(0);
  request.address(ROUTE_BYTES, RTA_DST, prefix);
  const hasGateway = request.address(ROUTE_BYTES, RTA_GATEWAY, gateway);
  const bits = <u32>load<u8>(request.body, 1) + (isV4 ? V4_BITS : 0);
  if (bits > 128 || prefix.isV4 != isV4 || (hasGateway && gateway.isV4 != isV4)) return -EINVAL;
  maskAddress(prefix, bits);
  const index = request.number(ROUTE_BYTES, RTA_OIF, 0);
  const named = interfaceAt(index);
  if (index != 0 && !named) return -ENODEV;
  const known = routeWith(prefix, bits, hasGateway ? gateway : null, named);
  if (!adds) return known ? removeRoute(known) : -ESRCH;
  if ((request.flags & FLAG_REPLACE) != 0) {
    const replaced = routeWith(prefix, bits, null, null);
    if (replaced) removeRoute(replaced);
  }
  const through: Interface | null = named ? named : hasGateway ? routeTo(gateway) : null;
  if (!through) return hasGateway ? -ENETUNREACH : -ENODEV;
  const route = newRoute(prefix, bits, through, load<u8>(request.body, 5));
  if (hasGateway) route.gateway.copyFrom(gateway);
  request.address(ROUTE_BYTES, RTA_PREFSRC, route.source);
  route.metric = request.number(ROUTE_BYTES, RTA_PRIORITY, route.metric);
  return addRoute(route);
}
