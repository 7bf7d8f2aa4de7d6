/**
 * ICMP for IPv6: RFC 4443. Answers echo requests, tells senders what is wrong with their packets, and
 * passes errors on to the sockets they concern. Messages of neighbour discovery and of groups go to
 * `neighbour-discovery.ts` and `groups.ts`.
 */
import { freePacket, newPacket, Packet, push } from "../dev/packet";
import { IpAddress } from "../lib/ip-address";
import { addBytes, foldSum, load32, pseudoSum, store32 } from "./bytes";
import { discoveryReceive } from "./neighbour-discovery";
import { groupQueried } from "./groups";
import { deliverError } from "./icmp-errors";
import { mayReportError } from "./icmp-limit";
import { Interface } from "./interface";
import { ipSend, PROTOCOL_ICMPV6 } from "./ip";
import { IPV6_HEADER_BYTES } from "./ipv6";
import { chooseSource } from "./routes";

const UNREACHABLE: u8 = 1;
export const PACKET_TOO_BIG: u8 = 2;
const TIME_EXCEEDED: u8 = 3;
const PARAMETER_PROBLEM: u8 = 4;
const ERROR_LAST: u8 = 127;
const ECHO_REQUEST: u8 = 128;
const ECHO_REPLY: u8 = 129;
const GROUP_QUERY: u8 = 130;
const DISCOVERY_FIRST: u8 = 133;
const DISCOVERY_LAST: u8 = 137;

const CODE_ADDRESS: u8 = 3;
const CODE_PORT: u8 = 4;
const CODE_REASSEMBLY: u8 = 1;
const HEADER_BYTES: u32 = 8;
/** An error fits the smallest MTU of IPv6 (RFC 4443, section 2.4 c). */
const QUOTE_MAX: u32 = 1280 - 40 - 8;

/** Stores the checksum of a message whose addresses are set, and sends it. Takes the packet. */
export function sendIcmpv6(packet: Packet, hopLimit: u8): void {
  const message = packet.data;
  store<u16>(message, 0, 2);
  const sum = pseudoSum(packet.source, packet.destination, PROTOCOL_ICMPV6, packet.length);
  store<u16>(message, ~foldSum(addBytes(message, packet.length, sum)), 2);
  ipSend(packet, PROTOCOL_ICMPV6, hopLimit);
}

/** A message arrived: takes it. */
export function icmpv6Receive(from: Interface, packet: Packet): void {
  const message = packet.data;
  const sum = pseudoSum(packet.source, packet.destination, PROTOCOL_ICMPV6, packet.length);
  if (packet.length < HEADER_BYTES || foldSum(addBytes(message, packet.length, sum)) != 0xffff) {
    freePacket(packet);
    return;
  }
  const type = load<u8>(message);
  if (type == ECHO_REQUEST) reply(packet);
  else if (type >= DISCOVERY_FIRST && type <= DISCOVERY_LAST) discoveryReceive(from, packet);
  else {
    if (type <= ERROR_LAST) failed(packet);
    else if (type == GROUP_QUERY)
      groupQueried(from, changetype<IpAddress>(message + HEADER_BYTES), packet.length >= 24);
    freePacket(packet);
  }
}

function reply(packet: Packet): void {
  const address = newPacket(packet.length);
  if (address != 0) {
    const answer = changetype<Packet>(address);
    memory.copy(answer.data, packet.data, packet.length);
    answer.length = packet.length;
    store<u8>(answer.data, ECHO_REPLY);
    if (answerTo(answer, packet)) sendIcmpv6(answer, 0);
    else freePacket(answer);
  }
  freePacket(packet);
}

/** Addresses an answer; a packet to a group is answered from an address of ours. */
function answerTo(answer: Packet, packet: Packet): bool {
  answer.destination.copyFrom(packet.source);
  answer.origin = packet.source.isLinkLocal ? packet.origin : 0;
  answer.source.copyFrom(packet.destination);
  if (!packet.destination.isMulticast) return true;
  const from = changetype<Interface | null>(answer.origin);
  return chooseSource(answer.destination, answer.source, from);
}

/** An error about a packet of ours: tells whose it is. */
function failed(packet: Packet): void {
  const message = packet.data;
  const quote = message + HEADER_BYTES;
  const length = packet.length - HEADER_BYTES;
  if (length < IPV6_HEADER_BYTES + 8) return;
  // Our packets have a fragment header at most in front of the transport's.
  const protocol = load<u8>(quote, 6);
  packet.source.copyFrom(changetype<IpAddress>(quote + 8));
  packet.destination.copyFrom(changetype<IpAddress>(quote + 24));
  deliverError(
    packet,
    protocol,
    quote + IPV6_HEADER_BYTES,
    length - IPV6_HEADER_BYTES,
    load32(message + 4),
  );
}

/** Tells the sender of a packet what is wrong with it; `packet` stays the caller's. */
function sendError(packet: Packet, type: u8, code: u8, parameter: u32): void {
  if (packet.source.isAny || packet.source.isMulticast || !mayReportError()) return;
  const network = packet.network;
  const quoted = min(<u32>(packet.data + packet.length - network), QUOTE_MAX);
  const address = newPacket(quoted);
  if (address == 0) return;
  const answer = changetype<Packet>(address);
  memory.copy(answer.data, network, quoted);
  answer.length = quoted;
  const message = push(answer, HEADER_BYTES);
  store<u32>(message, 0);
  store<u8>(message, type);
  store<u8>(message, code, 1);
  store32(message + 4, parameter);
  if (answerTo(answer, packet)) sendIcmpv6(answer, 0);
  else freePacket(answer);
}

/** Tells a sender that nobody listens on the port. */
export function sendPortUnreachableV6(packet: Packet): void {
  if (!packet.destination.isMulticast) sendError(packet, UNREACHABLE, CODE_PORT, 0);
}

/**
 * Tells our own sockets that a packet of ours, `data` at its IP header, found no neighbour: takes it.
 */
export function reportLostNeighbourV6(packet: Packet): void {
  packet.network = packet.data;
  packet.source.copyFrom(changetype<IpAddress>(packet.data + 8));
  packet.destination.copyFrom(packet.source);
  sendError(packet, UNREACHABLE, CODE_ADDRESS, 0);
  freePacket(packet);
}

/** Tells a sender that fragments of its packet are missing (section 3.3): takes the first one. */
export function sendReassemblyTimeoutV6(packet: Packet): void {
  if (!packet.destination.isMulticast) sendError(packet, TIME_EXCEEDED, CODE_REASSEMBLY, 0);
  freePacket(packet);
}

/** Tells a sender which byte of its packet is not understood; takes the packet. */
export function sendParameterProblem(packet: Packet, code: u8, offset: u32): void {
  sendError(packet, PARAMETER_PROBLEM, code, offset);
  freePacket(packet);
}
