/**
 * IPv4: RFC 791, RFC 1122 section 3.2. Packets with options are received, none are sent with them;
 * packets larger than the route's MTU are sent in fragments.
 *
 * Receipt runs in the context of the driver's interrupt, or of the sender for `lo`.
 * Neighbours: `ethernet.ts`, `arp.ts` below; `icmp.ts`, `udp.ts`, `tcp-input.ts` above;
 * `fragments.ts` reassembles.
 */
import { CHECKSUM_VALID, freePacket, newPacket, Packet, pull, push } from "../dev/packet";
import { EMSGSIZE, ENETUNREACH, ENOBUFS } from "../lib/errno";
import { sendToGroup, sendToNeighbour } from "./arp";
import { addBytes, foldSum, load16, load32, store16, store32 } from "./bytes";
import { reassemble } from "./fragments";
import { icmpReceive } from "./icmp";
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from "./ip";
import { Interface, isBroadcast, isReceiver, loopback, nextHop, routeTo } from "./interface";
import { tcpReceive } from "./tcp-receive";
import { udpReceive } from "./udp";

export const IPV4_HEADER_BYTES: u32 = 20;
export const DEFAULT_TTL: u8 = 64;

const FLAG_DONT_FRAGMENT: u32 = 0x4000;
const FLAG_MORE_FRAGMENTS: u32 = 0x2000;
const OFFSET_MASK: u32 = 0x1fff;
const PACKET_MAX: u32 = 65535;

/** A packet arrived: takes it. */
export function ipv4Receive(from: Interface, packet: Packet): void {
  const header = packet.data;
  const headerBytes = packet.length >= IPV4_HEADER_BYTES ? (<u32>load<u8>(header) & 15) * 4 : 0;
  if (
    headerBytes < IPV4_HEADER_BYTES ||
    headerBytes > packet.length ||
    load<u8>(header) >> 4 != 4 ||
    foldSum(addBytes(header, headerBytes, 0)) != 0xffff
  ) {
    freePacket(packet);
    return;
  }
  const total = <u32>load16(header + 2);
  packet.source.setV4(load32(header + 12));
  packet.destination.setV4(load32(header + 16));
  if (total < headerBytes || total > packet.length || !isReceiver(packet.destination)) {
    freePacket(packet);
    return;
  }
  // 127.0.0.0/8 never comes from outside (RFC 1122, section 3.2.1.3).
  if (!from.isLoopback && (packet.source.isLoopback || packet.destination.isLoopback)) {
    freePacket(packet);
    return;
  }
  packet.length = total; // Ethernet pads short frames
  const fragment = <u32>load16(header + 6);
  let whole = packet;
  if ((fragment & (FLAG_MORE_FRAGMENTS | OFFSET_MASK)) != 0) {
    const result = reassemble(packet, headerBytes, fragment);
    if (result == 0) return;
    whole = changetype<Packet>(result);
  }
  deliver(from, whole);
}

function deliver(from: Interface, packet: Packet): void {
  const header = packet.data;
  packet.network = header;
  const protocol = load<u8>(header, 9);
  pull(packet, (<u32>load<u8>(header) & 15) * 4);
  packet.transport = packet.data;
  if (protocol == PROTOCOL_TCP) tcpReceive(packet);
  else if (protocol == PROTOCOL_UDP) udpReceive(packet);
  else if (protocol == PROTOCOL_ICMP) icmpReceive(packet);
  else freePacket(packet);
}

/** `ipSend` for IPv4. */
export function ipv4Send(packet: Packet, protocol: u8, ttl: u8, typeOfService: u8): i32 {
  const through = routeTo(packet.destination);
  if (through == null || packet.length + IPV4_HEADER_BYTES > PACKET_MAX) {
    const isTooLong = through != null;
    freePacket(packet);
    return isTooLong ? -EMSGSIZE : -ENETUNREACH;
  }
  const mayFragment = protocol != PROTOCOL_TCP;
  const header = push(packet, IPV4_HEADER_BYTES);
  store<u16>(header, 0x0045);
  store<u8>(header, typeOfService, 1);
  store16(header + 2, packet.length);
  store16(header + 4, mayFragment ? atomic.add<u32>(changetype<usize>(identification), 1) : 0);
  store16(header + 6, mayFragment ? 0 : FLAG_DONT_FRAGMENT);
  store<u8>(header, ttl != 0 ? ttl : DEFAULT_TTL, 8);
  store<u8>(header, protocol, 9);
  store32(header + 12, packet.source.v4);
  store32(header + 16, packet.destination.v4);
  finishHeader(header);
  if (packet.length > through.mtuBytes && packet.segmentBytes == 0) {
    return sendFragments(through, packet);
  }
  sendThrough(through, packet);
  return 0;
}

const identification = new StaticArray<u32>(1);

function finishHeader(header: usize): void {
  store<u16>(header, 0, 10);
  store<u16>(header, ~foldSum(addBytes(header, IPV4_HEADER_BYTES, 0)), 10);
}

function sendThrough(through: Interface, packet: Packet): void {
  const destination = packet.destination;
  if (through.isLoopback) {
    packet.checksum = CHECKSUM_VALID;
    packet.origin = changetype<usize>(through);
    ipv4Receive(loopback(), packet);
  } else if (isBroadcast(destination) || destination.isMulticast) {
    sendToGroup(through, packet, destination.v4);
  } else {
    sendToNeighbour(through, packet, nextHop(through, destination.v4));
  }
}

/** Sends a packet in pieces (RFC 791, section 3.2). The checksums inside are complete. */
function sendFragments(through: Interface, packet: Packet): i32 {
  const partMax = (through.mtuBytes - IPV4_HEADER_BYTES) & ~7;
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
    fragment.length = part;
    memory.copy(fragment.data, payload + offset, part);
    const header = push(fragment, IPV4_HEADER_BYTES);
    memory.copy(header, packet.data, IPV4_HEADER_BYTES);
    store16(header + 2, part + IPV4_HEADER_BYTES);
    store16(header + 6, (offset >> 3) | (offset + part < total ? FLAG_MORE_FRAGMENTS : 0));
    finishHeader(header);
    fragment.destination.copyFrom(packet.destination);
    sendThrough(through, fragment);
  }
  freePacket(packet);
  return result;
}
