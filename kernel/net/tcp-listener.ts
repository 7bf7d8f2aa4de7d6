/**
 * What a listening socket does with a connection request: makes the connection in SYN-RECEIVED and
 * answers (RFC 9293, section 3.10.7.2).
 *
 * The listener is not locked here: it counts its connections atomically, and has a lock of its own
 * for those that wait to be accepted. So the handshake never takes two connections' locks at once in
 * the other order. Neighbours: `tcp-receive.ts`, `tcp-socket.ts`.
 */
import { freePacket, Packet } from "../dev/packet";
import { randomU64 } from "../dev/random";
import { free } from "../lib/object";
import { monotonicNs } from "../sched/clock";
import { load16, load32 } from "./bytes";
import { count, TCP_LISTEN_DROPS, TCP_PASSIVE_OPENS } from "./counters";
import { pathPayloadBytes } from "./ip";
import { addFlow } from "./ports";
import { LISTEN, RECEIVE_SCALE, SYN_RECEIVED } from "./tcp-connection";
import { readCookie, sendCookie } from "./tcp-cookie";
import { asksForEcn } from "./tcp-ecn";
import { learnPeer } from "./tcp-input";
import { offerOptions, sendSyn } from "./tcp-output";
import { SegmentOptions, TCP_HEADER_BYTES } from "./tcp-segment";
import { TcpSocket } from "./tcp-socket";

/** How long after the last cookie acknowledgements are looked at as answers to one. */
const COOKIE_NS: u64 = 180_000_000_000;
/** The window that a cookie's segment tells. */
const COOKIE_WINDOW: u32 = 65535;
const NS_PER_MS: u64 = 1_000_000;

/** A SYN for the listener: takes the packet. */
export function connectionRequested(listener: TcpSocket, packet: Packet): void {
  // When the backlog is full, the request is dropped; the client asks again.
  if (listener.state != LISTEN || listener.isBacklogFull) {
    count(TCP_LISTEN_DROPS);
    freePacket(packet);
    return;
  }
  if (!listener.countChild()) {
    answerWithCookie(listener, packet);
    freePacket(packet);
    return;
  }
  const random = randomU64();
  const child = newChild(listener, packet, <u32>random);
  child.timestampOffset = <u32>(random >> 32);
  child.usesEcn = asksForEcn(<u32>load<u8>(packet.data, 13));
  const options = child.segmentOptions;
  parseOptions(packet, options);
  learnPeer(child, load32(packet.data + 4), options);
  freePacket(packet);
  child.timedSinceNs = monotonicNs();
  if (enterChild(listener, child)) sendSyn(child);
  child.leave();
  // The reference of its birth goes to the accept queue when it is established; until then the
  // connection's own keeps it alive.
  child.release();
}

/** Too many handshakes are going on: nothing is kept of this one (`tcp-cookie.ts`). */
function answerWithCookie(listener: TcpSocket, packet: Packet): void {
  const options = new SegmentOptions();
  parseOptions(packet, options);
  listener.cookiesUntilNs = monotonicNs() + COOKIE_NS;
  const mss = pathPayloadBytes(packet.source) - TCP_HEADER_BYTES;
  sendCookie(packet, options, RECEIVE_SCALE, mss);
  free(options);
}

/**
 * An acknowledgement for nobody, which may answer a cookie: then the connection is made.
 * @returns false if it does not; otherwise the packet is taken
 */
export function cookieAnswered(listener: TcpSocket, packet: Packet): bool {
  if (listener.state != LISTEN || monotonicNs() > listener.cookiesUntilNs) return false;
  const options = new SegmentOptions();
  parseOptions(packet, options);
  const isOurs = readCookie(packet, options);
  if (isOurs) {
    if (listener.isBacklogFull) freePacket(packet);
    else makeFromCookie(listener, packet, options);
  }
  free(options);
  return isOurs;
}

function makeFromCookie(listener: TcpSocket, packet: Packet, options: SegmentOptions): void {
  const header = packet.data;
  const child = newChild(listener, packet, load32(header + 8) - 1);
  listener.countAnyChild();
  // The clock goes on from what the peer has seen.
  child.timestampOffset = options.timestampEcho - <u32>(monotonicNs() / NS_PER_MS);
  child.sendNext = child.initialSend + 1;
  learnPeer(child, load32(header + 4) - 1, options);
  child.advertisedEdge = child.receiveNext + COOKIE_WINDOW;
  const isEntered = enterChild(listener, child);
  child.leave();
  if (isEntered) child.arrived(packet);
  else freePacket(packet);
  child.release();
}

function parseOptions(packet: Packet, options: SegmentOptions): void {
  options.parse(packet.data, (<u32>load<u8>(packet.data, 12) >> 4) * 4);
}

/** A connection that a listener makes for the sender of a segment; its lock is taken. */
function newChild(listener: TcpSocket, packet: Packet, initialSend: u32): TcpSocket {
  const child = new TcpSocket(listener.family);
  child.localAddress.copyFrom(packet.destination);
  child.localPort = load16(packet.data + 2);
  child.remoteAddress.copyFrom(packet.source);
  child.remotePort = load16(packet.data);
  listener.bequeath(child);
  child.enter();
  offerOptions(child);
  child.initialSend = initialSend;
  child.sendUnacknowledged = initialSend;
  child.sendNext = initialSend;
  return child;
}

/** Makes a child known; false if another CPU was faster with the same request. */
function enterChild(listener: TcpSocket, child: TcpSocket): bool {
  if (!addFlow(child)) {
    listener.childLost();
    return false;
  }
  child.state = SYN_RECEIVED;
  count(TCP_PASSIVE_OPENS);
  listener.retain();
  child.listener = listener;
  child.begin();
  return true;
}
