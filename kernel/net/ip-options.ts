/**
 * Options of the network layer: ip(7), ipv6(7). What they switch on is in `control-data.ts` and
 * `memberships.ts`.
 *
 * Neighbours: `inet-options.ts` calls it; options are words, no lock.
 */
import { EADDRNOTAVAIL, EINVAL, ENODEV, ENOPROTOOPT, ENOTCONN } from "../lib/errno";
import { IpAddress } from "../lib/ip-address";
import { free } from "../lib/object";
import { load32 } from "./bytes";
import { DatagramSocket } from "./datagram-socket";
import { Endpoint } from "./endpoint";
import {
  answer,
  InetOptions,
  REPORT_HOP_LIMIT,
  REPORT_INFO_V4,
  REPORT_INFO_V6,
  REPORT_OPTIONS,
  REPORT_RETURN_OPTIONS,
  REPORT_TOS,
  REPORT_TRAFFIC_CLASS,
  REPORT_TTL,
} from "./inet-options";
import { DEFAULT_HOP_LIMIT, Interface, interfaceAt } from "./interface";
import { ipHeaderBytes, pathPayloadBytes } from "./ip";
import { interfaceForGroup, interfaceWith, joinMembership, leaveMembership } from "./memberships";
import { AF_INET, AF_INET6 } from "./socket";

export const IPPROTO_IP: i32 = 0;
export const IPPROTO_IPV6: i32 = 41;

const IP_TOS: i32 = 1;
const IP_TTL: i32 = 2;
const IP_OPTIONS: i32 = 4;
const IP_PKTINFO: i32 = 8;
const IP_MTU_DISCOVER: i32 = 10;
const IP_RECVOPTS: i32 = 6;
const IP_RETOPTS: i32 = 7;
const IP_RECVERR: i32 = 11;
const IP_RECVTTL: i32 = 12;
const IP_RECVTOS: i32 = 13;
const IP_MTU: i32 = 14;
const IP_FREEBIND: i32 = 15;
const IP_BIND_ADDRESS_NO_PORT: i32 = 24;
const IP_MULTICAST_IF: i32 = 32;
const IP_MULTICAST_TTL: i32 = 33;
const IP_MULTICAST_LOOP: i32 = 34;
const IP_ADD_MEMBERSHIP: i32 = 35;
const IP_DROP_MEMBERSHIP: i32 = 36;
const MCAST_JOIN_GROUP: i32 = 42;
const MCAST_LEAVE_GROUP: i32 = 45;
const IP_MULTICAST_ALL: i32 = 49;

const IPV6_UNICAST_HOPS: i32 = 16;
const IPV6_MULTICAST_IF: i32 = 17;
const IPV6_MULTICAST_HOPS: i32 = 18;
const IPV6_MULTICAST_LOOP: i32 = 19;
const IPV6_JOIN_GROUP: i32 = 20;
const IPV6_LEAVE_GROUP: i32 = 21;
const IPV6_MTU_DISCOVER: i32 = 23;
const IPV6_MTU: i32 = 24;
const IPV6_RECVERR: i32 = 25;
const IPV6_V6ONLY: i32 = 26;
const IPV6_RECVPKTINFO: i32 = 49;
const IPV6_RECVHOPLIMIT: i32 = 51;
const IPV6_RECVTCLASS: i32 = 66;
const IPV6_TCLASS: i32 = 67;
const IPV6_AUTOFLOWLABEL: i32 = 70;
const IPV6_ADDR_PREFERENCES: i32 = 72;
const IPV6_DONTFRAG: i32 = 62;
const IPV6_FREEBIND: i32 = 78;

// Wishes of IPV6_ADDR_PREFERENCES (linux/in6.h).
const PREFER_TEMPORARY: u32 = 0x1;
const PREFER_PUBLIC: u32 = 0x2;
const PREFER_EITHER: u32 = 0x100;
const PREFER_CARE_OF: u32 = 0x4;
const PREFER_HOME: u32 = 0x400;
const PREFER_CGA: u32 = 0x8;
const PREFER_NO_CGA: u32 = 0x800;

const MTU_DISCOVERY_MAX: i32 = 5;

/** setsockopt(2) at the levels IPPROTO_IP and IPPROTO_IPV6; 0 or a negative error. */
export function setIpOption(
  endpoint: Endpoint,
  options: InetOptions,
  level: i32,
  name: i32,
  address: usize,
  length: usize,
): i64 {
  if (level == IPPROTO_IPV6) {
    if (endpoint.family != AF_INET6) return -ENOPROTOOPT;
    return setV6Option(endpoint, options, name, address, length);
  }
  const group = setGroupOption(endpoint, options, name, address, length);
  if (group != -ENOPROTOOPT) return group;
  // No options are sent; to ask for none is fine.
  if (name == IP_OPTIONS) return length == 0 ? 0 : -ENOPROTOOPT;
  if (length < 1) return -EINVAL;
  const value = length < 4 ? <i32>load<u8>(address) : load<i32>(address);
  switch (name) {
    case IP_TOS:
      endpoint.typeOfService = <u8>value;
      return 0;
    case IP_TTL:
      if (value != -1 && (value < 1 || value > 255)) return -EINVAL;
      endpoint.timeToLive = value == -1 ? 0 : <u8>value;
      return 0;
    case IP_MULTICAST_TTL:
      return setMulticastHops(options, value);
    case IP_MULTICAST_LOOP:
      options.multicastLoops = value != 0;
      return 0;
    case IP_MTU_DISCOVER:
      return setMtuDiscovery(options, value);
    case IP_RECVERR:
      options.reportsErrors = value != 0;
      return 0;
    case IP_PKTINFO:
      return options.report(REPORT_INFO_V4, value != 0);
    case IP_RECVTTL:
      return options.report(REPORT_TTL, value != 0);
    case IP_RECVTOS:
      return options.report(REPORT_TOS, value != 0);
    case IP_RECVOPTS:
      return options.report(REPORT_OPTIONS, value != 0);
    case IP_RETOPTS:
      return options.report(REPORT_RETURN_OPTIONS, value != 0);
    case IP_FREEBIND:
      options.freeBind = value != 0;
      return 0;
    case IP_BIND_ADDRESS_NO_PORT:
      return 0;
    case IP_MULTICAST_ALL:
      // Who is bound to a group's port hears all groups that somebody has joined.
      return value == 1 ? 0 : -ENOPROTOOPT;
  }
  return -ENOPROTOOPT;
}

function setMulticastHops(options: InetOptions, value: i32): i64 {
  if (value < -1 || value > 255) return -EINVAL;
  options.multicastTtl = value == -1 ? 1 : <u8>value;
  return 0;
}

function setMtuDiscovery(options: InetOptions, value: i32): i64 {
  if (value < 0 || value > MTU_DISCOVERY_MAX) return -EINVAL;
  options.mtuDiscovery = value;
  return 0;
}

/** Options with structures: groups and the interface for them; -ENOPROTOOPT for all others. */
function setGroupOption(
  endpoint: Endpoint,
  options: InetOptions,
  name: i32,
  address: usize,
  length: usize,
): i64 {
  const isJoin = name == IP_ADD_MEMBERSHIP;
  if (name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP) {
    return setSourcelessGroup(endpoint, name == MCAST_JOIN_GROUP, address, length);
  }
  if (!isJoin && name != IP_DROP_MEMBERSHIP && name != IP_MULTICAST_IF) return -ENOPROTOOPT;
  const isChoice = name == IP_MULTICAST_IF;
  // struct in_addr, ip_mreq (group, address) or ip_mreqn (group, address, index).
  if (length < 4 || (!isChoice && length < 8)) return -EINVAL;
  const at = length >= 8 ? address + 4 : address;
  const index = length >= 12 ? load<u32>(address, 8) : 0;
  const own = new IpAddress();
  own.setV4(load32(at));
  const named = own.v4 != 0 ? interfaceWith(own) : null;
  const isUnknown = own.v4 != 0 && !named && index == 0;
  const group = own;
  group.setV4(load32(address));
  let result: i64 = 0;
  if (isUnknown) result = isChoice ? -EADDRNOTAVAIL : -ENODEV;
  else if (isChoice) result = chooseMulticast(options, index, named, load<u32>(at));
  else if (!(endpoint instanceof DatagramSocket)) result = -ENOPROTOOPT;
  else {
    const on = index == 0 && named ? named : interfaceForGroup(index, group);
    const socket = changetype<DatagramSocket>(endpoint);
    result = isJoin ? joinMembership(socket, group, on) : leaveMembership(socket, group, on);
  }
  free(own);
  return result;
}

/** IP_MULTICAST_IF: by index, else by address. @param address as given, in network order */
function chooseMulticast(
  options: InetOptions,
  index: u32,
  named: Interface | null,
  address: u32,
): i64 {
  if (index != 0 && !interfaceAt(index)) return -EADDRNOTAVAIL;
  options.multicastInterface = index != 0 ? index : named ? named.index : 0;
  options.multicastAddress = address;
  return 0;
}

/** MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP: struct group_req, an index and at 8 an address. */
function setSourcelessGroup(endpoint: Endpoint, joins: bool, address: usize, length: usize): i64 {
  if (length < 136) return -EINVAL;
  if (!(endpoint instanceof DatagramSocket)) return -ENOPROTOOPT;
  const group = new IpAddress();
  if (load<u16>(address, 8) == <u16>AF_INET) group.setV4(load32(address + 12));
  else group.copyFrom(changetype<IpAddress>(address + 16));
  const socket = changetype<DatagramSocket>(endpoint);
  const on = interfaceForGroup(load<u32>(address), group);
  const result = joins ? joinMembership(socket, group, on) : leaveMembership(socket, group, on);
  free(group);
  return result;
}

function setV6Option(
  endpoint: Endpoint,
  options: InetOptions,
  name: i32,
  address: usize,
  length: usize,
): i64 {
  if (name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP) {
    return setSourcelessGroup(endpoint, name == MCAST_JOIN_GROUP, address, length);
  }
  if (name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP) {
    if (length < 20) return -EINVAL;
    if (!(endpoint instanceof DatagramSocket)) return -ENOPROTOOPT;
    const socket = changetype<DatagramSocket>(endpoint);
    const group = changetype<IpAddress>(address);
    const index = load<u32>(address, 16);
    const on = interfaceForGroup(index, group);
    if (name == IPV6_JOIN_GROUP) return joinMembership(socket, group, on);
    return leaveMembership(socket, group, index != 0 ? on : null);
  }
  if (length < 4) return -EINVAL;
  const value = load<i32>(address);
  switch (name) {
    case IPV6_V6ONLY:
      if (endpoint.isPortBound) return -EINVAL;
      endpoint.isV6Only = value != 0;
      return 0;
    case IPV6_UNICAST_HOPS:
      if (value < -1 || value > 255) return -EINVAL;
      endpoint.timeToLive = value == -1 ? 0 : <u8>value;
      return 0;
    case IPV6_TCLASS:
      if (value < -1 || value > 255) return -EINVAL;
      endpoint.typeOfService = value == -1 ? 0 : <u8>value;
      return 0;
    case IPV6_MULTICAST_IF:
      if (value != 0 && !interfaceAt(<u32>value)) return -ENODEV;
      options.multicastInterface = <u32>value;
      return 0;
    case IPV6_MULTICAST_HOPS:
      return setMulticastHops(options, value);
    case IPV6_MULTICAST_LOOP:
      options.multicastLoops = value != 0;
      return 0;
    case IPV6_MTU_DISCOVER:
      return setMtuDiscovery(options, value);
    case IPV6_DONTFRAG:
      options.mtuDiscovery = value != 0 ? 2 : 1;
      return 0;
    case IPV6_RECVERR:
      options.reportsErrors = value != 0;
      return 0;
    case IPV6_RECVPKTINFO:
      return options.report(REPORT_INFO_V6, value != 0);
    case IPV6_RECVHOPLIMIT:
      return options.report(REPORT_HOP_LIMIT, value != 0);
    case IPV6_RECVTCLASS:
      return options.report(REPORT_TRAFFIC_CLASS, value != 0);
    case IPV6_FREEBIND:
      options.freeBind = value != 0;
      return 0;
    case IPV6_ADDR_PREFERENCES:
      return setAddressPreferences(options, <u32>value);
    case IPV6_AUTOFLOWLABEL:
      // Packets have no flow labels.
      return value == 0 ? 0 : -ENOPROTOOPT;
  }
  return -ENOPROTOOPT;
}

/**
 * IPV6_ADDR_PREFERENCES (RFC 5014). They are wishes among addresses of different kinds; as there are
 * only public home addresses, they are noted and never decide. @returns 0, or -EINVAL for
 * contradictions
 */
function setAddressPreferences(options: InetOptions, wishes: u32): i64 {
  const lifetime = wishes & (PREFER_TEMPORARY | PREFER_PUBLIC | PREFER_EITHER);
  const place = wishes & (PREFER_CARE_OF | PREFER_HOME);
  const proof = wishes & (PREFER_CGA | PREFER_NO_CGA);
  if (popcnt(lifetime) > 1 || popcnt(place) > 1 || popcnt(proof) > 1) return -EINVAL;
  let preferences = options.addressPreferences;
  if (lifetime != 0) preferences &= ~(PREFER_TEMPORARY | PREFER_PUBLIC);
  if (place != 0) preferences &= ~PREFER_CARE_OF;
  options.addressPreferences =
    preferences | (wishes & (PREFER_TEMPORARY | PREFER_PUBLIC | PREFER_CARE_OF));
  return 0;
}

/** As getsockopt(2) reports it: of each pair one. */
function addressPreferences(options: InetOptions): i32 {
  const preferences = options.addressPreferences;
  const lifetime = preferences & (PREFER_TEMPORARY | PREFER_PUBLIC);
  const place = preferences & PREFER_CARE_OF;
  return <i32>((lifetime != 0 ? lifetime : PREFER_EITHER) | (place != 0 ? place : PREFER_HOME));
}

/** getsockopt(2) at these levels: bytes written or a negative error. */
export function getIpOption(
  endpoint: Endpoint,
  options: InetOptions,
  level: i32,
  name: i32,
  address: usize,
  capacity: usize,
): i64 {
  if (level == IPPROTO_IPV6 && endpoint.family != AF_INET6) return -ENOPROTOOPT;
  if (level == IPPROTO_IP && name == IP_OPTIONS) return 0; // none can be set
  const isV4 = level == IPPROTO_IP;
  if (isV4 && name == IP_MULTICAST_IF) {
    return answer(<i32>options.multicastAddress, address, capacity);
  }
  const mtu = isV4 ? IP_MTU : IPV6_MTU;
  if (name == mtu) {
    const remote = endpoint.remoteAddress;
    if (remote.isAny) return -ENOTCONN;
    return answer(<i32>(pathPayloadBytes(remote) + ipHeaderBytes(remote)), address, capacity);
  }
  const value = isV4 ? v4Value(endpoint, options, name) : v6Value(endpoint, options, name);
  return value == -ENOPROTOOPT ? -ENOPROTOOPT : answer(value, address, capacity);
}

function isReported(options: InetOptions, kind: u32): i32 {
  return (options.reports & kind) != 0 ? 1 : 0;
}

function hopsOf(endpoint: Endpoint): i32 {
  return endpoint.timeToLive != 0 ? endpoint.timeToLive : DEFAULT_HOP_LIMIT;
}

function v4Value(endpoint: Endpoint, options: InetOptions, name: i32): i32 {
  switch (name) {
    case IP_TOS:
      return endpoint.typeOfService;
    case IP_TTL:
      return hopsOf(endpoint);
    case IP_MULTICAST_TTL:
      return options.multicastTtl;
    case IP_MULTICAST_LOOP:
      return options.multicastLoops ? 1 : 0;
    case IP_MTU_DISCOVER:
      return options.mtuDiscovery;
    case IP_RECVERR:
      return options.reportsErrors ? 1 : 0;
    case IP_PKTINFO:
      return isReported(options, REPORT_INFO_V4);
    case IP_RECVTTL:
      return isReported(options, REPORT_TTL);
    case IP_RECVTOS:
      return isReported(options, REPORT_TOS);
    case IP_RECVOPTS:
      return isReported(options, REPORT_OPTIONS);
    case IP_RETOPTS:
      return isReported(options, REPORT_RETURN_OPTIONS);
    case IP_FREEBIND:
      return options.freeBind ? 1 : 0;
    case IP_BIND_ADDRESS_NO_PORT:
      return 0;
    case IP_MULTICAST_ALL:
      return 1;
  }
  return -ENOPROTOOPT;
}

function v6Value(endpoint: Endpoint, options: InetOptions, name: i32): i32 {
  switch (name) {
    case IPV6_V6ONLY:
      return endpoint.isV6Only ? 1 : 0;
    case IPV6_UNICAST_HOPS:
      return hopsOf(endpoint);
    case IPV6_TCLASS:
      return endpoint.typeOfService;
    case IPV6_MULTICAST_IF:
      return <i32>options.multicastInterface;
    case IPV6_MULTICAST_HOPS:
      return options.multicastTtl;
    case IPV6_MULTICAST_LOOP:
      return options.multicastLoops ? 1 : 0;
    case IPV6_MTU_DISCOVER:
      return options.mtuDiscovery;
    case IPV6_DONTFRAG:
      return options.keepsWhole ? 1 : 0;
    case IPV6_RECVERR:
      return options.reportsErrors ? 1 : 0;
    case IPV6_RECVPKTINFO:
      return isReported(options, REPORT_INFO_V6);
    case IPV6_RECVHOPLIMIT:
      return isReported(options, REPORT_HOP_LIMIT);
    case IPV6_RECVTCLASS:
      return isReported(options, REPORT_TRAFFIC_CLASS);
    case IPV6_FREEBIND:
      return options.freeBind ? 1 : 0;
    case IPV6_AUTOFLOWLABEL:
      return 0;
    case IPV6_ADDR_PREFERENCES:
      return addressPreferences(options);
  }
  return -ENOPROTOOPT;
}
