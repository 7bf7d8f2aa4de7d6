/**
 * UDP below the socket: RFC 768, RFC 1122 section 4.1. The receive path only finds the socket; the
 * checksum is verified by the thread that reads.
 *
 * Neighbours: `ipv4.ts`, `udp-socket.ts`, `ports.ts`.
 */
import { freePacket, Packet, pull, push } from "../dev/packet";
import { CHECKSUM_VALID } from "../dev/packet";
import { IpAddress } from "../lib/ip-address";
import { addBytes, foldSum, load16, pseudoSum, store16 } from "./bytes";
import { sendPortUnreachable } from "./icmp";
import { ipSend, PROTOCOL_UDP } from "./ip";
import { udpPorts } from "./ports";
import { UdpSocket } from "./udp-socket";

export const UDP_HEADER_BYTES: u32 = 8;
export const UDP_PAYLOAD_MAX: u32 = 65507;

/** A datagram arrived: takes it. */
export function udpReceive(packet: Packet): void {
  const datagram = packet.data;
  const length = packet.length >= UDP_HEADER_BYTES ? <u32>load16(datagram + 4) : 0;
  if (length < UDP_HEADER_BYTES || length > packet.length) {
    freePacket(packet);
    return;
  }
  packet.length = length;
  const found = udpPorts.find(
    packet.destination,
    load16(datagram + 2),
    packet.source,
    load16(datagram),
    false,
  );
  if (found == 0) {
    if (isIntact(packet)) sendPortUnreachable(packet);
    freePacket(packet);
    return;
  }
  const socket = changetype<UdpSocket>(found);
  socket.arrived(packet);
  socket.release();
}

/** Verifies the checksum; 0 means the sender made none. */
export function isIntact(packet: Packet): bool {
  if (packet.checksum == CHECKSUM_VALID || load<u16>(packet.transport, 6) == 0) return true;
  const length = packet.length;
  const sum = pseudoSum(packet.source, packet.destination, PROTOCOL_UDP, length);
  return foldSum(addBytes(packet.transport, length, sum)) == 0xffff;
}

/** Takes the header off a datagram whose checksum is right; notes its source port. */
export function openDatagram(packet: Packet): void {
  packet.sequence = <u32>load16(packet.transport);
  pull(packet, UDP_HEADER_BYTES);
}

/** Sends a payload whose addresses are set, and takes it. @returns 0 or a negative error */
export function udpSend(
  packet: Packet,
  sourcePort: u16,
  destinationPort: u16,
  hopLimit: u8,
  trafficClass: u8,
): i32 {
  const header = push(packet, UDP_HEADER_BYTES);
  const length = packet.length;
  store16(header, sourcePort);
  store16(header + 2, destinationPort);
  store16(header + 4, length);
  store<u16>(header, 0, 6);
  const sum = pseudoSum(packet.source, packet.destination, PROTOCOL_UDP, length);
  const checksum = <u16>~foldSum(addBytes(header, length, sum));
  store<u16>(header, checksum != 0 ? checksum : 0xffff, 6);
  packet.transport = header;
  return ipSend(packet, PROTOCOL_UDP, hopLimit, trafficClass);
}

/** An ICMP error about a datagram we sent. */
export function udpUnreachable(
  source: IpAddress,
  sourcePort: u16,
  destination: IpAddress,
  destinationPort: u16,
  error: i32,
): void {
  const found = udpPorts.find(source, sourcePort, destination, destinationPort, false);
  if (found == 0) return;
  const socket = changetype<UdpSocket>(found);
  // Only connected sockets hear of it (RFC 1122, section 4.1.3.3; udp(7)).
  if (socket.remotePort == destinationPort) socket.failed(error);
  socket.release();
}
