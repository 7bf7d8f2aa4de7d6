/**
 * ICMP for IPv4: RFC 792, RFC 1122 section 3.2.2. Answers echo requests, tells senders of closed
 * ports, and passes errors on to the sockets they concern.
 *
 * Neighbours: `ipv4.ts`, `icmp-errors.ts`, `udp.ts`.
 */
import { freePacket, newPacket, Packet, push } from "../dev/packet";
import { IpAddress } from "../lib/ip-address";
import { isBroadcast } from "./addresses";
import { addBytes, foldSum, load16, load32 } from "./bytes";
import { count, ICMP_ERRORS, ICMP_RECEIVED } from "./counters";
import { deliverError } from "./icmp-errors";
import { mayReportError } from "./icmp-limit";
import { ipSend, PROTOCOL_ICMP } from "./ip";

const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const ECHO_REQUEST: u8 = 8;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER_PROBLEM: u8 = 12;

const CODE_HOST: u8 = 1;
const CODE_PROTOCOL: u8 = 2;
const CODE_PORT: u8 = 3;
const CODE_REASSEMBLY: u8 = 1;

const HEADER_BYTES: u32 = 8;
const IP_HEADER_BYTES: u32 = 20;
/** What an error may quote, so that it fits every link (RFC 1812, section 4.3.2.3). */
const QUOTE_MAX: u32 = 576 - 20 - 8;

function finish(message: usize, length: u32): void {
  store<u16>(message, 0, 2);
  store<u16>(message, ~foldSum(addBytes(message, length, 0)), 2);
}

/** A message arrived: takes it. */
export function icmpReceive(packet: Packet): void {
  const message = packet.data;
  count(ICMP_RECEIVED);
  if (packet.length < HEADER_BYTES || foldSum(addBytes(message, packet.length, 0)) != 0xffff) {
    count(ICMP_ERRORS);
    freePacket(packet);
    return;
  }
  const type = load<u8>(message);
  if (type == ECHO_REQUEST && !isGroup(packet.destination)) {
    reply(packet);
    return;
  }
  if (type == UNREACHABLE || type == TIME_EXCEEDED || type == PARAMETER_PROBLEM) failed(packet);
  freePacket(packet);
}

/** Not for broadcasts (RFC 1122, section 3.2.2.6). */
function isGroup(address: IpAddress): bool {
  return isBroadcast(address) || address.isMulticast;
}

function reply(packet: Packet): void {
  const address = newPacket(packet.length);
  if (address != 0) {
    const answer = changetype<Packet>(address);
    memory.copy(answer.data, packet.data, packet.length);
    answer.length = packet.length;
    store<u8>(answer.data, ECHO_REPLY);
    finish(answer.data, answer.length);
    sendBack(answer, packet);
  }
  freePacket(packet);
}

function sendBack(answer: Packet, packet: Packet): void {
  answer.source.copyFrom(packet.destination);
  answer.destination.copyFrom(packet.source);
  ipSend(answer, PROTOCOL_ICMP);
}

/** An error about a packet of ours: tells whose it is. The message's own addresses are used up. */
function failed(packet: Packet): void {
  const quote = packet.data + HEADER_BYTES;
  const length = packet.length - HEADER_BYTES;
  if (length < IP_HEADER_BYTES) return;
  const headerBytes = (<u32>load<u8>(quote) & 15) * 4;
  if (headerBytes < IP_HEADER_BYTES || headerBytes > length) return;
  packet.source.setV4(load32(quote + 12));
  packet.destination.setV4(load32(quote + 16));
  const mtu = <u32>load16(packet.data + 6); // RFC 1191, section 4
  deliverError(packet, load<u8>(quote, 9), quote + headerBytes, length - headerBytes, mtu);
}

/** Tells a sender that nobody listens on the port. */
export function sendPortUnreachable(packet: Packet): void {
  sendUnreachable(packet, CODE_PORT);
}

/**
 * Tells our own sockets that a packet of ours, `data` at its IP header, found no neighbour: takes it.
 */
export function reportLostNeighbour(packet: Packet): void {
  packet.network = packet.data;
  packet.source.setV4(load32(packet.data + 12));
  packet.destination.copyFrom(packet.source);
  sendUnreachable(packet, CODE_HOST);
  freePacket(packet);
}

/** Tells a sender that nobody here knows the protocol: takes the packet. */
export function sendProtocolUnreachable(packet: Packet): void {
  sendUnreachable(packet, CODE_PROTOCOL);
  freePacket(packet);
}

/** Tells a sender that fragments of its packet are missing (RFC 792): takes the first one. */
export function sendReassemblyTimeout(packet: Packet): void {
  sendError(packet, TIME_EXCEEDED, CODE_REASSEMBLY);
  freePacket(packet);
}

function sendUnreachable(packet: Packet, code: u8): void {
  sendError(packet, UNREACHABLE, code);
}

function sendError(packet: Packet, type: u8, code: u8): void {
  if (isGroup(packet.destination) || isGroup(packet.source) || packet.source.isAny) return;
  if (!mayReportError()) return;
  const header = packet.network;
  const quoted = min(<u32>(packet.data + packet.length - header), QUOTE_MAX);
  const address = newPacket(quoted);
  if (address == 0) return;
  const answer = changetype<Packet>(address);
  memory.copy(answer.data, header, quoted);
  answer.length = quoted;
  const message = push(answer, HEADER_BYTES);
  store<u64>(message, 0);
  store<u8>(message, type);
  store<u8>(message, code, 1);
  finish(message, answer.length);
  sendBack(answer, packet);
}
