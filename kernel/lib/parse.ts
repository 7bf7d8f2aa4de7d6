/**
 * Numbers in text. A parser remembers where it stopped, so that callers can read fields one after
 * another: `parseDecimal(address, length)`, then `parsedLength()`.
 */

let consumed: usize = 0;
let overflow: bool = false;

/** Bytes that the last parse function used; 0 = there was no number. */
export function parsedLength(): usize {
  return consumed;
}

/** True if the last number did not fit into 64 bits (its value was then u64.MAX_VALUE). */
export function parseOverflowed(): bool {
  return overflow;
}

/** Unsigned decimal digits at the start of the text; 0 if there are none. */
export function parseDecimal(address: usize, length: usize): u64 {
  return parseDigits(address, length, 10);
}

/** Hexadecimal digits at the start of the text, after `0x` or without. */
export function parseHex(address: usize, length: usize): u64 {
  if (
    length > 2 &&
    load<u8>(address) == 0x30 &&
    (load<u8>(address + 1) | 0x20) == 0x78 &&
    digitValue(load<u8>(address + 2)) < 16
  ) {
    const value = parseDigits(address + 2, length - 2, 16);
    consumed += 2;
    return value;
  }
  return parseDigits(address, length, 16);
}

/** Octal digits at the start of the text. */
export function parseOctal(address: usize, length: usize): u64 {
  return parseDigits(address, length, 8);
}

/** A number as C writes it: `0x…` hexadecimal, `0…` octal, else decimal. */
export function parseNumber(address: usize, length: usize): u64 {
  if (length > 1 && load<u8>(address) == 0x30) {
    if ((load<u8>(address + 1) | 0x20) == 0x78) return parseHex(address, length);
    return parseOctal(address, length);
  }
  return parseDecimal(address, length);
}

/** True if the whole text is one decimal number without overflow; the value goes to `*out`. */
export function parseWholeDecimal(address: usize, length: usize, out: usize): bool {
  const value = parseDecimal(address, length);
  if (length == 0 || consumed != length || overflow) return false;
  store<u64>(out, value);
  return true;
}

/** Value of a digit in any base up to 16; 255 if it is none. */
export function digitValue(byte: u8): u8 {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  if (lower >= 0x61 && lower <= 0x66) return lower - 0x57;
  return 255;
}

function parseDigits(address: usize, length: usize, base: u64): u64 {
  let value: u64 = 0;
  let i: usize = 0;
  overflow = false;
  for (; i < length; i++) {
    const digit = <u64>digitValue(load<u8>(address + i));
    if (digit >= base) break;
    if (value > (u64.MAX_VALUE - digit) / base) overflow = true;
    value = value * base + digit;
  }
  consumed = i;
  return overflow ? u64.MAX_VALUE : value;
}
