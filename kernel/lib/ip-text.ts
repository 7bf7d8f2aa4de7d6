/**
 * IP addresses as text: RFC 5952 (writing IPv6), RFC 4291 section 2.2 (reading it).
 *
 * Neighbours: `ip-address.ts`; `net/boot-address.ts` reads, `/proc/net` and the log write.
 */
import { ByteWriter } from "./format";
import { IpAddress } from "./ip-address";
import { digitValue, parsedLength, parseDecimal } from "./parse";

const COLON: u8 = 0x3a;
const DOT: u8 = 0x2e;
const GROUPS: i32 = 8;

/** Writes an address in the notation of its family. */
export function writeIpAddress(out: ByteWriter, address: IpAddress): void {
  if (address.isV4) writeV4(out, address.v4);
  else writeV6(out, address);
}

function writeV4(out: ByteWriter, address: u32): void {
  for (let shift: i32 = 24; shift >= 0; shift -= 8) {
    out.writeDecimal((address >> <u32>shift) & 255);
    if (shift != 0) out.writeByte(DOT);
  }
}

function groupAt(address: IpAddress, index: i32): u32 {
  const at = changetype<usize>(address) + ((<usize>index) << 1);
  return ((<u32>load<u8>(at)) << 8) | load<u8>(at, 1);
}

/** The longest run of zero groups, the first of equals, becomes `::` (RFC 5952, section 4.2). */
function writeV6(out: ByteWriter, address: IpAddress): void {
  let bestStart: i32 = GROUPS;
  let bestLength: i32 = 1;
  for (let start = 0; start < GROUPS; start++) {
    let length = 0;
    while (start + length < GROUPS && groupAt(address, start + length) == 0) length++;
    if (length > bestLength) {
      bestStart = start;
      bestLength = length;
    }
  }
  for (let i = 0; i < GROUPS; i++) {
    if (i == bestStart) {
      out.writeString("::");
      i += bestLength - 1;
      continue;
    }
    if (i != 0 && i != bestStart + bestLength) out.writeByte(COLON);
    out.writeHex(groupAt(address, i));
  }
}

/** Reads a whole text as an address of either family; false if it is none. */
export function parseIpAddress(text: usize, length: usize, out: IpAddress): bool {
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(text + i) == COLON) return parseV6(text, length, out);
  }
  const v4 = parseV4(text, length);
  if (v4 < 0) return false;
  out.setV4(<u32>v4);
  return true;
}

/** The value of a dotted quad in host order, or -1. */
function parseV4(text: usize, length: usize): i64 {
  let value: i64 = 0;
  let at: usize = 0;
  for (let part = 0; part < 4; part++) {
    const number = parseDecimal(text + at, length - at);
    if (parsedLength() == 0 || number > 255) return -1;
    at += parsedLength();
    value = (value << 8) | <i64>number;
    if (part == 3) break;
    if (at >= length || load<u8>(text + at) != DOT) return -1;
    at++;
  }
  return at == length ? value : -1;
}

/** Eight groups; one `::` stands for those that are missing. */
function parseV6(text: usize, length: usize, out: IpAddress): bool {
  out.clear();
  const bytes = changetype<usize>(out);
  let count: i32 = 0;
  let gap: i32 = -1;
  let at: usize = 0;
  while (at < length) {
    const isColon = load<u8>(text + at) == COLON;
    if (isColon && at + 1 < length && load<u8>(text + at + 1) == COLON) {
      if (gap >= 0) return false;
      gap = count;
      at += 2;
      if (at == length) break;
    } else if (count > 0) {
      if (!isColon) return false;
      at++;
    }
    if (count == GROUPS) return false;
    const start = at;
    let value: u32 = 0;
    while (at < length && at - start < 4 && digitValue(load<u8>(text + at)) < 16) {
      value = (value << 4) | digitValue(load<u8>(text + at++));
    }
    if (at == start) return false;
    store<u8>(bytes + <usize>count * 2, <u8>(value >> 8));
    store<u8>(bytes + <usize>count * 2, <u8>value, 1);
    count++;
  }
  if (gap < 0) return count == GROUPS;
  if (count == GROUPS) return false;
  const tail = <usize>(count - gap) * 2;
  memory.copy(bytes + 16 - tail, bytes + <usize>gap * 2, tail);
  memory.fill(bytes + <usize>gap * 2, 0, <usize>(GROUPS - count) * 2);
  return true;
}
