/**
 * SYN cookies (RFC 4987, section 3.6): under a flood of connection requests a listener keeps nothing
 * of a request, but answers with a sequence number from which the acknowledgement that completes the
 * handshake can be verified, and the connection made then.
 *
 *     31     27 26   24 23                     0
 *     | minute | MSS  | keyed hash of the rest |     time in units of 64 s, index of MSS_TABLE
 *
 * The other options of the request travel in the low bits of our timestamp, which the peer echoes:
 * its window scale (15 = none) and whether it permits SACK. Without timestamps they are lost.
 *
 * Neighbours: `tcp-listener.ts` decides, `tcp-receive.ts` shows it acknowledgements for nobody.
 */
import { SpinLock } from "../arch/spinlock";
import { newPacket, Packet, push } from "../dev/packet";
import { randomU64 } from "../dev/random";
import { SipHash } from "../lib/siphash";
import { monotonicNs } from "../sched/clock";
import { load32, store16, store32 } from "./bytes";
import { ipSend, PROTOCOL_TCP } from "./ip";
import {
  ACK,
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK_PERMITTED,
  OPTION_SCALE,
  OPTION_TIMESTAMPS,
  sealSegment,
  SegmentOptions,
  SYN,
  TCP_HEADER_BYTES,
} from "./tcp-segment";

const MSS_TABLE = memory.data<u16>([536, 1024, 1220, 1300, 1400, 1440, 1460, 8940]);
const MSS_COUNT: u32 = 8;
const UNIT_NS: u64 = 64_000_000_000;
const NS_PER_MS: u64 = 1_000_000;
/** A cookie is good for this many units after its own. */
const UNITS_MAX: u32 = 2;
const HASH_MASK: u32 = 0xffffff;
const WINDOW: u32 = 65535;

const SCALE_NONE: u32 = 15;
const SACK_BIT: u32 = 16;
const ECHO_BITS: u32 = 31;

const INPUT_BYTES: usize = 48;
/** Bytes of options with timestamps, and without. */
const FULL_OPTION_BYTES: u32 = 20;
const MSS_OPTION_BYTES: u32 = 4;

/** Guards `hasher`. */
const lock = new SpinLock();
let hasher: SipHash | null = null;

/** Makes the key. Call before the first listener. */
export function initCookies(): void {
  hasher = new SipHash(randomU64(), randomU64());
}

function unitNow(): u32 {
  return <u32>(monotonicNs() / UNIT_NS) & 31;
}

/** The keyed hash of a request; `packet` is from the client, `peerSequence` its initial number. */
function hashOf(packet: Packet, peerSequence: u32, head: u32): u32 {
  const source = packet.source;
  const destination = packet.destination;
  const hash = hasher!;
  lock.acquire();
  hash.begin();
  hash.word(source.first);
  hash.word(source.last);
  hash.word(destination.first);
  hash.word(destination.last);
  hash.word(((<u64>load<u32>(packet.transport)) << 32) | peerSequence);
  hash.word(head);
  const value = <u32>hash.end(0, INPUT_BYTES) & HASH_MASK;
  lock.release();
  return value;
}

function mssAt(index: u32): u32 {
  return <u32>load<u16>(MSS_TABLE + <usize>index * 2);
}

/** The largest entry of the table that the peer can take. */
function mssIndex(mss: u32): u32 {
  let index = MSS_COUNT - 1;
  while (index > 0 && mssAt(index) > mss) index--;
  return index;
}

/**
 * Answers a request, the segment at `packet.transport`, with a cookie; leaves the packet alone.
 * @param options what the request says @param scale our window scale @param mss what we can take
 */
export function sendCookie(packet: Packet, options: SegmentOptions, scale: u32, mss: u32): void {
  const address = newPacket(0);
  if (address == 0) return;
  const answer = changetype<Packet>(address);
  const request = packet.transport;
  const peerSequence = load32(request + 4);
  const head = (unitNow() << 3) | mssIndex(options.mss != 0 ? options.mss : mssAt(0));
  const cookie = (head << 24) | hashOf(packet, peerSequence, head);
  const optionBytes = options.hasTimestamps ? FULL_OPTION_BYTES : MSS_OPTION_BYTES;
  if (options.hasTimestamps) writeTimestamp(answer, options, scale);
  const option = push(answer, MSS_OPTION_BYTES);
  store<u8>(option, OPTION_MSS);
  store<u8>(option, <u8>MSS_OPTION_BYTES, 1);
  store16(option + 2, mss);
  const header = push(answer, TCP_HEADER_BYTES);
  store<u16>(header, load<u16>(request, 2));
  store<u16>(header, load<u16>(request), 2);
  store32(header + 4, cookie);
  store32(header + 8, peerSequence + 1);
  store<u8>(header, <u8>(((TCP_HEADER_BYTES + optionBytes) / 4) << 4), 12);
  store<u8>(header, <u8>(SYN | ACK), 13);
  store16(header + 14, WINDOW);
  store<u32>(header, 0, 16);
  answer.source.copyFrom(packet.destination);
  answer.destination.copyFrom(packet.source);
  sealSegment(answer, false);
  ipSend(answer, PROTOCOL_TCP);
}

/** The options that a timestamp makes possible: it carries what the request said. */
function writeTimestamp(answer: Packet, options: SegmentOptions, scale: u32): void {
  const offersScale = options.scale >= 0;
  let echo = offersScale ? <u32>options.scale : SCALE_NONE;
  if (options.permitsSack) echo |= SACK_BIT;
  const timestamps = push(answer, FULL_OPTION_BYTES - MSS_OPTION_BYTES);
  store<u8>(timestamps, options.permitsSack ? OPTION_SACK_PERMITTED : OPTION_NOP);
  store<u8>(timestamps, options.permitsSack ? 2 : OPTION_NOP, 1);
  store<u8>(timestamps, OPTION_TIMESTAMPS, 2);
  store<u8>(timestamps, 10, 3);
  store32(timestamps + 4, (<u32>(monotonicNs() / NS_PER_MS) & ~ECHO_BITS) | echo);
  store32(timestamps + 8, options.timestamp);
  store<u8>(timestamps, OPTION_NOP, 12);
  store<u8>(timestamps, offersScale ? OPTION_SCALE : OPTION_NOP, 13);
  store<u8>(timestamps, offersScale ? 3 : OPTION_NOP, 14);
  store<u8>(timestamps, offersScale ? <u8>scale : OPTION_NOP, 15);
}

/**
 * Whether an acknowledgement answers a cookie of ours, and no old one.
 * @param options of the acknowledgement; become those of the request
 */
export function readCookie(packet: Packet, options: SegmentOptions): bool {
  const header = packet.transport;
  const cookie = load32(header + 8) - 1;
  const peerSequence = load32(header + 4) - 1;
  const head = cookie >> 24;
  if (((unitNow() - (head >> 3)) & 31) > UNITS_MAX) return false;
  if (hashOf(packet, peerSequence, head) != (cookie & HASH_MASK)) return false;
  options.mss = mssAt(head & (MSS_COUNT - 1));
  const echo = options.hasTimestamps ? options.timestampEcho & ECHO_BITS : SCALE_NONE;
  const scale = echo & SCALE_NONE;
  options.scale = scale != SCALE_NONE ? <i32>scale : -1;
  options.permitsSack = (echo & SACK_BIT) != 0;
  return true;
}
