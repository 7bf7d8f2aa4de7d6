/**
 * The network layer as transport protocols see it: one way to send for both families.
 *
 * Neighbours: `ipv4.ts`; `tcp-output.ts`, `udp.ts`, `icmp.ts` above.
 */
import { freePacket, Packet } from "../dev/packet";
import { ENETUNREACH } from "../lib/errno";
import { IpAddress } from "../lib/ip-address";
import { routeTo } from "./interface";
import { IPV4_HEADER_BYTES, ipv4Send } from "./ipv4";

export const PROTOCOL_ICMP: u8 = 1;
export const PROTOCOL_TCP: u8 = 6;
export const PROTOCOL_UDP: u8 = 17;

/** Largest packet with its header, and the size that is assumed where nothing is known. */
const PACKET_MAX: u32 = 65535;
const PACKET_DEFAULT: u32 = 576;

/**
 * Sends a transport packet from `packet.source` to `packet.destination`; takes it in any case.
 * @param hopLimit 0 = the default
 * @returns 0, or -ENETUNREACH, -EMSGSIZE, -ENOBUFS
 */
export function ipSend(packet: Packet, protocol: u8, hopLimit: u8 = 0, trafficClass: u8 = 0): i32 {
  if (packet.destination.isV4) return ipv4Send(packet, protocol, hopLimit, trafficClass);
  freePacket(packet);
  return -ENETUNREACH;
}

/** Bytes of payload that go to `destination` in one packet. */
export function pathPayloadBytes(destination: IpAddress): u32 {
  const through = routeTo(destination);
  return (through ? min(through.mtuBytes, PACKET_MAX) : PACKET_DEFAULT) - IPV4_HEADER_BYTES;
}
