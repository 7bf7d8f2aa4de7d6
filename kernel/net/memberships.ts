/**
 * Which sockets are in which multicast groups: IP_ADD_MEMBERSHIP (ip(7)), IPV6_JOIN_GROUP (ipv6(7),
 * RFC 3493 section 5.2), MCAST_JOIN_GROUP (RFC 3678).
 *
 * Lock: the socket's. Neighbours: `groups.ts` (what the machine receives), `ip-options.ts`.
 */
import { EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENODEV } from "../lib/errno";
import { IpAddress } from "../lib/ip-address";
import { free } from "../lib/object";
import { findAddress } from "./addresses";
import { DatagramSocket } from "./datagram-socket";
import { joinGroup, leaveGroup } from "./groups";
import { ethernetInterface, Interface, interfaceAt, loopback } from "./interface";
import { routeTo } from "./routes";

export class Membership {
  next: Membership | null = null;
  private groupFirst: u64 = 0;
  private groupLast: u64 = 0;

  constructor(readonly on: Interface) {}

  get group(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<Membership>("groupFirst"));
  }
}

/** The interface with an own address, or null. */
export function interfaceWith(address: IpAddress): Interface | null {
  let on: Interface | null = loopback();
  while (on && !findAddress(on, address)) on = on.next;
  return on;
}

/** The interface for a group: by index, else where packets to the group would leave. */
export function interfaceForGroup(index: u32, group: IpAddress): Interface | null {
  if (index != 0) return interfaceAt(index);
  const route = routeTo(group);
  if (route) return route;
  const outer = ethernetInterface();
  return outer ? outer : loopback();
}

/** Joins a group. @returns 0, -EINVAL, -ENODEV, or -EADDRINUSE if it has joined already */
export function joinMembership(
  socket: DatagramSocket,
  group: IpAddress,
  on: Interface | null,
): i64 {
  if (!group.isMulticast) return -EINVAL;
  if (!on) return -ENODEV;
  const added = new Membership(on);
  added.group.copyFrom(group);
  socket.lock.acquire();
  let at = socket.memberships;
  while (at && !(at.on == on && at.group.equals(group))) at = at.next;
  if (!at) {
    added.next = socket.memberships;
    socket.memberships = added;
  }
  socket.lock.release();
  if (at) {
    free(added);
    return -EADDRINUSE;
  }
  joinGroup(on, group);
  return 0;
}

/** Leaves a group; `on` null = on whatever interface. @returns 0 or -EADDRNOTAVAIL */
export function leaveMembership(
  socket: DatagramSocket,
  group: IpAddress,
  on: Interface | null,
): i64 {
  socket.lock.acquire();
  let before: Membership | null = null;
  let at = socket.memberships;
  while (at && !(at.group.equals(group) && (!on || at.on == on))) {
    before = at;
    at = at.next;
  }
  if (at) {
    if (before) before.next = at.next;
    else socket.memberships = at.next;
  }
  socket.lock.release();
  if (!at) return -EADDRNOTAVAIL;
  leaveGroup(at.on, at.group);
  free(at);
  return 0;
}

/** Leaves all groups. */
export function leaveAll(socket: DatagramSocket): void {
  let at = socket.memberships;
  socket.memberships = null;
  while (at) {
    const next = at.next;
    leaveGroup(at.on, at.group);
    free(at);
    at = next;
  }
}
