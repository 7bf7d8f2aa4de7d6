/**
 * Explicit congestion notification for TCP: RFC 3168, section 6.1. Used if the peer asks for it with its
 * SYN, as Linux does by default (ip-sysctl, tcp_ecn = 2); connections that begin here do not ask.
 *
 *     router: CE in a data packet ─► receiver: ECE in every acknowledgement ─► sender: window shrinks
 *                                     until it sees CWR ◄── CWR with the next new data ──┘
 *
 * Lock: the connection's. Neighbours: `tcp-listener.ts`, `tcp-input.ts`, `tcp-output.ts`.
 */
import { Packet } from "../dev/packet";
import { TcpConnection } from "./tcp-connection";
import { before, CWR, ECE } from "./tcp-segment";

/** The two lowest bits of the traffic class: ECT(0), and CE. */
export const ECN_CAPABLE: u8 = 2;
const CONGESTION_EXPERIENCED: u8 = 3;
const ECN_MASK: u8 = 3;

/** The ECN bits of a packet's IP header. */
function ecnBits(packet: Packet): u8 {
  const second = load<u8>(packet.network, 1);
  return (packet.source.isV4 ? second : second >> 4) & ECN_MASK;
}

/** True if a SYN asks for ECN (section 6.1.1). @param flags of its header */
export function asksForEcn(flags: u32): bool {
  return (flags & (ECE | CWR)) == (ECE | CWR);
}

/** The traffic class of a segment of the connection. @param isNewData and not a repetition */
export function trafficClassOf(c: TcpConnection, isNewData: bool): u8 {
  const service = c.typeOfService & ~ECN_MASK;
  return c.usesEcn && isNewData ? service | ECN_CAPABLE : service;
}

/** What a segment tells about congestion on the way of our peer's data, and of our own. */
export function noticeCongestion(c: TcpConnection, packet: Packet, flags: u32, bytes: u32): void {
  if ((flags & CWR) != 0) c.echoesCongestion = false;
  if (bytes > 0 && ecnBits(packet) == CONGESTION_EXPERIENCED) {
    c.echoesCongestion = true;
    c.ackNow = true;
  }
  // Once for a window of data (section 6.1.2).
  if ((flags & ECE) != 0 && !c.inRecovery && !before(c.sendUnacknowledged, c.recoverUntil)) {
    c.congestion.lost();
    c.recoverUntil = c.sendNext;
    c.tellsReduction = true;
  }
}
