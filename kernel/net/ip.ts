/**
 * The network layer as transport protocols see it: one way to send for both families.
 *
 * Neighbours: `ipv4.ts`, `ipv6.ts`, `routes.ts`; `tcp-output.ts`, `udp.ts`, `icmp.ts` above.
 */
import { freePacket, Packet } from "../dev/packet";
import { ENETUNREACH } from "../lib/errno";
import { IpAddress } from "../lib/ip-address";
import { count, ICMP_SENT, IP_NO_ROUTE, IP_SENT, OF_V6, TCP_SENT, UDP_SENT } from "./counters";
import { Interface } from "./interface";
import { IPV4_HEADER_BYTES, ipv4Send } from "./ipv4";
import { IPV6_HEADER_BYTES, ipv6Send } from "./ipv6";
import { pathMtu } from "./path-mtu";
import { findRoute } from "./routes";

export const PROTOCOL_ICMP: u8 = 1;
export const PROTOCOL_IGMP: u8 = 2;
export const PROTOCOL_TCP: u8 = 6;
export const PROTOCOL_UDP: u8 = 17;
export const PROTOCOL_UDPLITE: u8 = 136;
export const PROTOCOL_ICMPV6: u8 = 58;

/** Largest packet with its header, and the size that is assumed where nothing is known. */
const PACKET_MAX: u32 = 65535;
const PACKET_DEFAULT: u32 = 576;

/**
 * Sends a transport packet from `packet.source` to `packet.destination`; takes it in any case. If
 * `packet.origin` is set, it leaves by that interface.
 * @param hopLimit 0 = the default
 * @returns 0, or -ENETUNREACH, -EMSGSIZE, -ENOBUFS
 */
export function ipSend(packet: Packet, protocol: u8, hopLimit: u8 = 0, trafficClass: u8 = 0): i32 {
  const destination = packet.destination;
  const route = findRoute(destination, changetype<Interface | null>(packet.origin));
  const isV4 = destination.isV4;
  if (!route) {
    count(isV4 ? IP_NO_ROUTE : OF_V6 + IP_NO_ROUTE);
    freePacket(packet);
    return -ENETUNREACH;
  }
  count(isV4 ? IP_SENT : OF_V6 + IP_SENT);
  countTransport(protocol);
  if (isV4) return ipv4Send(packet, route, protocol, hopLimit, trafficClass);
  return ipv6Send(packet, route, protocol, hopLimit, trafficClass);
}

function countTransport(protocol: u8): void {
  if (protocol == PROTOCOL_TCP) count(TCP_SENT);
  else if (protocol == PROTOCOL_UDP) count(UDP_SENT);
  else if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6) count(ICMP_SENT);
}

/** Bytes of the header in front of the payload. */
export function ipHeaderBytes(destination: IpAddress): u32 {
  return destination.isV4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
}

/** Bytes of payload that go to `destination` in one packet. */
export function pathPayloadBytes(destination: IpAddress): u32 {
  const route = findRoute(destination, null);
  const mtu = route ? min(pathMtu(route, destination), PACKET_MAX) : PACKET_DEFAULT;
  return mtu - ipHeaderBytes(destination);
}
