/**
 * IPv4: RFC 791, RFC 1122 section 3.2. Options of received packets are skipped, none are sent but
 * router alerts; packets larger than the path's MTU are sent in fragments.
 *
 * Receipt runs in the context of the driver's interrupt, or of the sender for `lo`.
 * Neighbours: `ip.ts` above, `ethernet.ts`, `neighbours.ts` below; `icmp.ts`, `udp.ts`,
 * `tcp-receive.ts` get what arrives; `fragments.ts` reassembles.
 */
import {
  CHECKSUM_VALID,
  freePacket,
  newPacket,
  Packet,
  packetBytes,
  pull,
  push,
} from "../dev/packet";
import { EINVAL, EMSGSIZE, ENETUNREACH, ENOBUFS } from "../lib/errno";
import { isBroadcast, isReceiver } from "./addresses";
import { addBytes, foldSum, load16, load32, store16, store32 } from "./bytes";
import {
  count,
  IP_ADDRESS_ERRORS,
  IP_DELIVERED,
  IP_FRAGMENTS_MADE,
  IP_FRAGMENTS_RECEIVED,
  IP_HEADER_ERRORS,
  IP_REASSEMBLED,
  IP_RECEIVED,
} from "./counters";
import { ETHERTYPE_IPV4, ethernetSend, groupMac, watchLoopback } from "./ethernet";
import { reassemble } from "./fragments";
import { groupQueried, isJoined } from "./groups";
import { icmpReceive, sendProtocolUnreachable } from "./icmp";
import { DEFAULT_HOP_LIMIT, Interface, loopback } from "./interface";
import { PROTOCOL_ICMP, PROTOCOL_IGMP, PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_UDPLITE } from "./ip";
import { sendToNeighbour } from "./neighbours";
import { pathMtu } from "./path-mtu";
import { rawDeliver } from "./raw-socket";
import { findRoute, Route } from "./routes";
import { tcpReceive } from "./tcp-receive";
import { udpReceive } from "./udp";
import { udpLiteReceive } from "./udp-lite";

export const IPV4_HEADER_BYTES: u32 = 20;

const FLAG_DONT_FRAGMENT: u32 = 0x4000;
const FLAG_MORE_FRAGMENTS: u32 = 0x2000;
const OFFSET_MASK: u32 = 0x1fff;
const PACKET_MAX: u32 = 65535;
/** Router alert (RFC 2113), which IGMP is to carry. */
const ALERT: u32 = 0x94040000;
const ALERT_BYTES: u32 = 4;
const IGMP_QUERY: u8 = 0x11;
const IGMP_BYTES: u32 = 8;

function headerLength(header: usize): u32 {
  return (<u32>load<u8>(header) & 15) * 4;
}

/** A packet arrived: takes it. */
export function ipv4Receive(from: Interface, packet: Packet): void {
  const header = packet.data;
  const headerBytes = packet.length >= IPV4_HEADER_BYTES ? headerLength(header) : 0;
  count(IP_RECEIVED);
  if (
    headerBytes < IPV4_HEADER_BYTES ||
    headerBytes > packet.length ||
    load<u8>(header) >> 4 != 4 ||
    foldSum(addBytes(header, headerBytes, 0)) != 0xffff
  ) {
    count(IP_HEADER_ERRORS);
    freePacket(packet);
    return;
  }
  const total = <u32>load16(header + 2);
  packet.source.setV4(load32(header + 12));
  packet.destination.setV4(load32(header + 16));
  if (total < headerBytes || total > packetBytes(packet) || !isReceiver(from, packet.destination)) {
    count(IP_ADDRESS_ERRORS);
    freePacket(packet);
    return;
  }
  // 127.0.0.0/8 never comes from outside (RFC 1122, section 3.2.1.3).
  if (!from.isLoopback && (packet.source.isLoopback || packet.destination.isLoopback)) {
    freePacket(packet);
    return;
  }
  if (packet.destination.isMulticast) from.multicasts++;
  const fragment = <u32>load16(header + 6);
  if (packet.more == 0)
    packet.length = total; // Ethernet pads short frames
  else if (total != packetBytes(packet) || !isWholeTcp(header, fragment)) {
    freePacket(packet);
    return;
  }
  let whole = packet;
  if ((fragment & (FLAG_MORE_FRAGMENTS | OFFSET_MASK)) != 0) {
    count(IP_FRAGMENTS_RECEIVED);
    const offset = (fragment & OFFSET_MASK) << 3;
    const hasMore = (fragment & FLAG_MORE_FRAGMENTS) != 0;
    const key = ((<u32>load<u16>(header, 4)) << 8) | load<u8>(header, 9);
    const result = reassemble(packet, headerBytes, offset, hasMore, key);
    if (result == 0) return;
    count(IP_REASSEMBLED);
    whole = changetype<Packet>(result);
    completeHeader(whole);
  }
  deliver(from, whole);
}

/** Makes the first fragment's header that of the whole, for those who get to see it. */
function completeHeader(packet: Packet): void {
  const header = packet.data;
  store16(header + 2, min(packet.length, PACKET_MAX));
  store<u16>(header, 0, 6);
  finishHeader(header);
}

/** True for TCP segments that are no fragments: only these come in several parts. */
function isWholeTcp(header: usize, fragment: u32): bool {
  return load<u8>(header, 9) == PROTOCOL_TCP && (fragment & ~FLAG_DONT_FRAGMENT) == 0;
}

function deliver(from: Interface, packet: Packet): void {
  const header = packet.data;
  count(IP_DELIVERED);
  packet.network = header;
  const protocol = load<u8>(header, 9);
  pull(packet, headerLength(header));
  packet.transport = packet.data;
  const isWanted = rawDeliver(packet, protocol);
  if (protocol == PROTOCOL_TCP) tcpReceive(packet);
  else if (protocol == PROTOCOL_UDP) udpReceive(packet);
  else if (protocol == PROTOCOL_UDPLITE) udpLiteReceive(packet);
  else if (protocol == PROTOCOL_ICMP) icmpReceive(packet);
  else if (protocol == PROTOCOL_IGMP) igmpReceive(from, packet);
  else if (isWanted) freePacket(packet);
  else sendProtocolUnreachable(packet);
}

/** Routers ask who is in which group (RFC 2236; queries of IGMPv3 begin alike). */
function igmpReceive(from: Interface, packet: Packet): void {
  const message = packet.data;
  const isQuery = packet.length >= IGMP_BYTES && load<u8>(message) == IGMP_QUERY;
  if (isQuery && foldSum(addBytes(message, packet.length, 0)) == 0xffff) {
    packet.destination.setV4(load32(message + 4));
    groupQueried(from, packet.destination, true);
  }
  freePacket(packet);
}

/** `ipSend` for IPv4, along a route. */
export function ipv4Send(
  packet: Packet,
  route: Route,
  protocol: u8,
  ttl: u8,
  typeOfService: u8,
): i32 {
  const optionBytes: u32 = protocol == PROTOCOL_IGMP ? ALERT_BYTES : 0;
  const headerBytes = IPV4_HEADER_BYTES + optionBytes;
  const mtu = pathMtu(route, packet.destination);
  const total = packetBytes(packet) + headerBytes;
  const isLarge = total > mtu && packet.segmentBytes == 0;
  if (total > PACKET_MAX || (isLarge && packet.keepsWhole)) {
    freePacket(packet);
    return -EMSGSIZE;
  }
  const mayFragment = protocol != PROTOCOL_TCP && !packet.keepsWhole;
  const header = push(packet, headerBytes);
  store<u8>(header, <u8>(0x40 | (headerBytes >> 2)));
  store<u8>(header, typeOfService, 1);
  store16(header + 2, total);
  store16(header + 4, mayFragment ? nextIdentification() : 0);
  store16(header + 6, mayFragment ? 0 : FLAG_DONT_FRAGMENT);
  store<u8>(header, ttl != 0 ? ttl : DEFAULT_HOP_LIMIT, 8);
  store<u8>(header, protocol, 9);
  store32(header + 12, packet.source.v4);
  store32(header + 16, packet.destination.v4);
  if (optionBytes != 0) store32(header + IPV4_HEADER_BYTES, ALERT);
  finishHeader(header);
  if (isLarge) return sendFragments(route, packet, mtu);
  sendAlong(route, packet);
  return 0;
}

/**
 * Sends a packet with an IPv4 header of the application's own making (raw(7), IP_HDRINCL): takes it.
 * Length and checksum are filled in, source and identification where they are 0.
 */
export function sendWithHeader(packet: Packet): i32 {
  const header = packet.data;
  const headerBytes = packet.length >= IPV4_HEADER_BYTES ? headerLength(header) : 0;
  const route = findRoute(packet.destination, changetype<Interface | null>(packet.origin));
  let result: i32 = 0;
  if (headerBytes < IPV4_HEADER_BYTES || headerBytes > packet.length) result = -EINVAL;
  else if (!route) result = -ENETUNREACH;
  else if (packet.length > route.through.mtuBytes) result = -EMSGSIZE;
  if (!route || result != 0) {
    freePacket(packet);
    return result;
  }
  store16(header + 2, packet.length);
  if (load<u16>(header, 4) == 0) store16(header + 4, nextIdentification());
  if (load<u32>(header, 12) == 0 && packet.source.isV4) store32(header + 12, packet.source.v4);
  finishHeader(header);
  sendAlong(route, packet);
  return 0;
}

const identification = new StaticArray<u32>(1);

function nextIdentification(): u32 {
  return atomic.add<u32>(changetype<usize>(identification), 1) & 0xffff;
}

function finishHeader(header: usize): void {
  store<u16>(header, 0, 10);
  store<u16>(header, ~foldSum(addBytes(header, headerLength(header), 0)), 10);
}

function sendAlong(route: Route, packet: Packet): void {
  const through = route.through;
  const destination = packet.destination;
  if (through.isLoopback) {
    packet.checksum = CHECKSUM_VALID;
    packet.origin = changetype<usize>(through);
    through.countLooped(packet.length);
    watchLoopback(through, packet, ETHERTYPE_IPV4);
    ipv4Receive(loopback(), packet);
  } else if (destination.isMulticast || isBroadcast(destination)) {
    loopBack(through, packet);
    ethernetSend(through, packet, groupMac(destination), ETHERTYPE_IPV4);
  } else sendToNeighbour(through, packet, route.nextHop(destination));
}

/** Receives a copy of a packet to everybody, or to a group that we are in ourselves. */
function loopBack(through: Interface, packet: Packet): void {
  const destination = packet.destination;
  if (destination.isMulticast && (packet.staysOut || !isJoined(through, destination))) return;
  const address = newPacket(packet.length);
  if (address == 0) return;
  const copy = changetype<Packet>(address);
  memory.copy(copy.data, packet.data, packet.length);
  copy.length = packet.length;
  copy.checksum = CHECKSUM_VALID;
  copy.origin = changetype<usize>(through);
  ipv4Receive(through, copy);
}

/** Sends a packet in pieces (RFC 791, section 3.2). The checksums inside are complete. */
function sendFragments(route: Route, packet: Packet, mtu: u32): i32 {
  const partMax = (mtu - IPV4_HEADER_BYTES) & ~7;
  const payload = packet.data + IPV4_HEADER_BYTES;
  const total = packet.length - IPV4_HEADER_BYTES;
  let result: i32 = 0;
  for (let offset: u32 = 0; offset < total; offset += partMax) {
    const part = min(partMax, total - offset);
    const address = newPacket(part);
    if (address == 0) {
      result = -ENOBUFS;
      break;
    }
    const fragment = changetype<Packet>(address);
    count(IP_FRAGMENTS_MADE);
    fragment.length = part;
    fragment.staysOut = packet.staysOut;
    memory.copy(fragment.data, payload + offset, part);
    const header = push(fragment, IPV4_HEADER_BYTES);
    memory.copy(header, packet.data, IPV4_HEADER_BYTES);
    store16(header + 2, part + IPV4_HEADER_BYTES);
    store16(header + 6, (offset >> 3) | (offset + part < total ? FLAG_MORE_FRAGMENTS : 0));
    finishHeader(header);
    fragment.destination.copyFrom(packet.destination);
    sendAlong(route, fragment);
  }
  freePacket(packet);
  return result;
}
