/**
 * The order of received bytes: what comes next goes to the application's queue, what comes early is
 * kept aside, what came already is cut off (RFC 9293, section 3.10.7.4, seventh step).
 *
 * Packets are queued as they came. A payload that fits behind the last packet's is copied there, and
 * a small one that is kept aside goes to a small block, so that many small segments do not hold a
 * buffer each. Lock: the connection's.
 * Neighbour: `tcp-input.ts`.
 */
import { blockBytes, compacted, freePacket, Packet, pull } from "../dev/packet";
import { hold, letGo, receiveLimit } from "./tcp-buffers";
import { TcpConnection } from "./tcp-connection";
import { before } from "./tcp-segment";

/** Payloads up to this size are copied behind others. */
const COPY_MAX: u32 = 512;
/** A packet set aside costs at least this much of the receive buffer. */
const AHEAD_COST: u32 = 512;
const FLAG_FIN: u8 = 1;

/** Takes a segment's payload, cut to the window, and notes its FIN. */
export function takePayload(c: TcpConnection, packet: Packet, isFin: bool): void {
  if (c.finReceived) {
    // Nothing comes after a FIN; what does is a duplicate.
    if (packet.length > 0 || isFin) c.ackNow = true;
    freePacket(packet);
    return;
  }
  let fin = isFin;
  if (before(packet.sequence, c.receiveNext)) {
    const old = min(c.receiveNext - packet.sequence, packet.length);
    if (old > 0) c.ackNow = true;
    pull(packet, old);
    packet.sequence += old;
  }
  if (before(c.advertisedEdge, packet.sequence + packet.length)) {
    const keep = before(packet.sequence, c.advertisedEdge) ? c.advertisedEdge - packet.sequence : 0;
    packet.length = min(keep, packet.length);
    fin = false;
    c.ackNow = true;
  }
  if (packet.length == 0 && !fin) {
    freePacket(packet);
    return;
  }
  packet.flags = fin ? FLAG_FIN : 0;
  if (packet.sequence != c.receiveNext) {
    setAside(c, packet);
    c.ackNow = true;
    return;
  }
  const hadAhead = c.aheadFirst != 0;
  accept(c, packet);
  while (c.aheadFirst != 0 && !before(c.receiveNext, changetype<Packet>(c.aheadFirst).sequence)) {
    const next = changetype<Packet>(c.aheadFirst);
    c.aheadFirst = next.next;
    c.aheadBytes -= max(next.length, AHEAD_COST);
    next.next = 0;
    const old = c.receiveNext - next.sequence;
    if (old >= next.length && !(next.flags == FLAG_FIN && old == next.length)) letGo(c, next);
    else {
      c.heldBytes -= blockBytes(next);
      pull(next, old);
      next.sequence += old;
      accept(c, next);
    }
  }
  // Filling a hole is told at once (RFC 5681, section 4.2).
  if (hadAhead) c.ackNow = true;
  else c.ackLater = true;
  c.hasNews = true;
}

/** Appends the packet that is next in order. */
function accept(c: TcpConnection, packet: Packet): void {
  c.receiveNext += packet.length;
  if (packet.flags == FLAG_FIN) {
    c.receiveNext++;
    c.finReceived = true;
  }
  if (packet.length == 0 || c.isReadShut) {
    freePacket(packet);
    return;
  }
  c.incomingBytes += packet.length;
  if (c.incomingLast != 0) {
    const last = changetype<Packet>(c.incomingLast);
    const end = last.data + last.length;
    if (packet.length <= COPY_MAX && end + packet.length <= last.end) {
      memory.copy(end, packet.data, packet.length);
      last.length += packet.length;
      freePacket(packet);
      return;
    }
    last.next = changetype<usize>(packet);
  } else c.incomingFirst = changetype<usize>(packet);
  c.incomingLast = changetype<usize>(packet);
  hold(c, packet);
}

/** Keeps a packet until what is before it has come. */
function setAside(c: TcpConnection, early: Packet): void {
  const cost = max(early.length, AHEAD_COST);
  if (c.aheadBytes + cost > receiveLimit(c)) {
    freePacket(early);
    return;
  }
  const packet = compacted(early);
  let previous: usize = 0;
  let at = c.aheadFirst;
  while (at != 0 && before(changetype<Packet>(at).sequence, packet.sequence)) {
    previous = at;
    at = changetype<Packet>(at).next;
  }
  // What overlaps is cut when its turn comes; only exact repetitions are dropped here.
  if (at != 0) {
    const same = changetype<Packet>(at);
    if (same.sequence == packet.sequence && same.length >= packet.length) {
      if (packet.flags == FLAG_FIN && same.length == packet.length) same.flags = FLAG_FIN;
      freePacket(packet);
      return;
    }
  }
  packet.next = at;
  if (previous != 0) changetype<Packet>(previous).next = changetype<usize>(packet);
  else c.aheadFirst = changetype<usize>(packet);
  c.aheadBytes += cost;
  hold(c, packet);
  c.aheadLatest = packet.sequence;
}
