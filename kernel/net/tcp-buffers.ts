/**
 * How much a TCP connection may hold, and all of them together.
 *
 * A send buffer grows with the congestion window, so that a window of data can be on its way while
 * the next one waits; a receive window grows when the application reads a whole one in a round trip
 * (dynamic right-sizing). SO_SNDBUF and SO_RCVBUF fix the sizes. Memory is used only when filled.
 *
 * What all connections hold is counted in units, so that those with little never touch the shared
 * counter; beyond the limit, windows close and send buffers shrink to the least that works. Received
 * packets count with all memory they keep: a peer that sends bytes one by one pays for pages.
 *
 * Lock: the connection's; the shared counter is atomic. Neighbours: `tcp-output.ts`,
 * `tcp-socket.ts`.
 */
import { blockBytes, freePacket, Packet } from "../dev/packet";
import { PAGE_SIZE } from "../mm/layout";
import { monotonicNs } from "../sched/clock";
import { TcpConnection } from "./tcp-connection";

const SEND_MAX: u32 = 4 * 1024 * 1024;
/** Fits the window field with the scale that is offered. */
const RECEIVE_MAX: u32 = 6 * 1024 * 1024;
/** What a connection may hold when memory is short. */
const SHORT_BYTES: u32 = 32 * 1024;
const UNIT_SHIFT: u32 = 16;

const unitsHeld = memory.data(8);
let unitsMax: u64 = u64.MAX_VALUE;

/** Sets what all connections together may hold, in bytes. */
export function limitTcpMemory(bytes: u64): void {
  unitsMax = bytes >> UNIT_SHIFT;
}

/** True if the connections together hold what they may. */
function isMemoryShort(): bool {
  return atomic.load<u64>(unitsHeld) >= unitsMax;
}

/** Pages that a connection's data fills; one with little counts, as on Linux, for a page. */
export function heldPages(c: TcpConnection): u32 {
  return <u32>((<usize>c.outgoing.length + c.heldBytes + PAGE_SIZE - 1) / PAGE_SIZE);
}

/** A packet goes to one of the connection's queues. */
export function hold(c: TcpConnection, packet: Packet): void {
  c.heldBytes += blockBytes(packet);
}

/** A packet has left the queues: frees it. */
export function letGo(c: TcpConnection, packet: Packet): void {
  c.heldBytes -= blockBytes(packet);
  freePacket(packet);
}

/** Frees the packets of a queue, linked by `next`. */
export function letGoAll(c: TcpConnection, first: usize): void {
  let at = first;
  while (at != 0) {
    const packet = changetype<Packet>(at);
    at = packet.next;
    letGo(c, packet);
  }
}

/** Counts what the connection holds now. */
export function chargeMemory(c: TcpConnection): void {
  const units = (c.outgoing.length + c.heldBytes) >> UNIT_SHIFT;
  if (units == c.chargedUnits) return;
  atomic.add<u64>(unitsHeld, <u64>units - <u64>c.chargedUnits);
  c.chargedUnits = units;
}

/** Bytes that the send buffer may hold. */
export function sendLimit(c: TcpConnection): u32 {
  if (isMemoryShort()) return min(c.options.sendBytes, SHORT_BYTES);
  if (c.options.sendIsFixed) return c.options.sendBytes;
  return max(c.options.sendBytes, min(2 * c.congestion.window, SEND_MAX));
}

/** Bytes of the send buffer that have not been sent once. */
export function notSentBytes(c: TcpConnection): u32 {
  return c.outgoing.length - min(c.outgoing.length, c.sendNext - c.sendUnacknowledged);
}

/** True if poll(2) may say that there is room, as far as TCP_NOTSENT_LOWAT goes: below half of it. */
export function isNotSentLow(c: TcpConnection): bool {
  return c.notSentLimit == u32.MAX_VALUE || 2 * <u64>notSentBytes(c) < <u64>c.notSentLimit;
}

/** Bytes that the receive queue may hold. */
export function receiveLimit(c: TcpConnection): u32 {
  const bytes = min(c.options.receiveBytes, c.windowLimit);
  return isMemoryShort() ? min(bytes, SHORT_BYTES) : bytes;
}

/** The application has taken `bytes`: the receive buffer grows if it was what limited the peer. */
export function tuneReceive(c: TcpConnection, bytes: u32): void {
  if (c.options.receiveIsFixed) return;
  c.tuneBytes += bytes;
  // Not worth the clock before half a window.
  if (c.tuneBytes < c.options.receiveBytes / 2) return;
  const nowNs = monotonicNs();
  if (nowNs - c.tuneSinceNs <= 2 * c.congestion.smoothedNs && !isMemoryShort()) {
    c.options.receiveBytes = min(2 * c.options.receiveBytes, RECEIVE_MAX);
  }
  c.tuneSinceNs = nowNs;
  c.tuneBytes = 0;
}
