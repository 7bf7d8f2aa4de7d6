/**
 * Fields in network byte order, and the Internet checksum (RFC 1071).
 *
 * The sum is taken over 16-bit words as this processor loads them: one's-complement addition gives
 * the same sum in either byte order, so the result is stored as it is.
 */
import { IpAddress } from "../lib/ip-address";

/** Loads 16 bits in network order. */
export function load16(address: usize): u16 {
  const value = load<u16>(address);
  return <u16>((value << 8) | (value >> 8));
}

/** Stores 16 bits in network order. */
export function store16(address: usize, value: u32): void {
  store<u16>(address, <u16>(((value & 0xff) << 8) | ((value >> 8) & 0xff)));
}

/** Reverses the bytes of 32 bits. */
export function swap32(value: u32): u32 {
  const halves = (value << 16) | (value >> 16);
  return ((halves & 0x00ff00ff) << 8) | ((halves >> 8) & 0x00ff00ff);
}

/** Loads 32 bits in network order. */
export function load32(address: usize): u32 {
  return swap32(load<u32>(address));
}

/** Stores 32 bits in network order. */
export function store32(address: usize, value: u32): void {
  store<u32>(address, swap32(value));
}

/** Adds the words of `length` bytes to `initial`. */
export function addBytes(address: usize, length: usize, initial: u64): u64 {
  let sum = initial;
  let at = address;
  let left = length;
  for (; left >= 16; left -= 16, at += 16) {
    sum += <u64>load<u32>(at);
    sum += <u64>load<u32>(at, 4);
    sum += <u64>load<u32>(at, 8);
    sum += <u64>load<u32>(at, 12);
  }
  for (; left >= 2; left -= 2, at += 2) sum += <u64>load<u16>(at);
  if (left != 0) sum += <u64>load<u8>(at);
  return sum;
}

/** The 16-bit one's-complement sum. */
export function foldSum(sum: u64): u16 {
  let value = (sum & 0xffffffff) + (sum >> 32);
  value = (value & 0xffff) + (value >> 16);
  value = (value & 0xffff) + (value >> 16);
  value = (value & 0xffff) + (value >> 16);
  return <u16>value;
}

/**
 * Sum of the pseudo-header (RFC 9293, section 3.1; RFC 8200, section 8.1): the same for both
 * families, as what maps an IPv4 address adds nothing to it.
 */
export function pseudoSum(
  source: IpAddress,
  destination: IpAddress,
  protocol: u32,
  length: u32,
): u64 {
  const tail = <u64>swap32(protocol) + <u64>swap32(length);
  return addBytes(
    changetype<usize>(source),
    16,
    addBytes(changetype<usize>(destination), 16, tail),
  );
}
