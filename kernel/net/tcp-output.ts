/**
 * What TCP sends and when: RFC 9293 sections 3.8.6 (window management), 3.7.4 (Nagle), RFC 5681
 * (congestion window), RFC 7323 (timestamps).
 *
 * Everything here runs with the connection's lock held. Neighbours: `tcp-connection.ts`,
 * `tcp-segment.ts`, `ipv4.ts`.
 */
import { cpuId } from "../arch/cpu";
import { freePacket, newPacket, Packet, push } from "../dev/packet";
import { monotonicNs } from "../sched/clock";
import { store16, store32 } from "./bytes";
import { isNotSentLow, receiveLimit } from "./tcp-buffers";
import { count as countEvent, TCP_RESETS_SENT, TCP_RETRANSMITTED } from "./counters";
import { trafficClassOf } from "./tcp-ecn";
import { scheduleProbe } from "./tcp-recovery";
import { Sent } from "./tcp-sent";
import { ipSend, pathPayloadBytes, PROTOCOL_TCP } from "./ip";
import { routeTo } from "./routes";
import {
  CLOSED,
  CLOSE_WAIT,
  CLOSING,
  ESTABLISHED,
  FIN_WAIT_1,
  LAST_ACK,
  RECEIVE_SCALE,
  SYN_RECEIVED,
  SYN_SENT,
  TcpConnection,
} from "./tcp-connection";
import {
  ACK,
  before,
  CWR,
  ECE,
  FIN,
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK,
  OPTION_SACK_PERMITTED,
  OPTION_SCALE,
  OPTION_TIMESTAMPS,
  PSH,
  RST,
  sealSegment,
  SYN,
  TCP_HEADER_BYTES,
} from "./tcp-segment";

const WINDOW_FIELD_MAX: u32 = 65535;
/** Beside the flags of the header: data that is sent for the first time. */
const NEW_DATA: u32 = 0x100;
const TIMESTAMP_BYTES: u32 = 12;
const OPTIONS_MAX: u32 = 40;
const NS_PER_MS: u64 = 1_000_000;
/** Most payload in one packet that the device cuts. */
const LARGE_SEND_BYTES: u32 = 65535 - 120;
/** Payloads up to this size are copied into the packet; larger ones stay where they are. */
const COPY_MAX: u32 = 1024;
/** As long as the device is busy, writes are gathered up to this size. */
const GATHER_BYTES: u32 = 16384;
const SACK_BLOCKS_MAX: u32 = 3;
const SACK_BYTES_MAX: u32 = 28;

/** The timestamp clock: milliseconds with an offset for each connection (RFC 7323, section 5.4). */
export function timestampNow(c: TcpConnection): u32 {
  return <u32>(monotonicNs() / NS_PER_MS) + c.timestampOffset;
}

/** Bytes of payload that fit a packet to the peer with no options. */
export function localMss(c: TcpConnection): u32 {
  return min(pathPayloadBytes(c.remoteAddress) - TCP_HEADER_BYTES, c.segmentLimit);
}

/** The path takes less than a full segment: sends on from what is not acknowledged (RFC 1191, 6.4). */
export function pathShrank(c: TcpConnection): void {
  const most = localMss(c) - (c.usesTimestamps ? TIMESTAMP_BYTES : 0);
  if (most >= c.segmentBytes) return;
  c.segmentBytes = most;
  c.sent.loseAll();
  output(c);
}

/** Notes what the route's device can do. */
export function learnRoute(c: TcpConnection): void {
  const through = routeTo(c.remoteAddress);
  const device = through ? through.device : null;
  c.offloadsChecksum = through != null && (device == null || device.offloadsChecksum);
  c.device = device;
  c.gathers = device != null && device.gathers;
  c.offloadsSegmentation =
    device != null &&
    (c.remoteAddress.isV4 ? device.offloadsSegmentation : device.offloadsSegmentation6);
}

/** The window to tell, in bytes; its right edge never moves to the left. */
function receiveWindow(c: TcpConnection): u32 {
  const used = c.incomingBytes;
  const capacity = receiveLimit(c);
  let window = used < capacity ? capacity - used : 0;
  const told = before(c.receiveNext, c.advertisedEdge) ? c.advertisedEdge - c.receiveNext : 0;
  // Silly windows are not opened (RFC 9293, section 3.8.6.2.2).
  if (window < told + min(c.segmentBytes, capacity / 2)) window = told;
  return min(window, WINDOW_FIELD_MAX << c.receiveScale);
}

/** True if the window has opened so far that the peer should hear of it. */
export function shouldTellWindow(c: TcpConnection): bool {
  const used = c.incomingBytes;
  const capacity = receiveLimit(c);
  const window = used < capacity ? capacity - used : 0;
  const told = before(c.receiveNext, c.advertisedEdge) ? c.advertisedEdge - c.receiveNext : 0;
  if (window <= told) return false;
  const opened = window - told;
  return opened >= capacity / 4 || (told < 2 * c.segmentBytes && opened >= 2 * c.segmentBytes);
}

/** The flags of ECN that a segment carries (RFC 3168, sections 6.1.1 to 6.1.3). */
function ecnFlags(c: TcpConnection, flags: u32): u32 {
  if (!c.usesEcn || (flags & RST) != 0) return 0;
  if ((flags & SYN) != 0) return ECE;
  let added: u32 = c.echoesCongestion ? ECE : 0;
  if ((flags & NEW_DATA) != 0 && c.tellsReduction) {
    added |= CWR;
    c.tellsReduction = false;
  }
  return added;
}

/**
 * Builds and sends one segment.
 * @param flags of TCP, and NEW_DATA
 * @param bytes payload taken from the send buffer at `sequence`
 */
function sendSegment(c: TcpConnection, sequence: u32, flags: u32, bytes: u32): bool {
  const isCopied = !c.gathers || bytes <= COPY_MAX;
  const address = newPacket(OPTIONS_MAX + (isCopied ? bytes : 0));
  if (address == 0) return false;
  const packet = changetype<Packet>(address);
  packet.data += OPTIONS_MAX;
  const offset = sequence - c.sendUnacknowledged;
  if (!isCopied) {
    if (!c.outgoing.attach(offset, packet, bytes)) {
      freePacket(packet);
      return false;
    }
  } else if (bytes > 0) {
    c.outgoing.copy(offset, packet.data, bytes);
    packet.length = bytes;
  }
  const optionBytes = writeOptions(c, packet, flags);
  const header = push(packet, TCP_HEADER_BYTES);
  store16(header, c.localPort);
  store16(header + 2, c.remotePort);
  store32(header + 4, sequence);
  store32(header + 8, (flags & ACK) != 0 ? c.receiveNext : 0);
  store<u8>(header, <u8>(((TCP_HEADER_BYTES + optionBytes) / 4) << 4), 12);
  store<u8>(header, <u8>(flags | ecnFlags(c, flags)), 13);
  const window = receiveWindow(c);
  // The window of a SYN is never scaled (RFC 7323, section 2.2).
  const scale = (flags & SYN) != 0 ? 0 : c.receiveScale;
  const field = min(window >> scale, WINDOW_FIELD_MAX);
  store16(header + 14, field);
  store<u32>(header, 0, 16);
  packet.headerBytes = TCP_HEADER_BYTES + optionBytes;
  const segmentMax = payloadMax(c);
  packet.segmentBytes = bytes > segmentMax ? <u16>segmentMax : 0;
  packet.source.copyFrom(c.localAddress);
  packet.destination.copyFrom(c.remoteAddress);
  sealSegment(packet, c.offloadsChecksum);
  if ((flags & ACK) != 0) {
    c.lastAckSent = c.receiveNext;
    const edge = c.receiveNext + (field << scale);
    if (before(c.advertisedEdge, edge)) c.advertisedEdge = edge;
    c.ackNow = false;
    c.ackLater = false;
    c.timer.ackNs = 0;
  }
  // The queue of the processor that works on the connection; segments do not overtake each other.
  if (sequence == c.sendUnacknowledged) c.sendQueue = <u8>(cpuId() + 1);
  packet.sendQueue = c.sendQueue;
  const trafficClass = trafficClassOf(c, (flags & NEW_DATA) != 0);
  ipSend(packet, PROTOCOL_TCP, c.timeToLive, trafficClass);
  return true;
}

/** Puts the options in front of the payload; returns their length, a multiple of 4. */
function writeOptions(c: TcpConnection, packet: Packet, flags: u32): u32 {
  if ((flags & RST) != 0) return 0;
  let bytes: u32 = 0;
  if ((flags & ACK) != 0 && c.usesSack && c.aheadFirst != 0) bytes += writeSack(c, packet);
  if ((flags & SYN) != 0) {
    if (c.usesSack) {
      const at = push(packet, 4);
      store<u16>(at, <u16>OPTION_NOP | ((<u16>OPTION_NOP) << 8));
      store<u8>(at, OPTION_SACK_PERMITTED, 2);
      store<u8>(at, 2, 3);
      bytes += 4;
    }
    if (c.receiveScale != 0) {
      const at = push(packet, 4);
      store<u8>(at, OPTION_NOP);
      store<u8>(at, OPTION_SCALE, 1);
      store<u8>(at, 3, 2);
      store<u8>(at, <u8>c.receiveScale, 3);
      bytes += 4;
    }
    const at = push(packet, 4);
    store<u8>(at, OPTION_MSS);
    store<u8>(at, 4, 1);
    store16(at + 2, min(localMss(c), WINDOW_FIELD_MAX));
    bytes += 4;
  }
  if (c.usesTimestamps) {
    const at = push(packet, TIMESTAMP_BYTES);
    store<u16>(at, <u16>OPTION_NOP | ((<u16>OPTION_NOP) << 8));
    store<u8>(at, OPTION_TIMESTAMPS, 2);
    store<u8>(at, 10, 3);
    store32(at + 4, timestampNow(c));
    store32(at + 8, (flags & ACK) != 0 ? c.timestampRecent : 0);
    bytes += TIMESTAMP_BYTES;
  }
  return bytes;
}

/** The blocks received out of order, the one that grew last first (RFC 2018, section 4). */
function writeSack(c: TcpConnection, packet: Packet): u32 {
  const starts = c.sackScratch;
  let count: u32 = 0;
  let at = c.aheadFirst;
  while (at != 0) {
    const first = changetype<Packet>(at);
    const start = first.sequence;
    let end = start + first.length;
    at = first.next;
    while (at != 0 && changetype<Packet>(at).sequence == end) {
      end += changetype<Packet>(at).length;
      at = changetype<Packet>(at).next;
    }
    const isLatest = !before(c.aheadLatest, start) && before(c.aheadLatest, end);
    if (isLatest && count > 0) {
      const keep = min(count, SACK_BLOCKS_MAX - 1);
      memory.copy(starts + 8, starts, <usize>keep * 8);
      store<u32>(starts, start);
      store<u32>(starts, end, 4);
      count = keep + 1;
    } else if (count < SACK_BLOCKS_MAX) {
      store<u32>(starts + <usize>count * 8, start);
      store<u32>(starts + <usize>count * 8, end, 4);
      count++;
    }
  }
  const bytes = 4 + count * 8;
  const option = push(packet, bytes);
  store<u16>(option, <u16>OPTION_NOP | ((<u16>OPTION_NOP) << 8));
  store<u8>(option, OPTION_SACK, 2);
  store<u8>(option, <u8>(2 + count * 8), 3);
  for (let i: u32 = 0; i < count * 2; i++) {
    store32(option + 4 + i * 4, load<u32>(starts + <usize>i * 4));
  }
  return bytes;
}

/** Sends the first segment of the handshake, or sends it again. */
export function sendSyn(c: TcpConnection): void {
  const isAnswer = c.state == SYN_RECEIVED;
  sendSegment(c, c.initialSend, isAnswer ? SYN | ACK : SYN, 0);
  c.sendNext = c.initialSend + 1;
  c.timer.startRetransmission(c.congestion.rtoNs);
}

/** Sends an acknowledgement without data. */
export function sendAck(c: TcpConnection): void {
  if (c.state == CLOSED || c.state == SYN_SENT) return;
  sendSegment(c, c.sendNext, ACK, 0);
}

/** Sends a segment that asks whether the peer is there: an old number, no data. */
export function sendProbe(c: TcpConnection): void {
  sendSegment(c, c.sendUnacknowledged - 1, ACK, 0);
}

/** Sends a reset of a synchronised connection. */
export function sendReset(c: TcpConnection): void {
  countEvent(TCP_RESETS_SENT);
  sendSegment(c, c.sendNext, RST | ACK, 0);
}

/** Bytes of data, not counting a FIN, that have been queued after `sequence`. */
function bytesAfter(c: TcpConnection, sequence: u32): u32 {
  const offset = sequence - c.sendUnacknowledged;
  return offset < c.outgoing.length ? c.outgoing.length - offset : 0;
}

/** Bytes in flight: sent, and neither known to have arrived nor lost (RFC 6675, "pipe"). */
export function inFlight(c: TcpConnection): u32 {
  return c.sendNext - c.sendUnacknowledged - c.sent.sackedBytes - c.sent.lostBytes;
}

/** Payload of a full segment now: what SACK blocks take away comes off. */
function payloadMax(c: TcpConnection): u32 {
  return c.usesSack && c.aheadFirst != 0 ? c.segmentBytes - SACK_BYTES_MAX : c.segmentBytes;
}

/** Most payload of one packet that is handed to the device. */
function packetPayloadMax(c: TcpConnection): u32 {
  return c.offloadsSegmentation ? LARGE_SEND_BYTES : payloadMax(c);
}

/** Sends what is lost again, as far as the congestion window allows; true if nothing is left. */
function resendLost(c: TcpConnection): bool {
  while (true) {
    const lost = c.sent.firstLost();
    if (lost == 0) return true;
    const record = changetype<Sent>(lost);
    const flight = inFlight(c);
    if (flight != 0 && flight + c.segmentBytes > c.congestion.window) return false;
    const segmentMax = payloadMax(c);
    const whole = record.end - record.start;
    const left = c.congestion.window > flight ? c.congestion.window - flight : 0;
    let bytes = min(whole, min(packetPayloadMax(c), max(left, segmentMax)));
    if (bytes < whole) {
      if (bytes > segmentMax) bytes -= bytes % segmentMax;
      if (!c.sent.split(record, record.start + bytes)) return false;
    }
    if (!resendRecord(c, record, monotonicNs())) return false;
  }
}

/** Sends a record again; false without memory. */
export function resendRecord(c: TcpConnection, record: Sent, nowNs: u64): bool {
  const count = record.end - record.start;
  const bytes = min(count, bytesAfter(c, record.start));
  if (!sendSegment(c, record.start, bytes < count ? ACK | FIN : ACK, bytes)) return false;
  c.sent.resent(record, nowNs);
  c.totalRetransmissions++;
  countEvent(TCP_RETRANSMITTED);
  c.timer.ensureRetransmission(c.congestion.rtoNs);
  return true;
}

/** Sends one byte into a closed window (RFC 9293, section 3.8.6.1). */
export function sendWindowProbe(c: TcpConnection): void {
  const start = c.sendUnacknowledged;
  if (bytesAfter(c, start) == 0) {
    sendProbe(c);
    return;
  }
  if (c.sent.isEmpty) {
    if (!c.sent.append(start, start + 1, monotonicNs(), 1)) return;
    c.sendNext = start + 1;
  }
  sendSegment(c, start, ACK, 1);
}

/** True in states in which data and the FIN may be sent. */
function maySend(state: u32): bool {
  return (
    state == ESTABLISHED ||
    state == CLOSE_WAIT ||
    state == FIN_WAIT_1 ||
    state == CLOSING ||
    state == LAST_ACK
  );
}

/** Sends what may be sent now: data, FIN, or the acknowledgement that is owed. */
export function output(c: TcpConnection): void {
  const wasLow = isNotSentLow(c);
  if (maySend(c.state) && resendLost(c)) {
    while (sendMore(c, c.congestion.window)) {}
  }
  if (!wasLow && isNotSentLow(c)) c.changed.wakeAll();
  if (c.ackNow) sendAck(c);
}

/** Sends one segment of new data without regard to the congestion window; true if it did. */
export function sendBeyondWindow(c: TcpConnection): bool {
  return maySend(c.state) && sendMore(c, inFlight(c) + payloadMax(c));
}

/**
 * True if the device is still busy with the connection's last segment: small writes are gathered as
 * long, and sent together as soon as it has taken that one (what tcp(7) calls automatic corking).
 * Nothing waits for an idle device.
 */
function waitsForDevice(c: TcpConnection): bool {
  const device = c.device;
  if (!device || device.hasTaken(c.sendQueue, c.sendNumber)) return false;
  if (c.pusher.isWaiting) return true;
  c.retain();
  if (device.awaitTaken(c.sendQueue, c.pusher)) return true;
  c.release();
  return false;
}

/** Sends one more packet of new data if it may; true if it did. */
function sendMore(c: TcpConnection, congestionWindow: u32): bool {
  const available = bytesAfter(c, c.sendNext);
  const wantsFin = c.finQueued && !before(c.sendUnacknowledged + c.outgoing.length, c.sendNext);
  if (available == 0 && !wantsFin) return false;
  const sent = c.sendNext - c.sendUnacknowledged;
  const windowLeft = c.sendWindow > sent ? c.sendWindow - sent : 0;
  const flight = inFlight(c);
  const congestionLeft = congestionWindow > flight ? congestionWindow - flight : 0;
  const segmentMax = payloadMax(c);
  // A device that cuts segments would give each of them the flag CWR.
  const packetMax = c.tellsReduction ? segmentMax : packetPayloadMax(c);
  let bytes = min(min(available, packetMax), min(windowLeft, congestionLeft));
  // Whole segments only, unless it is the end of the data.
  if (bytes > segmentMax && bytes < available) bytes -= bytes % segmentMax;
  if (available > 0 && bytes == 0) {
    if (windowLeft == 0 && sent == 0) c.timer.startPersist(c.congestion.rtoNs);
    return false;
  }
  const isLast = bytes == available;
  const sendsFin = isLast && c.finQueued;
  if (bytes < segmentMax && !sendsFin) {
    if (!isLast && bytes < c.sendWindowMax / 2) {
      if (sent == 0) c.timer.startPersist(c.congestion.rtoNs);
      return false;
    }
    // Nagle's algorithm: one small segment in flight (RFC 9293, section 3.7.4).
    if (isLast && (c.corked || (!c.noDelay && sent != 0))) return false;
  }
  if (isLast && !sendsFin && bytes < GATHER_BYTES && sent != 0 && waitsForDevice(c)) return false;
  const count = bytes + (sendsFin ? 1 : 0);
  const nowNs = monotonicNs();
  if (!c.sent.append(c.sendNext, c.sendNext + count, nowNs, segmentMax)) {
    c.timer.startRetransmission(c.congestion.rtoNs);
    return false;
  }
  const start = c.sendNext;
  c.sendNext += count;
  if (sendsFin) c.finSent = true;
  let flags = ACK;
  if (bytes > 0) flags |= NEW_DATA;
  if (isLast && bytes > 0) flags |= PSH;
  if (sendsFin) flags |= FIN;
  if (c.ackLater) c.quickAcks = 0; // the application answers: its data carries acknowledgements
  // What does not go for want of memory is lost like any other segment.
  sendSegment(c, start, flags, bytes);
  const device = c.device;
  if (device) c.sendNumber = device.sendNumber(c.sendQueue);
  c.timer.ensureRetransmission(c.congestion.rtoNs);
  scheduleProbe(c, nowNs);
  return !sendsFin;
}

/** Starts the window scale and the other options that we offer in a SYN. */
export function offerOptions(c: TcpConnection): void {
  c.receiveScale = RECEIVE_SCALE;
  c.usesTimestamps = true;
  c.usesSack = true;
}

/** Frees a packet that came for nobody, and answers with a reset (RFC 9293, section 3.10.7.1). */
export function refuse(packet: Packet, sequence: u32, acknowledgement: u32, flags: u32): void {
  if ((flags & RST) == 0) {
    const address = newPacket(0);
    if (address != 0) {
      const answer = changetype<Packet>(address);
      const from = packet.transport;
      const header = push(answer, TCP_HEADER_BYTES);
      memory.fill(header, 0, TCP_HEADER_BYTES);
      store<u16>(header, load<u16>(from, 2));
      store<u16>(header, load<u16>(from), 2);
      const hasAck = (flags & ACK) != 0;
      if (hasAck) store32(header + 4, acknowledgement);
      else store32(header + 8, sequence);
      store<u8>(header, 5 << 4, 12);
      store<u8>(header, <u8>(hasAck ? RST : RST | ACK), 13);
      answer.source.copyFrom(packet.destination);
      answer.destination.copyFrom(packet.source);
      sealSegment(answer, false);
      countEvent(TCP_RESETS_SENT);
      ipSend(answer, PROTOCOL_TCP);
    }
  }
  freePacket(packet);
}
