/**
 * Netlink messages as bytes: netlink(7), rtnetlink(7).
 *
 *     | length u32 | type u16 | flags u16 | sequence u32 | port u32 |  header, 16 bytes
 *     | fixed part of the type | attributes: length u16, type u16, value, to 4 bytes |
 *
 * Neighbours: `netlink-socket.ts` carries them; `links.ts`, `addresses.ts`, `routes.ts` fill them.
 */
import { ByteWriter } from "../../lib/format";
import { IpAddress } from "../../lib/ip-address";
import { swap32 } from "../bytes";
import { AF_INET, AF_INET6 } from "../socket";

export const NETLINK_HEADER_BYTES: usize = 16;
export const ATTRIBUTE_BYTES: usize = 4;

// Flags of a request (netlink(7)).
export const FLAG_MULTI: u16 = 2;
export const FLAG_ACK: u16 = 4;
export const FLAG_DUMP: u16 = 0x300;
export const FLAG_EXCLUSIVE: u16 = 0x200;
export const FLAG_REPLACE: u16 = 0x100;
export const FLAG_CREATE: u16 = 0x400;

export const TYPE_ERROR: u16 = 2;
export const TYPE_DONE: u16 = 3;
export const TYPE_NEW_LINK: u16 = 16;
export const TYPE_GET_LINK: u16 = 18;
export const TYPE_SET_LINK: u16 = 19;
export const TYPE_NEW_ADDRESS: u16 = 20;
export const TYPE_DELETE_ADDRESS: u16 = 21;
export const TYPE_GET_ADDRESS: u16 = 22;
export const TYPE_NEW_ROUTE: u16 = 24;
export const TYPE_DELETE_ROUTE: u16 = 25;
export const TYPE_GET_ROUTE: u16 = 26;
export const TYPE_NEW_NEIGHBOUR: u16 = 28;
export const TYPE_GET_NEIGHBOUR: u16 = 30;
export const TYPE_GET_RULE: u16 = 34;

function aligned(length: usize): usize {
  return (length + 3) & ~3;
}

/** A message that arrived; `body` is its fixed part, attributes follow from `attributesAt`. */
export class Request {
  type: u16 = 0;
  flags: u16 = 0;
  sequence: u32 = 0;
  /** Bytes after the header. */
  body: usize = 0;
  bodyBytes: usize = 0;
  header: usize = 0;
  /** Port of the socket that asks. */
  port: u32 = 0;

  get isDump(): bool {
    return (this.flags & FLAG_DUMP) == FLAG_DUMP;
  }

  /**
   * The value of an attribute behind a fixed part of `fixedBytes`.
   * @returns its address, or 0; its length is in the two bytes before the type: `attributeLength`
   */
  attribute(fixedBytes: usize, type: u16): usize {
    return findAttribute(this.body + aligned(fixedBytes), this.body + this.bodyBytes, type);
  }

  /** A 32-bit attribute, or `otherwise`. */
  number(fixedBytes: usize, type: u16, otherwise: u32): u32 {
    const at = this.attribute(fixedBytes, type);
    return at != 0 && attributeLength(at) >= 4 ? load<u32>(at) : otherwise;
  }

  /** An address of the family of the message, read into `out`; false if it has none. */
  address(fixedBytes: usize, type: u16, out: IpAddress): bool {
    const at = this.attribute(fixedBytes, type);
    if (at == 0) return false;
    if (attributeLength(at) == 4) out.setV4(swap32(load<u32>(at)));
    else if (attributeLength(at) == 16) out.copyFrom(changetype<IpAddress>(at));
    else return false;
    return true;
  }
}

/** The value of the attribute of a type between two addresses, or 0. */
export function findAttribute(start: usize, end: usize, type: u16): usize {
  let at = start;
  while (at + ATTRIBUTE_BYTES <= end) {
    const length = <usize>load<u16>(at);
    if (length < ATTRIBUTE_BYTES || at + length > end) return 0;
    // The two highest bits say "nested" and "network byte order".
    if ((load<u16>(at, 2) & 0x3fff) == type) return at + ATTRIBUTE_BYTES;
    at += aligned(length);
  }
  return 0;
}

/** Length of the value of an attribute that was found, in bytes. */
export function attributeLength(value: usize): usize {
  return <usize>load<u16>(value - ATTRIBUTE_BYTES) - ATTRIBUTE_BYTES;
}

export function put16(out: ByteWriter, value: u32): void {
  out.writeByte(<u8>value);
  out.writeByte(<u8>(value >> 8));
}

export function put32(out: ByteWriter, value: u32): void {
  put16(out, value);
  put16(out, value >> 16);
}

export function put64(out: ByteWriter, value: u64): void {
  put32(out, <u32>value);
  put32(out, <u32>(value >> 32));
}

/** Begins a message as an answer; returns where it begins, for `endMessage`. */
export function beginMessage(out: ByteWriter, request: Request, type: u16, flags: u16): usize {
  const start = out.length;
  put32(out, 0);
  put16(out, type);
  put16(out, flags);
  put32(out, request.sequence);
  put32(out, request.port);
  return start;
}

/** Completes a message with its length. */
export function endMessage(out: ByteWriter, start: usize): void {
  store<u32>(out.address + start, <u32>(out.length - start));
}

/** Begins an attribute; returns where it begins, for `endAttribute`. */
export function beginAttribute(out: ByteWriter, type: u16): usize {
  const start = out.length;
  put16(out, 0);
  put16(out, type);
  return start;
}

export function endAttribute(out: ByteWriter, start: usize): void {
  const length = out.length - start;
  store<u16>(out.address + start, <u16>length);
  out.writeRepeated(0, aligned(length) - length);
}

export function putBytes(out: ByteWriter, type: u16, address: usize, length: usize): void {
  const start = beginAttribute(out, type);
  out.writeBytes(address, length);
  endAttribute(out, start);
}

export function putNumber(out: ByteWriter, type: u16, value: u32): void {
  const start = beginAttribute(out, type);
  put32(out, value);
  endAttribute(out, start);
}

export function putByte(out: ByteWriter, type: u16, value: u8): void {
  const start = beginAttribute(out, type);
  out.writeByte(value);
  endAttribute(out, start);
}

export function putText(out: ByteWriter, type: u16, text: string): void {
  const start = beginAttribute(out, type);
  out.writeString(text);
  out.writeByte(0);
  endAttribute(out, start);
}

/** An address in the length of its family. */
export function putAddress(out: ByteWriter, type: u16, address: IpAddress): void {
  const at = changetype<usize>(address);
  if (address.isV4) putBytes(out, type, at + 12, 4);
  else putBytes(out, type, at, 16);
}

/** AF_INET or AF_INET6. */
export function familyOf(address: IpAddress): u8 {
  return <u8>(address.isV4 ? AF_INET : AF_INET6);
}
