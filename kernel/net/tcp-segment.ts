/**
 * TCP segments as bytes: RFC 9293 section 3.1; options: RFC 7323 (window scale, timestamps), RFC 2018
 * (selective acknowledgement).
 *
 * Neighbours: `tcp-input.ts` reads them, `tcp-output.ts` makes them.
 */
import { CHECKSUM_PARTIAL, CHECKSUM_VALID, Packet, packetBytes } from "../dev/packet";
import { addBytes, foldSum, load16, load32, pseudoSum } from "./bytes";

export const FIN: u32 = 1;
export const SYN: u32 = 2;
export const RST: u32 = 4;
export const PSH: u32 = 8;
export const ACK: u32 = 16;
/** ECN-Echo, congestion window reduced (RFC 3168, section 6.1). */
export const ECE: u32 = 64;
export const CWR: u32 = 128;

export const TCP_HEADER_BYTES: u32 = 20;
export const IPPROTO_TCP: u8 = 6;
/** What is assumed of a peer that does not say (RFC 9293, section 3.7.1). */
export const DEFAULT_MSS: u32 = 536;

export const OPTION_END: u8 = 0;
export const OPTION_NOP: u8 = 1;
export const OPTION_MSS: u8 = 2;
export const OPTION_SCALE: u8 = 3;
export const OPTION_SACK_PERMITTED: u8 = 4;
export const OPTION_SACK: u8 = 5;
export const OPTION_TIMESTAMPS: u8 = 8;

const SCALE_MAX: u8 = 14;

/** True if sequence number `a` comes before `b`. */
export function before(a: u32, b: u32): bool {
  return <i32>(a - b) < 0;
}

/** What the options of a segment say. */
export class SegmentOptions {
  /** 0 = not said. */
  mss: u32 = 0;
  /** -1 = not said. */
  scale: i32 = -1;
  permitsSack: bool = false;
  hasTimestamps: bool = false;
  timestamp: u32 = 0;
  timestampEcho: u32 = 0;
  /** Address of the blocks of a SACK option, 0 = none, and how many. */
  sackBlocks: usize = 0;
  sackCount: u32 = 0;

  /** Reads the options of the header at `header`, `headerBytes` long. */
  parse(header: usize, headerBytes: u32): void {
    this.mss = 0;
    this.scale = -1;
    this.permitsSack = false;
    this.hasTimestamps = false;
    this.sackBlocks = 0;
    this.sackCount = 0;
    let at = header + TCP_HEADER_BYTES;
    const end = header + headerBytes;
    while (at < end) {
      const kind = load<u8>(at);
      if (kind == OPTION_END) return;
      if (kind == OPTION_NOP) {
        at++;
        continue;
      }
      if (at + 1 >= end) return;
      const length = <usize>load<u8>(at, 1);
      if (length < 2 || at + length > end) return;
      this.take(kind, at, length);
      at += length;
    }
  }

  private take(kind: u8, at: usize, length: usize): void {
    if (kind == OPTION_TIMESTAMPS && length == 10) {
      this.hasTimestamps = true;
      this.timestamp = load32(at + 2);
      this.timestampEcho = load32(at + 6);
    } else if (kind == OPTION_MSS && length == 4) this.mss = load16(at + 2);
    else if (kind == OPTION_SCALE && length == 3) this.scale = min(load<u8>(at, 2), SCALE_MAX);
    else if (kind == OPTION_SACK_PERMITTED && length == 2) this.permitsSack = true;
    else if (kind == OPTION_SACK && length >= 10 && (length - 2) % 8 == 0) {
      this.sackBlocks = at + 2;
      this.sackCount = <u32>((length - 2) / 8);
    }
  }
}

/** Verifies the checksum of a segment whose `data` is at its header. */
export function isSegmentIntact(packet: Packet): bool {
  if (packet.checksum == CHECKSUM_VALID) return true;
  // Only devices that have verified the parts make segments of several.
  if (packet.more != 0) return false;
  const sum = pseudoSum(packet.source, packet.destination, IPPROTO_TCP, packet.length);
  return foldSum(addBytes(packet.data, packet.length, sum)) == 0xffff;
}

/** Stores the checksum, or leaves it to the device. `data` is at the header, the addresses are set. */
export function sealSegment(packet: Packet, offloads: bool): void {
  const header = packet.data;
  const sum = pseudoSum(packet.source, packet.destination, IPPROTO_TCP, packetBytes(packet));
  packet.transport = header;
  if (offloads) {
    store<u16>(header, foldSum(sum), 16);
    packet.checksum = CHECKSUM_PARTIAL;
  } else {
    store<u16>(header, 0, 16);
    store<u16>(header, ~foldSum(addBytes(header, packet.length, sum)), 16);
  }
}
