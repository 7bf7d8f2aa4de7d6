/**
 * Strings of bytes (paths, names, what applications pass): an address and a length, or an address and
 * a terminating zero. Kernel memory only; application memory is copied in first.
 */

/** Bytes before the terminating zero. */
export function stringLength(address: usize): usize {
  let length: usize = 0;
  while (load<u8>(address + length)) length++;
  return length;
}

/** Bytes before the terminating zero, or `limit` if there is none among the first `limit`. */
export function boundedLength(address: usize, limit: usize): usize {
  let length: usize = 0;
  while (length < limit && load<u8>(address + length)) length++;
  return length;
}

/** True if both ranges of `length` bytes have the same content. */
export function equalBytes(a: usize, b: usize, length: usize): bool {
  let i: usize = 0;
  for (; i + 8 <= length; i += 8) {
    if (load<u64>(a + i) != load<u64>(b + i)) return false;
  }
  for (; i < length; i++) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
  }
  return true;
}

/** Order of two strings of bytes, shorter first if one is the start of the other: -1, 0 or 1. */
export function compareBytes(a: usize, aLength: usize, b: usize, bLength: usize): i32 {
  const common = min(aLength, bLength);
  for (let i: usize = 0; i < common; i++) {
    const left = load<u8>(a + i);
    const right = load<u8>(b + i);
    if (left != right) return left < right ? -1 : 1;
  }
  if (aLength == bLength) return 0;
  return aLength < bLength ? -1 : 1;
}

/** True if the `length` bytes are exactly the (ASCII) literal. */
export function equalsLiteral(address: usize, length: usize, literal: string): bool {
  return length == <usize>literal.length && startsWithLiteral(address, length, literal);
}

/** True if the first of the `length` bytes are the (ASCII) literal. */
export function startsWithLiteral(address: usize, length: usize, literal: string): bool {
  const count = <usize>literal.length;
  if (length < count) return false;
  const source = changetype<usize>(literal);
  for (let i: usize = 0; i < count; i++) {
    if (<u16>load<u8>(address + i) != load<u16>(source + (i << 1))) return false;
  }
  return true;
}

/** Writes the (ASCII) literal's bytes, without a terminating zero; returns their number. */
export function copyLiteral(destination: usize, literal: string): usize {
  const count = <usize>literal.length;
  const source = changetype<usize>(literal);
  for (let i: usize = 0; i < count; i++) {
    store<u8>(destination + i, load<u8>(source + (i << 1)));
  }
  return count;
}

/** Index of the first `byte` among `length` bytes, or `length`. */
export function indexOfByte(address: usize, length: usize, byte: u8): usize {
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(address + i) == byte) return i;
  }
  return length;
}

/** Index of the last `byte` among `length` bytes, or `length`. */
export function lastIndexOfByte(address: usize, length: usize, byte: u8): usize {
  for (let i = length; i > 0; i--) {
    if (load<u8>(address + i - 1) == byte) return i - 1;
  }
  return length;
}
