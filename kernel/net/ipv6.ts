/**
 * IPv6: RFC 8200. Packets larger than the path's MTU are sent in fragments; extension headers are
 * understood (`ipv6-extensions.ts`), none is sent but the fragment header and router alerts.
 *
 *     | version 4, class 8, flow label 20 | payload length 16 | next header 8 | hop limit 8 |
 *     | source 128 | destination 128 |                                          40 bytes
 *
 * Receipt runs in the context of the driver's interrupt, or of the sender for `lo`.
 * Neighbours: `ip.ts` above, `ethernet.ts` and `neighbours.ts` below.
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
import { randomU64 } from "../dev/random";
import { EMSGSIZE, ENOBUFS } from "../lib/errno";
import { IpAddress } from "../lib/ip-address";
import { isReceiver } from "./addresses";
import { load16, store16, store32 } from "./bytes";
import {
  count,
  IP_ADDRESS_ERRORS,
  IP_FRAGMENTS_MADE,
  IP_HEADER_ERRORS,
  IP_RECEIVED,
  OF_V6,
} from "./counters";
import { ETHERTYPE_IPV6, ethernetSend, groupMac, watchLoopback } from "./ethernet";
import { isJoined } from "./groups";
import { Interface, loopback } from "./interface";
import { PROTOCOL_TCP } from "./ip";
import { deliverExtended, EXTENSION_FRAGMENT } from "./ipv6-extensions";
import { sendToNeighbour } from "./neighbours";
import { pathMtu } from "./path-mtu";
import { Route } from "./routes";

export const IPV6_HEADER_BYTES: u32 = 40;
const FRAGMENT_HEADER_BYTES: u32 = 8;
const PAYLOAD_MAX: u32 = 65535;
const MORE_FRAGMENTS: u32 = 1;

const PAYLOAD_LENGTH: usize = 4;
const NEXT_HEADER: usize = 6;
const HOP_LIMIT: usize = 7;
const SOURCE: usize = 8;
const DESTINATION: usize = 24;

/** A packet arrived: takes it. */
export function ipv6Receive(from: Interface, packet: Packet): void {
  const header = packet.data;
  const source = packet.source;
  const destination = packet.destination;
  count(OF_V6 + IP_RECEIVED);
  if (packet.length < IPV6_HEADER_BYTES || load<u8>(header) >> 4 != 6) {
    count(OF_V6 + IP_HEADER_ERRORS);
    freePacket(packet);
    return;
  }
  source.copyFrom(changetype<IpAddress>(header + SOURCE));
  destination.copyFrom(changetype<IpAddress>(header + DESTINATION));
  const total = IPV6_HEADER_BYTES + <u32>load16(header + PAYLOAD_LENGTH);
  if (total > packetBytes(packet) || !isSound(from, source, destination)) {
    count(OF_V6 + IP_ADDRESS_ERRORS);
    freePacket(packet);
    return;
  }
  if (packet.more == 0)
    packet.length = total; // Ethernet pads short frames
  else if (total != packetBytes(packet) || load<u8>(header + NEXT_HEADER) != PROTOCOL_TCP) {
    // Only TCP segments come in several parts, and none with extension headers.
    freePacket(packet);
    return;
  }
  packet.network = header;
  if (destination.isMulticast) from.multicasts++;
  pull(packet, IPV6_HEADER_BYTES);
  deliverExtended(from, packet, header + NEXT_HEADER);
}

/** False for addresses that no honest packet has, or that are not for us. */
function isSound(from: Interface, source: IpAddress, destination: IpAddress): bool {
  // Mapped addresses would pass for IPv4 here (RFC 4942, section 2.2).
  if (source.isV4 || destination.isV4 || source.isMulticast) return false;
  if (!from.isLoopback && (source.isLoopback || destination.isLoopback)) return false;
  return isReceiver(from, destination);
}

/** Writes a header in front of the packet. */
function writeHeader(packet: Packet, next: u8, hopLimit: u8, trafficClass: u8): void {
  const length = packetBytes(packet);
  const header = push(packet, IPV6_HEADER_BYTES);
  store32(header, (6 << 28) | ((<u32>trafficClass) << 20));
  store16(header + PAYLOAD_LENGTH, length);
  store<u8>(header + NEXT_HEADER, next);
  store<u8>(header + HOP_LIMIT, hopLimit);
  changetype<IpAddress>(header + SOURCE).copyFrom(packet.source);
  changetype<IpAddress>(header + DESTINATION).copyFrom(packet.destination);
}

/** `ipSend` for IPv6, along a route. */
export function ipv6Send(
  packet: Packet,
  route: Route,
  protocol: u8,
  hopLimit: u8,
  trafficClass: u8,
): i32 {
  if (packetBytes(packet) > PAYLOAD_MAX) {
    freePacket(packet);
    return -EMSGSIZE;
  }
  const hops = hopLimit != 0 ? hopLimit : route.through.hopLimit;
  const mtu = pathMtu(route, packet.destination);
  if (packetBytes(packet) + IPV6_HEADER_BYTES > mtu && packet.segmentBytes == 0) {
    return sendFragments(route, packet, protocol, hops, trafficClass, mtu);
  }
  writeHeader(packet, protocol, hops, trafficClass);
  sendAlong(route, packet);
  return 0;
}

function sendAlong(route: Route, packet: Packet): void {
  const through = route.through;
  const destination = packet.destination;
  if (through.isLoopback) {
    packet.checksum = CHECKSUM_VALID;
    packet.origin = changetype<usize>(through);
    through.countLooped(packet.length);
    watchLoopback(through, packet, ETHERTYPE_IPV6);
    ipv6Receive(loopback(), packet);
  } else if (destination.isMulticast) {
    loopBack(through, packet);
    ethernetSend(through, packet, groupMac(destination), ETHERTYPE_IPV6);
  } else sendToNeighbour(through, packet, route.nextHop(destination));
}

/** Receives a copy of a packet to a group that we are in ourselves. */
function loopBack(through: Interface, packet: Packet): void {
  if (packet.staysOut || !isJoined(through, packet.destination)) return;
  const address = newPacket(packet.length);
  if (address == 0) return;
  const copy = changetype<Packet>(address);
  memory.copy(copy.data, packet.data, packet.length);
  copy.length = packet.length;
  copy.checksum = CHECKSUM_VALID;
  copy.origin = changetype<usize>(through);
  ipv6Receive(through, copy);
}

/** Sends a payload in pieces (RFC 8200, section 4.5). The checksum inside is complete. */
function sendFragments(
  route: Route,
  packet: Packet,
  protocol: u8,
  hops: u8,
  trafficClass: u8,
  mtu: u32,
): i32 {
  const partMax = (mtu - IPV6_HEADER_BYTES - FRAGMENT_HEADER_BYTES) & ~7;
  const identification = <u32>randomU64();
  const total = packet.length;
  let result: i32 = 0;
  for (let offset: u32 = 0; offset < total; offset += partMax) {
    const part = min(partMax, total - offset);
    const address = newPacket(part);
    if (address == 0) {
      result = -ENOBUFS;
      break;
    }
    const fragment = changetype<Packet>(address);
    count(OF_V6 + IP_FRAGMENTS_MADE);
    fragment.length = part;
    fragment.staysOut = packet.staysOut;
    memory.copy(fragment.data, packet.data + offset, part);
    fragment.source.copyFrom(packet.source);
    fragment.destination.copyFrom(packet.destination);
    const header = push(fragment, FRAGMENT_HEADER_BYTES);
    store<u8>(header, protocol);
    store<u8>(header, 0, 1);
    store16(header + 2, offset | (offset + part < total ? MORE_FRAGMENTS : 0));
    store32(header + 4, identification);
    writeHeader(fragment, EXTENSION_FRAGMENT, hops, trafficClass);
    sendAlong(route, fragment);
  }
  freePacket(packet);
  return result;
}
