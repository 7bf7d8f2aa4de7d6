/**
 * Extension headers of IPv6: RFC 8200, section 4; fragments: RFC 6946 (atomic ones), RFC 5722.
 *
 *     header ─► hop-by-hop ─► destination ─► routing ─► fragment ─► destination ─► transport
 *
 * Each says in its first byte what comes next. Neighbours: `ipv6.ts`, `fragments.ts`, `icmpv6.ts`.
 */
import { freePacket, Packet, pull } from "../dev/packet";
import { load16, load32 } from "./bytes";
import { count, IP_DELIVERED, IP_FRAGMENTS_RECEIVED, IP_REASSEMBLED, OF_V6 } from "./counters";
import { reassemble } from "./fragments";
import { icmpv6Receive, sendParameterProblem } from "./icmpv6";
import { Interface } from "./interface";
import { PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_UDPLITE } from "./ip";
import { rawDeliver } from "./raw-socket";
import { tcpReceive } from "./tcp-receive";
import { udpReceive } from "./udp";
import { udpLiteReceive } from "./udp-lite";

export const EXTENSION_HOP_BY_HOP: u8 = 0;
const EXTENSION_ROUTING: u8 = 43;
export const EXTENSION_FRAGMENT: u8 = 44;
const EXTENSION_NONE: u8 = 59;
const EXTENSION_DESTINATION: u8 = 60;

const FRAGMENT_BYTES: u32 = 8;
const MORE_FRAGMENTS: u16 = 1;
/** Extension headers of one packet, so that nobody makes us walk for long. */
const HEADERS_MAX: i32 = 16;

const OPTION_PAD: u8 = 0;
/** What to do with an unknown option: the two highest bits of its type (section 4.2). */
const ACTION_SKIP: u8 = 0;
const ACTION_DISCARD: u8 = 1;
const ACTION_TELL_UNLESS_GROUP: u8 = 3;

// Codes of a parameter problem (RFC 4443, section 3.4).
const PROBLEM_FIELD: u8 = 0;
const PROBLEM_NEXT_HEADER: u8 = 1;
const PROBLEM_OPTION: u8 = 2;

/**
 * Walks the headers of a packet whose `data` is behind its IPv6 header, and delivers it: takes it.
 * @param nextField address of the byte that says what `data` is
 */
export function deliverExtended(from: Interface, packet: Packet, nextField: usize): void {
  let current = packet;
  let field = nextField;
  for (let i = 0; i < HEADERS_MAX; i++) {
    const next = load<u8>(field);
    if (next == EXTENSION_FRAGMENT) {
      const whole = takeFragment(current);
      if (whole == 0) return;
      current = changetype<Packet>(whole);
      field = current.data - FRAGMENT_BYTES;
      continue;
    }
    const isOptions = next == EXTENSION_DESTINATION || (next == EXTENSION_HOP_BY_HOP && i == 0);
    if (!isOptions && next != EXTENSION_ROUTING) {
      deliver(from, current, next, field);
      return;
    }
    const bytes = current.length >= 8 ? (<u32>load<u8>(current.data, 1) + 1) * 8 : 8;
    if (bytes > current.length) break;
    if (isOptions ? !acceptsOptions(current, bytes) : !acceptsRouting(current)) return;
    field = current.data;
    pull(current, bytes);
  }
  freePacket(current);
}

function deliver(from: Interface, packet: Packet, protocol: u8, field: usize): void {
  count(OF_V6 + IP_DELIVERED);
  packet.transport = packet.data;
  const isWanted = rawDeliver(packet, protocol);
  if (protocol == PROTOCOL_TCP) tcpReceive(packet);
  else if (protocol == PROTOCOL_UDP) udpReceive(packet);
  else if (protocol == PROTOCOL_UDPLITE) udpLiteReceive(packet);
  else if (protocol == PROTOCOL_ICMPV6) icmpv6Receive(from, packet);
  else if (protocol == EXTENSION_NONE || isWanted) freePacket(packet);
  else sendParameterProblem(packet, PROBLEM_NEXT_HEADER, <u32>(field - packet.network));
}

/** Looks through the options of a header; false if the packet has been dropped for one. */
function acceptsOptions(packet: Packet, bytes: u32): bool {
  const end = packet.data + bytes;
  let at = packet.data + 2;
  while (at < end) {
    const type = load<u8>(at);
    if (type == OPTION_PAD) {
      at++;
      continue;
    }
    const length = at + 1 < end ? <usize>load<u8>(at, 1) : bytes;
    const action = type >> 6;
    if (at + 2 + length > end || action == ACTION_DISCARD) {
      freePacket(packet);
      return false;
    }
    if (action != ACTION_SKIP) {
      const isTold = action != ACTION_TELL_UNLESS_GROUP || !packet.destination.isMulticast;
      if (isTold) sendParameterProblem(packet, PROBLEM_OPTION, <u32>(at - packet.network));
      else freePacket(packet);
      return false;
    }
    at += 2 + length;
  }
  return true;
}

/** A routing header that has been followed to its end is nothing to us (section 4.4; RFC 5095). */
function acceptsRouting(packet: Packet): bool {
  if (load<u8>(packet.data, 3) == 0) return true;
  sendParameterProblem(packet, PROBLEM_FIELD, <u32>(packet.data + 2 - packet.network));
  return false;
}

/**
 * Takes a fragment, `data` at its header.
 * @returns the whole Packet, `data` behind the fragment header, or 0
 */
function takeFragment(packet: Packet): usize {
  if (packet.length < FRAGMENT_BYTES) {
    freePacket(packet);
    return 0;
  }
  const place = load16(packet.data + 2);
  const identification = load32(packet.data + 4);
  const offset = <u32>(place & ~7);
  const hasMore = (place & MORE_FRAGMENTS) != 0;
  pull(packet, FRAGMENT_BYTES);
  if (offset == 0 && !hasMore) return changetype<usize>(packet);
  count(OF_V6 + IP_FRAGMENTS_RECEIVED);
  const headerBytes = <u32>(packet.data - packet.network);
  packet.data = packet.network;
  packet.length += headerBytes;
  const result = reassemble(packet, headerBytes, offset, hasMore, identification);
  if (result == 0) return 0;
  count(OF_V6 + IP_REASSEMBLED);
  const whole = changetype<Packet>(result);
  whole.network = whole.data;
  pull(whole, whole.headerBytes);
  return result;
}
