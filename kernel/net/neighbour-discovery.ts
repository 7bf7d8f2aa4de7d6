/**
 * Neighbour discovery for IPv6: RFC 4861 (solicitations and advertisements), RFC 4862 section 5.4
 * and RFC 4429 (duplicate addresses: ours are used at once, and given up if somebody objects).
 *
 * Neighbours: `neighbours.ts` keeps what is learnt; `router-discovery.ts` reads what routers say;
 * `icmpv6.ts` carries the messages.
 */
import { MAC_BYTES } from "../dev/network";
import { freePacket, newPacket, Packet } from "../dev/packet";
import { IpAddress } from "../lib/ip-address";
import { log } from "../lib/log";
import { free } from "../lib/object";
import { monotonicNs } from "../sched/clock";
import {
  addAddress,
  chooseAddress,
  findAddress,
  InterfaceAddress,
  removeAddress,
} from "./addresses";
import { isError } from "../lib/errno";
import { store32 } from "./bytes";
import { joinGroup, leaveGroup } from "./groups";
import { sendIcmpv6 } from "./icmpv6";
import { Interface } from "./interface";
import { isResolved, learnNeighbour } from "./neighbours";
import { routerAdvertised } from "./router-discovery";

const ROUTER_SOLICITATION: u8 = 133;
const ROUTER_ADVERTISEMENT: u8 = 134;
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;

/** Flags of an advertisement: answers a question; replaces what is known. */
const FLAG_SOLICITED: u32 = 0x40000000;
const FLAG_OVERRIDE: u32 = 0x20000000;

const OPTION_SOURCE_LINK: u8 = 1;
const OPTION_TARGET_LINK: u8 = 2;
const LINK_OPTION_BYTES: u32 = 8;
/** type, code, checksum, flags; then the target. */
const TARGET: usize = 8;
const MESSAGE_BYTES: u32 = 24;
const ROUTER_SOLICITATION_BYTES: u32 = 8;
/** Messages that crossed no router still have it (RFC 4861, section 3.1). */
const HOP_LIMIT: u8 = 255;
const HOP_LIMIT_FIELD: usize = 7;
/** How long somebody may object to an address (RetransTimer, RFC 4861, section 10). */
const OBJECTION_NS: u64 = 1_000_000_000;

/** Becomes the solicited-node group of an address: ff02::1:ffXX:XXXX (RFC 4291, section 2.7.1). */
export function setSolicitedGroup(group: IpAddress, address: IpAddress): void {
  group.first = 0x02ff;
  group.last = (address.last & 0xffffff0000000000) | 0xff01000000;
}

/** Becomes ff02::`last`. */
export function setLinkGroup(group: IpAddress, last: u8): void {
  group.first = 0x02ff;
  group.last = (<u64>last) << 56;
}

/** A message of `bytes` with its type; 0 without memory. */
function newMessage(through: Interface, type: u8, bytes: u32): usize {
  const address = newPacket(bytes + LINK_OPTION_BYTES);
  if (address == 0) return 0;
  const packet = changetype<Packet>(address);
  packet.length = bytes;
  packet.origin = changetype<usize>(through);
  packet.staysOut = true;
  memory.fill(packet.data, 0, bytes);
  store<u8>(packet.data, type);
  return address;
}

/** Appends our hardware address. */
function addLinkOption(packet: Packet, option: u8, through: Interface): void {
  const at = packet.data + packet.length;
  store<u8>(at, option);
  store<u8>(at, 1, 1);
  memory.copy(at + 2, through.macAddress, MAC_BYTES);
  packet.length += LINK_OPTION_BYTES;
}

/** Asks for the hardware address of a neighbour (section 7.2.2). */
export function solicitNeighbour(through: Interface, target: IpAddress): void {
  const made = newMessage(through, NEIGHBOUR_SOLICITATION, MESSAGE_BYTES);
  if (made == 0) return;
  const packet = changetype<Packet>(made);
  changetype<IpAddress>(packet.data + TARGET).copyFrom(target);
  setSolicitedGroup(packet.destination, target);
  if (!chooseAddress(through, target, packet.source)) {
    freePacket(packet);
    return;
  }
  const own = findAddress(through, packet.source);
  // An address that may be somebody else's is not told to everybody (RFC 4429, section 3.2).
  if (own && own.optimisticUntilNs <= monotonicNs()) {
    addLinkOption(packet, OPTION_SOURCE_LINK, through);
  }
  sendIcmpv6(packet, HOP_LIMIT);
}

/**
 * Gives an interface an IPv6 address and asks whether anybody has it already.
 * @returns the InterfaceAddress, or -EEXIST
 */
export function claimAddress(on: Interface, address: IpAddress, bits: u32, origin: u8): usize {
  const added = addAddress(on, address, bits, origin);
  if (isError(added) || on.isLoopback) return added;
  const entry = changetype<InterfaceAddress>(added);
  entry.optimisticUntilNs = monotonicNs() + OBJECTION_NS;
  const made = newMessage(on, NEIGHBOUR_SOLICITATION, MESSAGE_BYTES);
  if (made == 0) return added;
  const packet = changetype<Packet>(made);
  setSolicitedGroup(packet.destination, address);
  joinGroup(on, packet.destination);
  changetype<IpAddress>(packet.data + TARGET).copyFrom(address);
  packet.source.clear();
  sendIcmpv6(packet, HOP_LIMIT);
  return added;
}

/** Takes an address away from an interface. @returns 0 or -EADDRNOTAVAIL */
export function releaseAddress(from: Interface, address: IpAddress): i32 {
  const result = removeAddress(from, address);
  if (result != 0 || address.isV4 || from.isLoopback) return result;
  const group = new IpAddress();
  setSolicitedGroup(group, address);
  leaveGroup(from, group);
  free(group);
  return 0;
}

/** Asks all routers to introduce themselves (section 6.3.7). */
export function solicitRouters(through: Interface): void {
  const made = newMessage(through, ROUTER_SOLICITATION, ROUTER_SOLICITATION_BYTES);
  if (made == 0) return;
  const packet = changetype<Packet>(made);
  setLinkGroup(packet.destination, 2);
  const hasSource = chooseAddress(through, packet.destination, packet.source);
  const own = hasSource ? findAddress(through, packet.source) : null;
  if (!own || own.optimisticUntilNs > monotonicNs()) {
    if (!hasSource) packet.source.clear();
  } else addLinkOption(packet, OPTION_SOURCE_LINK, through);
  sendIcmpv6(packet, HOP_LIMIT);
}

/** A message whose checksum is right: takes it. */
export function discoveryReceive(from: Interface, packet: Packet): void {
  const message = packet.data;
  const hopLimit = load<u8>(packet.network + HOP_LIMIT_FIELD);
  if (hopLimit == HOP_LIMIT && load<u8>(message, 1) == 0 && !from.isLoopback) {
    const type = load<u8>(message);
    if (type == ROUTER_ADVERTISEMENT) routerAdvertised(from, packet);
    else if (packet.length >= MESSAGE_BYTES) {
      if (type == NEIGHBOUR_SOLICITATION) solicited(from, packet);
      else if (type == NEIGHBOUR_ADVERTISEMENT) advertised(from, packet);
    }
  }
  freePacket(packet);
}

/**
 * The option of a type after the first `skip` bytes of a message.
 * @returns its address, or 0 if there is none
 */
export function findDiscoveryOption(packet: Packet, skip: u32, type: u8): usize {
  let at = packet.data + skip;
  const end = packet.data + packet.length;
  while (at + LINK_OPTION_BYTES <= end) {
    const bytes = <usize>load<u8>(at, 1) * 8;
    if (bytes == 0 || at + bytes > end) return 0;
    if (load<u8>(at) == type) return at;
    at += bytes;
  }
  return 0;
}

/** The hardware address in a link-layer option of a message; 0 = it has none. */
export function linkOption(packet: Packet, skip: u32, type: u8): u64 {
  const at = findDiscoveryOption(packet, skip, type);
  return at != 0 ? <u64>load<u32>(at, 2) | ((<u64>load<u16>(at, 6)) << 32) : 0;
}

/** The hardware address a received packet came from: in front of its IP header. */
function frameSource(packet: Packet): u64 {
  const at = packet.network - 8;
  return <u64>load<u32>(at) | ((<u64>load<u16>(at, 4)) << 32);
}

/** Somebody asks for an address (section 7.2.3). */
function solicited(from: Interface, packet: Packet): void {
  const target = changetype<IpAddress>(packet.data + TARGET);
  const own = findAddress(from, target);
  if (!own) return;
  const isClaim = packet.source.isAny;
  if (isClaim && own.optimisticUntilNs > monotonicNs()) {
    giveUp(from, target);
    return;
  }
  const mac = linkOption(packet, MESSAGE_BYTES, OPTION_SOURCE_LINK);
  if (!isClaim && mac != 0) learnNeighbour(from, packet.source, mac, true);
  else if (!isClaim && !isResolved(from, packet.source)) {
    // Whoever is not sure of its address yet does not tell its own (RFC 4429, section 3.2); asking
    // back could go round in a circle, so the frame says where the answer goes.
    learnNeighbour(from, packet.source, frameSource(packet), true);
  }
  const made = newMessage(from, NEIGHBOUR_ADVERTISEMENT, MESSAGE_BYTES);
  if (made == 0) return;
  const answer = changetype<Packet>(made);
  let flags: u32 = isClaim ? 0 : FLAG_SOLICITED;
  if (own.optimisticUntilNs <= monotonicNs()) flags |= FLAG_OVERRIDE;
  store32(answer.data + 4, flags);
  changetype<IpAddress>(answer.data + TARGET).copyFrom(target);
  addLinkOption(answer, OPTION_TARGET_LINK, from);
  answer.source.copyFrom(target);
  if (isClaim) setLinkGroup(answer.destination, 1);
  else answer.destination.copyFrom(packet.source);
  sendIcmpv6(answer, HOP_LIMIT);
}

/** Somebody tells its hardware address (section 7.2.5). */
function advertised(from: Interface, packet: Packet): void {
  const target = changetype<IpAddress>(packet.data + TARGET);
  const own = findAddress(from, target);
  if (own) {
    if (own.optimisticUntilNs > monotonicNs()) giveUp(from, target);
    return;
  }
  const mac = linkOption(packet, MESSAGE_BYTES, OPTION_TARGET_LINK);
  if (mac != 0) learnNeighbour(from, target, mac, false);
}

/** The address is somebody else's (RFC 4862, section 5.4.5). */
function giveUp(on: Interface, address: IpAddress): void {
  releaseAddress(on, address);
  log("eth0: another machine has the IPv6 address that was chosen; it is given up");
}
