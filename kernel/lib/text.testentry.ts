/** Surface of formatting, parsing and byte strings for their unit tests. */
import { ByteWriter } from "./format";

export {
  boundedLength,
  compareBytes,
  equalBytes,
  indexOfByte,
  lastIndexOfByte,
  stringLength,
} from "./bytes";
export {
  parseDecimal,
  parsedLength,
  parseHex,
  parseNumber,
  parseOctal,
  parseOverflowed,
  parseWholeDecimal,
} from "./parse";
import { copyLiteral, equalsLiteral, startsWithLiteral } from "./bytes";

let writer: ByteWriter | null = null;

function current(): ByteWriter {
  return changetype<ByteWriter>(writer);
}

/** @param buffer 0 = a growing buffer */
export function create(buffer: usize, capacity: usize): void {
  writer = new ByteWriter(buffer, capacity);
}

export function address(): usize {
  return current().address;
}

export function length(): usize {
  return current().length;
}

export function overflowed(): bool {
  return current().overflowed;
}

export function dispose(): void {
  current().dispose();
}

export function writeDecimal(value: u64): void {
  current().writeDecimal(value);
}

export function writeSigned(value: i64): void {
  current().writeSigned(value);
}

export function writeHex(value: u64, digits: u32): void {
  current().writeHex(value, digits);
}

export function writeOctal(value: u64, digits: u32): void {
  current().writeOctal(value, digits);
}

export function writePadded(value: u64, width: u32, pad: u8): void {
  current().writePadded(value, width, pad);
}

export function writeBytes(source: usize, count: usize): void {
  current().writeBytes(source, count);
}

export function writeGreeting(): void {
  current().writeString("hello, ÿ");
}

export function isGreeting(source: usize, count: usize): bool {
  return equalsLiteral(source, count, "hello");
}

export function startsWithGreeting(source: usize, count: usize): bool {
  return startsWithLiteral(source, count, "hello");
}

export function copyGreeting(destination: usize): usize {
  return copyLiteral(destination, "hello");
}
