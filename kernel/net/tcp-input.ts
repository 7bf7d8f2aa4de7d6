/**
 * What TCP does with a segment: RFC 9293 section 3.10.7, with the checks of RFC 5961 (challenge
 * acknowledgements) and RFC 7323 (PAWS).
 *
 * Runs with the connection's lock held, in whatever context works off the channel.
 * Neighbours: `tcp-connection.ts`, `tcp-output.ts`, `tcp-reassembly.ts`.
 */
import { freePacket, Packet, packetBytes, pull } from "../dev/packet";
import { ECONNREFUSED, ECONNRESET, EPIPE } from "../lib/errno";
import { monotonicNs } from "../sched/clock";
import { load16, load32 } from "./bytes";
import { sendLimit } from "./tcp-buffers";
import {
  CLOSED,
  CLOSE_WAIT,
  CLOSING,
  ESTABLISHED,
  FIN_WAIT_1,
  FIN_WAIT_2,
  LAST_ACK,
  SYN_RECEIVED,
  SYN_SENT,
  TcpConnection,
  TIME_WAIT,
} from "./tcp-connection";
import {
  inFlight,
  learnRoute,
  localMss,
  output,
  refuse,
  sendAck,
  sendReset,
  sendSyn,
} from "./tcp-output";
import { noticeCongestion } from "./tcp-ecn";
import { setEnding, WAITING } from "./tcp-ending";
import { leaveRecovery, noticeLoss, scheduleProbe } from "./tcp-recovery";
import { takePayload } from "./tcp-reassembly";
import {
  ACK,
  before,
  DEFAULT_MSS,
  FIN,
  isSegmentIntact,
  RST,
  SegmentOptions,
  SYN,
  TCP_HEADER_BYTES,
} from "./tcp-segment";

const TIME_WAIT_NS: u64 = 60_000_000_000;
const ORPHAN_WAIT_NS: u64 = 60_000_000_000;
const NS_PER_SECOND: u64 = 1_000_000_000;
/** Challenges of a connection are at least so far apart. */
const CHALLENGE_NS: u64 = 500_000_000;
const MSS_MIN: u32 = 88;

/** Works off the channel, then sends what follows from it. The lock is held. */
export function processChannel(c: TcpConnection): void {
  const isAsked = c.takeOutputRequest();
  let address = c.takeChannel();
  if (address == 0 && !isAsked) return;
  const options = c.segmentOptions;
  while (address != 0) {
    const packet = changetype<Packet>(address);
    address = packet.next;
    packet.next = 0;
    if (!isSegmentIntact(packet)) freePacket(packet);
    else segment(c, packet, options);
  }
  if (c.hasNews) {
    c.hasNews = false;
    c.changed.wakeForOne();
  }
  if (c.state == CLOSED) return;
  // Every second full segment is acknowledged at once (RFC 9293, section 3.8.6.3).
  if (c.ackLater && c.receiveNext - c.lastAckSent >= 2 * c.segmentBytes) c.ackNow = true;
  else if (c.ackLater && c.quickAcks != 0) {
    c.quickAcks--;
    c.ackNow = true;
  }
  if (c.listener) acceptDeferred(c);
  if (c.state == CLOSED) return;
  output(c);
  if (c.ackLater && c.state != CLOSED) c.timer.startDelayedAck();
}

/** Processes one segment: takes the packet. */
function segment(c: TcpConnection, packet: Packet, options: SegmentOptions): void {
  const header = packet.data;
  const headerBytes = (<u32>load<u8>(header, 12) >> 4) * 4;
  const sequence = load32(header + 4);
  const acknowledgement = load32(header + 8);
  const flags = <u32>load<u8>(header, 13);
  const window = <u32>load16(header + 14);
  options.parse(header, headerBytes);
  if (c.state == CLOSED) {
    refuse(packet, sequence + packetBytes(packet) - headerBytes, acknowledgement, flags);
    return;
  }
  if (c.state == SYN_SENT) {
    answerToSyn(c, sequence, acknowledgement, flags, window, options);
    freePacket(packet);
    return;
  }
  pull(packet, headerBytes);
  packet.sequence = sequence;
  const length = packetBytes(packet);
  const isReset = (flags & RST) != 0;
  if (c.usesTimestamps && options.hasTimestamps && !isReset) {
    // Protection against wrapped sequences (RFC 7323, section 5).
    if (before(options.timestamp, c.timestampRecent)) {
      challenge(c, length);
      freePacket(packet);
      return;
    }
  }
  if (!isAcceptable(c, sequence, length + ((flags & (SYN | FIN)) != 0 ? 1 : 0))) {
    if (!isReset) challenge(c, length + (flags & FIN));
    if (c.state == SYN_RECEIVED && (flags & SYN) != 0) {
      c.ackNow = false;
      sendSyn(c);
    }
    if (c.state == TIME_WAIT && (flags & FIN) != 0) c.timer.startEnd(TIME_WAIT_NS);
    freePacket(packet);
    return;
  }
  if (isReset) {
    // Only the exact number ends the connection (RFC 5961, section 3).
    if (sequence == c.receiveNext) reset(c);
    else challenge(c, 0);
    freePacket(packet);
    return;
  }
  if ((flags & SYN) != 0 || (flags & ACK) == 0) {
    if ((flags & SYN) != 0) challenge(c, 0); // RFC 5961, section 4
    freePacket(packet);
    return;
  }
  if (c.usesTimestamps && options.hasTimestamps && !before(c.lastAckSent, sequence)) {
    c.timestampRecent = options.timestamp;
  }
  c.heardNs = monotonicNs();
  c.keepSent = 0;
  if (c.state == SYN_RECEIVED) {
    if (acknowledgement != c.sendNext) {
      refuse(packet, sequence, acknowledgement, flags);
      return;
    }
    established(c, window);
    const parent = c.listener;
    if (parent && parent.defersSeconds != 0)
      c.timer.startEnd(<u64>parent.defersSeconds * NS_PER_SECOND);
    else offerToAccept(c);
    if (c.state == CLOSED) {
      freePacket(packet);
      return;
    }
  }
  if (!acknowledged(c, sequence, acknowledgement, window, length, options)) {
    freePacket(packet);
    return;
  }
  if (c.usesEcn) noticeCongestion(c, packet, flags, length);
  const isFin = (flags & FIN) != 0;
  if (c.isOrphan && length > 0 && before(c.receiveNext, sequence + length)) {
    // Data for an application that has closed the socket (RFC 9293, section 3.6.1).
    sendReset(c);
    c.finish(ECONNRESET);
    freePacket(packet);
    return;
  }
  takeParts(c, packet, isFin);
  if (c.finReceived) peerFinished(c);
}

/** Takes the payload of all parts of a segment; each becomes a packet of its own. */
function takeParts(c: TcpConnection, packet: Packet, isFin: bool): void {
  let part = packet;
  let next = packet.more;
  packet.more = 0;
  while (next != 0) {
    const following = changetype<Packet>(next);
    following.sequence = part.sequence + part.length;
    takePayload(c, part, false);
    part = following;
    next = part.next;
    part.next = 0;
  }
  takePayload(c, part, isFin);
}

/**
 * Answers a segment that does not fit with the numbers that would. Without data such answers are
 * limited in rate (RFC 5961, section 7): two ends that disagree would send them to and fro for ever.
 */
function challenge(c: TcpConnection, length: u32): void {
  const nowNs = monotonicNs();
  if (length == 0 && c.challengedNs != 0 && nowNs - c.challengedNs < CHALLENGE_NS) return;
  c.challengedNs = nowNs;
  c.ackNow = true;
}

/** Puts a connection whose handshake is over where accept(2) finds it. */
export function offerToAccept(c: TcpConnection): void {
  const parent = c.listener;
  if (!parent) return;
  c.listener = null;
  parent.childEstablished(c);
  parent.release();
}

/** TCP_DEFER_ACCEPT (tcp(7)): the listener hears of a connection when there is something to read. */
function acceptDeferred(c: TcpConnection): void {
  if (c.state == SYN_RECEIVED || (c.incomingBytes == 0 && !c.finReceived)) return;
  c.timer.endNs = 0;
  offerToAccept(c);
}

/** True if any number of the segment is in the window (RFC 9293, section 3.4). */
function isAcceptable(c: TcpConnection, sequence: u32, count: u32): bool {
  const windowEnd = before(c.receiveNext, c.advertisedEdge) ? c.advertisedEdge : c.receiveNext;
  if (count == 0) {
    // An acknowledgement at the right edge of a closed window counts.
    return !before(sequence, c.receiveNext) && !before(windowEnd, sequence);
  }
  return before(c.receiveNext, sequence + count) && before(sequence, windowEnd);
}

/** The answer to our SYN (RFC 9293, section 3.10.7.3). */
function answerToSyn(
  c: TcpConnection,
  sequence: u32,
  acknowledgement: u32,
  flags: u32,
  window: u32,
  options: SegmentOptions,
): void {
  const isAck = (flags & ACK) != 0 && acknowledgement == c.sendNext;
  if ((flags & ACK) != 0 && !isAck) return;
  if ((flags & RST) != 0) {
    if (isAck) c.finish(ECONNREFUSED);
    return;
  }
  if ((flags & SYN) == 0) return;
  learnPeer(c, sequence, options);
  if (!isAck) {
    // Both sides opened at once (section 3.5, figure 8).
    c.state = SYN_RECEIVED;
    sendSyn(c);
    return;
  }
  c.sendUnacknowledged = acknowledgement;
  established(c, window);
  c.windowSequence = sequence;
  c.windowAck = acknowledgement;
  c.ackNow = true;
}

/** Takes over what the peer's SYN says. */
export function learnPeer(c: TcpConnection, sequence: u32, options: SegmentOptions): void {
  c.initialReceive = sequence;
  c.receiveNext = sequence + 1;
  c.advertisedEdge = c.receiveNext;
  c.lastAckSent = c.receiveNext;
  c.windowSequence = sequence;
  if (options.scale >= 0) c.sendScale = <u32>options.scale;
  else c.receiveScale = 0;
  if (!options.hasTimestamps) c.usesTimestamps = false;
  else c.timestampRecent = options.timestamp;
  if (!options.permitsSack) c.usesSack = false;
  const mss = options.mss != 0 ? options.mss : DEFAULT_MSS;
  c.segmentBytes = max(min(mss, localMss(c)), MSS_MIN) - (c.usesTimestamps ? 12 : 0);
}

/** The handshake is complete; `window` is that of the last segment. */
function established(c: TcpConnection, window: u32): void {
  c.state = ESTABLISHED;
  c.wasConnected = true;
  c.retransmissions = 0;
  c.timer.retransmitNs = 0;
  c.heardNs = monotonicNs();
  if (c.timedSinceNs != 0) c.congestion.measured(c.heardNs - c.timedSinceNs);
  c.timedSinceNs = 0;
  c.sendUnacknowledged = c.initialSend + 1;
  c.sendNext = c.sendUnacknowledged;
  c.recoverUntil = c.sendUnacknowledged;
  c.sendWindow = window; // of a SYN: not scaled; otherwise set again by `acknowledged`
  c.sendWindowMax = window;
  c.windowAck = c.sendUnacknowledged;
  c.congestion.start(c.segmentBytes);
  learnRoute(c);
  if (c.options.keepsAlive) c.timer.startKeepAlive(c.keepIdleSeconds);
  c.changed.wakeAll();
}

/** The peer gave the connection up. */
function reset(c: TcpConnection): void {
  let error: i32 = ECONNRESET;
  if (c.state == SYN_RECEIVED) error = ECONNREFUSED;
  else if (c.state == CLOSE_WAIT) error = EPIPE;
  else if (c.state == TIME_WAIT) error = 0;
  c.finish(error);
}

/**
 * The acknowledgement and the window (RFC 9293, section 3.10.7.4).
 * @returns false if the segment is to be dropped
 */
function acknowledged(
  c: TcpConnection,
  sequence: u32,
  acknowledgement: u32,
  window: u32,
  length: u32,
  options: SegmentOptions,
): bool {
  if (before(c.sendNext, acknowledgement)) {
    challenge(c, length);
    return false;
  }
  if (before(acknowledgement, c.sendUnacknowledged)) return true;
  const nowNs = c.heardNs;
  const sent = c.sent;
  sent.roundTripNs = 0;
  const reportsNews =
    c.usesSack &&
    options.sackCount > 0 &&
    sent.report(options.sackBlocks, options.sackCount, acknowledgement, c.sendNext, nowNs);
  const scaled = window << c.sendScale;
  const isUpdate =
    before(c.windowSequence, sequence) ||
    (c.windowSequence == sequence && !before(acknowledgement, c.windowAck));
  const windowBefore = c.sendWindow;
  if (isUpdate) {
    c.sendWindow = scaled;
    c.sendWindowMax = max(c.sendWindowMax, scaled);
    c.windowSequence = sequence;
    c.windowAck = acknowledgement;
  }
  const hasAdvanced = acknowledgement != c.sendUnacknowledged;
  const isDuplicate = !hasAdvanced && length == 0 && c.sendWindow == windowBefore && !sent.isEmpty;
  if (hasAdvanced) advanceUnacknowledged(c, acknowledgement, nowNs);
  if (c.state == CLOSED) return false;
  if (hasAdvanced || reportsNews || isDuplicate) {
    noticeLoss(c, hasAdvanced, isDuplicate, nowNs);
    if (hasAdvanced) scheduleProbe(c, nowNs);
  }
  if (c.timer.persistNs != 0 && c.sendWindow > 0) {
    // The window is open again: what a probe carried into the closed one is sent once more.
    c.timer.persistNs = 0;
    sent.loseAll();
  }
  return true;
}

function advanceUnacknowledged(c: TcpConnection, acknowledgement: u32, nowNs: u64): void {
  const count = acknowledgement - c.sendUnacknowledged;
  const windowWasUsed = inFlight(c) + c.segmentBytes >= c.congestion.window;
  const data = min(count, c.outgoing.length);
  const wasFull = c.outgoing.length >= sendLimit(c);
  c.outgoing.drop(data);
  c.sendUnacknowledged = acknowledgement;
  c.sent.acknowledge(acknowledgement, nowNs);
  if (c.sent.roundTripNs != 0) c.congestion.measured(c.sent.roundTripNs);
  c.retransmissions = 0;
  if (c.inRecovery) leaveRecovery(c);
  else if (windowWasUsed) c.congestion.acknowledged(data, nowNs);
  if (acknowledgement == c.sendNext) c.timer.retransmitNs = 0;
  else c.timer.startRetransmission(c.congestion.rtoNs);
  if (wasFull || c.outgoing.length == 0) c.changed.wakeAll();
  if (c.finSent && acknowledgement == c.sendNext && count > data) finAcknowledged(c);
}

/** Our FIN has arrived. */
function finAcknowledged(c: TcpConnection): void {
  if (c.state == FIN_WAIT_1) {
    c.state = FIN_WAIT_2;
    if (c.isOrphan) c.timer.startEnd(ORPHAN_WAIT_NS);
    c.changed.wakeAll();
  } else if (c.state == CLOSING) timeWait(c);
  else if (c.state == LAST_ACK) c.finish(0);
}

/** The peer's FIN is next in order (RFC 9293, section 3.10.7.4, eighth step). */
function peerFinished(c: TcpConnection): void {
  if (c.state == ESTABLISHED) c.state = CLOSE_WAIT;
  else if (c.state == FIN_WAIT_1) c.state = CLOSING;
  else if (c.state == FIN_WAIT_2) timeWait(c);
  else return;
  c.ackNow = true;
  c.changed.wakeAll();
}

function timeWait(c: TcpConnection): void {
  c.state = TIME_WAIT;
  if (!setEnding(c, WAITING)) {
    sendAck(c);
    c.finish(0);
    return;
  }
  c.timer.retransmitNs = 0;
  c.timer.keepNs = 0;
  c.timer.startEnd(TIME_WAIT_NS);
  c.changed.wakeAll();
}

/** True if a segment may be looked at: its header is whole. */
export function hasWholeHeader(packet: Packet): bool {
  if (packet.length < TCP_HEADER_BYTES) return false;
  const headerBytes = (<u32>load<u8>(packet.data, 12) >> 4) * 4;
  return headerBytes >= TCP_HEADER_BYTES && headerBytes <= packet.length;
}
