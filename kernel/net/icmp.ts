/**
 * ICMP for IPv4: RFC 792, RFC 1122 section 3.2.2. Answers echo requests, tells senders of closed
 * ports, and passes errors on to the sockets they concern.
 *
 * Neighbours: `ipv4.ts`, `udp.ts`, `tcp-receive.ts`.
 */
import { freePacket, newPacket, Packet, push } from "../dev/packet";
import { ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, ENETUNREACH, EPROTO } from "../lib/errno";
import { IpAddress } from "../lib/ip-address";
import { addBytes, foldSum, load16, load32 } from "./bytes";
import { isBroadcast } from "./interface";
import { ipSend, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from "./ip";
import { tcpUnreachable } from "./tcp-receive";
import { udpUnreachable } from "./udp";

const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const ECHO_REQUEST: u8 = 8;

const CODE_NETWORK: u8 = 0;
const CODE_HOST: u8 = 1;
const CODE_PROTOCOL: u8 = 2;
const CODE_PORT: u8 = 3;
const CODE_TOO_LARGE: u8 = 4;

const HEADER_BYTES: u32 = 8;
/** Bytes of the offending packet that an error quotes: its IP header and 8 more. */
const QUOTE_BYTES: u32 = 28;

function finish(message: usize, length: u32): void {
  store<u16>(message, 0, 2);
  store<u16>(message, ~foldSum(addBytes(message, length, 0)), 2);
}

/** A message arrived: takes it. */
export function icmpReceive(packet: Packet): void {
  const message = packet.data;
  if (packet.length < HEADER_BYTES || foldSum(addBytes(message, packet.length, 0)) != 0xffff) {
    freePacket(packet);
    return;
  }
  const type = load<u8>(message);
  if (type == ECHO_REQUEST && !isGroup(packet.destination)) {
    reply(packet);
    return;
  }
  if (type == UNREACHABLE)
    unreachable(packet, message + HEADER_BYTES, packet.length - HEADER_BYTES);
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

/** Tells the socket that sent the quoted packet; the message's own addresses are not needed again. */
function unreachable(packet: Packet, quote: usize, length: u32): void {
  if (length < QUOTE_BYTES) return;
  const headerBytes = (<u32>load<u8>(quote) & 15) * 4;
  if (headerBytes < 20 || headerBytes + 8 > length) return;
  const ports = quote + headerBytes;
  const error = errorOf(load<u8>(packet.data, 1));
  const source = packet.source;
  const destination = packet.destination;
  source.setV4(load32(quote + 12));
  destination.setV4(load32(quote + 16));
  const protocol = load<u8>(quote, 9);
  if (protocol == PROTOCOL_UDP) {
    udpUnreachable(source, load16(ports), destination, load16(ports + 2), error);
  } else if (protocol == PROTOCOL_TCP) {
    tcpUnreachable(source, load16(ports), destination, load16(ports + 2), load32(ports + 4), error);
  }
}

function errorOf(code: u8): i32 {
  if (code == CODE_PORT) return ECONNREFUSED;
  if (code == CODE_HOST) return EHOSTUNREACH;
  if (code == CODE_PROTOCOL) return EPROTO;
  if (code == CODE_TOO_LARGE) return EMSGSIZE;
  return code == CODE_NETWORK ? ENETUNREACH : EHOSTUNREACH;
}

/** Tells a sender that nobody listens on the port. */
export function sendPortUnreachable(packet: Packet): void {
  if (isGroup(packet.destination)) return;
  const header = packet.network;
  const quoted = min(<u32>(packet.transport - header) + 8, <u32>load16(header + 2));
  const address = newPacket(quoted);
  if (address == 0) return;
  const answer = changetype<Packet>(address);
  memory.copy(answer.data, header, quoted);
  answer.length = quoted;
  const message = push(answer, HEADER_BYTES);
  store<u64>(message, 0);
  store<u8>(message, UNREACHABLE);
  store<u8>(message, CODE_PORT, 1);
  finish(message, answer.length);
  sendBack(answer, packet);
}
