/**
 * What ICMP errors of both families mean to sockets: icmp(7), RFC 1122 section 3.2.2, RFC 4443.
 *
 * Neighbours: `icmp.ts`, `icmpv6.ts` call it; `udp.ts`, `tcp-receive.ts`, `raw-socket.ts` are told.
 */
import { Packet } from "../dev/packet";
import {
  EACCES,
  ECONNREFUSED,
  EHOSTUNREACH,
  EMSGSIZE,
  ENETUNREACH,
  ENOPROTOOPT,
  EOPNOTSUPP,
  EPROTO,
} from "../lib/errno";
import { load16, load32 } from "./bytes";
import { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_UDPLITE } from "./ip";
import { learnPathMtu } from "./path-mtu";
import { rawFailed } from "./raw-socket";
import { tcpPathChanged, tcpUnreachable } from "./tcp-receive";
import { udpLitePorts, udpPorts } from "./ports";
import { udpFailed } from "./udp";

// Types and codes of ICMP (RFC 792, RFC 1812).
const V4_UNREACHABLE: u8 = 3;
const V4_PARAMETER: u8 = 12;
// Of ICMPv6 (RFC 4443).
const V6_UNREACHABLE: u8 = 1;
const V6_TOO_BIG: u8 = 2;
const V6_PARAMETER: u8 = 4;

/** Bytes of the transport header that every error quotes. */
const QUOTED_BYTES: u32 = 8;

/**
 * Tells the socket that sent the quoted packet.
 * @param packet the message; its addresses are those of the quoted packet by now
 * @param transport address of the quoted transport header, of which `length` bytes are there
 * @param mtu what the message says about the next hop's MTU, if it is about that
 */
export function deliverError(
  packet: Packet,
  protocol: u8,
  transport: usize,
  length: u32,
  mtu: u32,
): void {
  if (length < QUOTED_BYTES) return;
  const type = load<u8>(packet.data);
  const code = load<u8>(packet.data, 1);
  const isV4 = packet.destination.isV4;
  const error = isV4 ? errorOfV4(type, code) : errorOfV6(type, code);
  const source = packet.source;
  const destination = packet.destination;
  const port = load16(transport);
  const peerPort = load16(transport + 2);
  const isTooBig = error == EMSGSIZE;
  if (protocol == PROTOCOL_TCP) {
    const sequence = load32(transport + 4);
    if (isTooBig) tcpPathChanged(source, port, destination, peerPort, sequence, mtu);
    else tcpUnreachable(source, port, destination, peerPort, sequence, error);
  } else if (isTooBig && mtu != 0) learnPathMtu(destination, mtu);
  const information = isTooBig ? mtu : 0;
  const isLite = protocol == PROTOCOL_UDPLITE;
  if (isLite || protocol == PROTOCOL_UDP) {
    udpFailed(isLite ? udpLitePorts : udpPorts, packet, transport, length, error, information);
  }
  rawFailed(packet, protocol, transport, length, error, information);
}

/** As icmp(7) and Linux's table have it. */
function errorOfV4(type: u8, code: u8): i32 {
  if (type == V4_PARAMETER) return EPROTO;
  if (type != V4_UNREACHABLE) return EHOSTUNREACH;
  switch (code) {
    case 0:
    case 6:
    case 9:
    case 11:
      return ENETUNREACH;
    case 2:
      return ENOPROTOOPT;
    case 3:
      return ECONNREFUSED;
    case 4:
      return EMSGSIZE;
    case 5:
      return EOPNOTSUPP;
  }
  return EHOSTUNREACH;
}

function errorOfV6(type: u8, code: u8): i32 {
  if (type == V6_TOO_BIG) return EMSGSIZE;
  if (type == V6_PARAMETER) return EPROTO;
  if (type != V6_UNREACHABLE) return EHOSTUNREACH;
  switch (code) {
    case 0:
      return ENETUNREACH;
    case 1:
      return EACCES;
    case 4:
      return ECONNREFUSED;
  }
  return EHOSTUNREACH;
}
