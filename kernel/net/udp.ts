/**
 * UDP below the socket: RFC 768, RFC 1122 section 4.1. The receive path only finds the socket; the
 * checksum is verified by the thread that reads.
 *
 * Neighbours: `ipv4.ts`, `udp-socket.ts`, `ports.ts`; `udp-lite.ts` shares what is the same.
 */
import { freePacket, Packet, pull, push } from "../dev/packet";
import { CHECKSUM_VALID } from "../dev/packet";
import { EMSGSIZE } from "../lib/errno";
import { isBroadcast } from "./addresses";
import { addBytes, foldSum, load16, pseudoSum, store16 } from "./bytes";
import { newErrorPacket } from "./control-data";
import { count, UDP_ERRORS, UDP_NO_PORT, UDP_RECEIVED } from "./counters";
import { sendPortUnreachable } from "./icmp";
import { sendPortUnreachableV6 } from "./icmpv6";
import { ipSend, PROTOCOL_UDP } from "./ip";
import { PortTable, udpPorts } from "./ports";
import { copyPacket } from "./raw-socket";
import { Endpoint } from "./endpoint";
import { UdpSocket } from "./udp-socket";

export const UDP_HEADER_BYTES: u32 = 8;
export const UDP_PAYLOAD_MAX: u32 = 65507;

/** A datagram arrived: takes it. */
export function udpReceive(packet: Packet): void {
  const datagram = packet.data;
  const length = packet.length >= UDP_HEADER_BYTES ? <u32>load16(datagram + 4) : 0;
  if (length < UDP_HEADER_BYTES || length > packet.length) {
    count(UDP_ERRORS);
    freePacket(packet);
    return;
  }
  packet.length = length;
  if (handOver(packet, udpPorts)) {
    count(UDP_RECEIVED);
    return;
  }
  count(UDP_NO_PORT);
  if (isIntact(packet)) refuse(packet);
  else freePacket(packet);
}

/** Gives a datagram to the sockets of its port; false if there are none: then it is still there. */
export function handOver(packet: Packet, ports: PortTable): bool {
  const datagram = packet.data;
  if (packet.destination.isMulticast || isBroadcast(packet.destination)) {
    spread(packet, ports);
    return true;
  }
  const found = ports.find(
    packet.destination,
    load16(datagram + 2),
    packet.source,
    load16(datagram),
    false,
    packet.origin,
  );
  if (found == 0) return false;
  const socket = changetype<UdpSocket>(found);
  socket.arrived(packet);
  socket.release();
  return true;
}

/** Tells the sender that nobody is here. Takes the datagram. */
export function refuse(packet: Packet): void {
  if (packet.source.isV4) sendPortUnreachable(packet);
  else sendPortUnreachableV6(packet);
  freePacket(packet);
}

/** A datagram to a group or everybody: every socket that may have it gets a copy. Takes it. */
function spread(packet: Packet, ports: PortTable): void {
  ports.forPort(
    load16(packet.transport + 2),
    (endpoint: Endpoint, argument: usize) => {
      const arrived = changetype<Packet>(argument);
      const local = endpoint.localAddress;
      const remote = endpoint.remoteAddress;
      if (!endpoint.servesFamilyOf(arrived.destination)) return;
      if (!local.isAny && !local.equals(arrived.destination)) return;
      if (endpoint.boundTo != 0 && endpoint.boundTo != arrived.origin) return;
      if (endpoint.remotePort != 0) {
        if (endpoint.remotePort != load16(arrived.transport) || !remote.equals(arrived.source)) {
          return;
        }
      }
      const copied = copyPacket(arrived, false);
      if (copied != 0) changetype<UdpSocket>(endpoint).arrived(changetype<Packet>(copied));
    },
    changetype<usize>(packet),
  );
  freePacket(packet);
}

/** Verifies the checksum; over IPv4 0 means the sender made none. */
export function isIntact(packet: Packet): bool {
  if (packet.checksum == CHECKSUM_VALID) return true;
  // IPv6 has no datagrams without checksum (RFC 8200, section 8.1).
  if (load<u16>(packet.transport, 6) == 0) return packet.source.isV4;
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

/**
 * An ICMP error about a datagram we sent.
 * @param ports of UDP or UDP-Lite, whose headers have the ports in the same place
 * @param message its addresses are those of the datagram
 * @param header the datagram's header, `length` bytes of it and what follows
 */
export function udpFailed(
  ports: PortTable,
  message: Packet,
  header: usize,
  length: u32,
  error: i32,
  information: u32,
): void {
  const port = load16(header);
  const peerPort = load16(header + 2);
  const found = ports.find(message.source, port, message.destination, peerPort, false);
  if (found == 0) return;
  const socket = changetype<UdpSocket>(found);
  if (socket.options.reportsErrors) {
    const payload = header + UDP_HEADER_BYTES;
    const bytes = length - UDP_HEADER_BYTES;
    const queued = newErrorPacket(message, payload, bytes, peerPort, error, information);
    if (queued != 0) socket.queueError(changetype<Packet>(queued), error);
  } else if (socket.remotePort == peerPort && error != EMSGSIZE) {
    // Otherwise only connected sockets hear of it (RFC 1122, section 4.1.3.3; udp(7)).
    socket.failed(error);
  }
  socket.release();
}
