/**
 * Where TCP segments go: to the channel of their connection, to a listener, or back with a reset.
 *
 * Neighbours: `ipv4.ts` calls it; `ports.ts` finds connections; `tcp-listener.ts` makes new ones.
 */
import { freePacket, Packet, packetBytes } from "../dev/packet";
import { IpAddress } from "../lib/ip-address";
import { load16, load32 } from "./bytes";
import { isOwnAddress } from "./addresses";
import { count, TCP_CHECKSUM_ERRORS, TCP_RECEIVED } from "./counters";
import { learnPathMtu } from "./path-mtu";
import { findFlow, tcpPorts } from "./ports";
import { SYN_RECEIVED, SYN_SENT, TcpConnection, TIME_WAIT } from "./tcp-connection";
import { hasWholeHeader } from "./tcp-input";
import { connectionRequested, cookieAnswered } from "./tcp-listener";
import { pathShrank, refuse } from "./tcp-output";
import { mergeSegment } from "./receive-merge";
import { ACK, before, FIN, isSegmentIntact, RST, SYN } from "./tcp-segment";
import { TcpSocket } from "./tcp-socket";

/** A segment arrived: takes the packet. Any context. */
export function tcpReceive(packet: Packet): void {
  // Broadcasts are no TCP (RFC 9293, section 3.9.2.3).
  if (!hasWholeHeader(packet) || !isOwnAddress(packet.destination)) {
    freePacket(packet);
    return;
  }
  count(TCP_RECEIVED);
  if (!mergeSegment(packet)) deliverSegment(packet);
}

/** A segment, perhaps several merged ones, for whoever it belongs to: takes the packet. */
export function deliverSegment(packet: Packet): void {
  const header = packet.data;
  const sourcePort = load16(header);
  const port = load16(header + 2);
  const flags = <u32>load<u8>(header, 13);
  const found = findFlow(packet.destination, port, packet.source, sourcePort);
  if (found != 0) {
    const connection = changetype<TcpConnection>(found);
    if (!makesRoom(connection, packet, flags)) {
      connection.arrived(packet);
      connection.release();
      return;
    }
    connection.release();
  }
  if (!isSegmentIntact(packet)) {
    count(TCP_CHECKSUM_ERRORS);
    freePacket(packet);
    return;
  }
  const kind = flags & (SYN | ACK | RST);
  if (kind == SYN || kind == ACK) {
    const listener = tcpPorts.find(
      packet.destination,
      port,
      packet.source,
      sourcePort,
      true,
      packet.origin,
    );
    if (listener != 0) {
      const socket = changetype<TcpSocket>(listener);
      const isTaken = kind == SYN || cookieAnswered(socket, packet);
      if (kind == SYN) connectionRequested(socket, packet);
      socket.release();
      if (isTaken) return;
    }
  }
  const dataBytes = packetBytes(packet) - (<u32>load<u8>(header, 12) >> 4) * 4;
  const count = dataBytes + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
  refuse(packet, load32(header + 4) + count, load32(header + 8), flags);
}

/** A new connection takes the place of one in TIME-WAIT (RFC 9293, section 3.6.1). */
function makesRoom(connection: TcpConnection, packet: Packet, flags: u32): bool {
  if (connection.state != TIME_WAIT || (flags & (SYN | ACK | RST)) != SYN) return false;
  if (!connection.lock.tryAcquire()) return false;
  const isNew =
    connection.state == TIME_WAIT && before(connection.receiveNext, load32(packet.data + 4));
  if (isNew) connection.finish(0);
  connection.leave();
  return isNew;
}

/**
 * A router says that a segment we sent was too long: believed if it was in flight (RFC 5927,
 * section 7.2).
 */
export function tcpPathChanged(
  source: IpAddress,
  sourcePort: u16,
  destination: IpAddress,
  destinationPort: u16,
  sequence: u32,
  mtuBytes: u32,
): void {
  const found = findFlow(source, sourcePort, destination, destinationPort);
  if (found == 0) return;
  const connection = changetype<TcpConnection>(found);
  connection.enter();
  const isInFlight =
    !before(sequence, connection.sendUnacknowledged) && before(sequence, connection.sendNext);
  if (isInFlight && mtuBytes != 0) {
    learnPathMtu(destination, mtuBytes);
    pathShrank(connection);
  }
  connection.leave();
  connection.release();
}

/** An ICMP error about a segment we sent; only those about a handshake end it (RFC 5927). */
export function tcpUnreachable(
  source: IpAddress,
  sourcePort: u16,
  destination: IpAddress,
  destinationPort: u16,
  sequence: u32,
  error: i32,
): void {
  const found = findFlow(source, sourcePort, destination, destinationPort);
  if (found == 0) return;
  const connection = changetype<TcpConnection>(found);
  connection.enter();
  if (
    (connection.state == SYN_SENT || connection.state == SYN_RECEIVED) &&
    sequence == connection.initialSend
  ) {
    connection.finish(error);
  }
  connection.leave();
  connection.release();
}
