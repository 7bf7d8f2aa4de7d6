/**
 * Text made of bytes: a writer that appends strings, bytes and numbers to a buffer, used for the files
 * of /proc, for messages and for the control channel.
 *
 * The buffer either grows on the kernel heap or is a fixed one of the caller's. When there is no room
 * (or no memory), what does not fit is dropped and `overflowed` tells; nothing fails on the way.
 */
import { heapAllocate, heapFree } from "../mm/heap";

/** Longest number: 64 bits in octal. */
const MAX_DIGITS: u32 = 22;
const FIRST_CAPACITY: usize = 256;

export class ByteWriter {
  private start: usize = 0;
  private used: usize = 0;
  private capacity: usize = 0;
  private fixed: bool = false;
  private lost: bool = false;

  /**
   * @param buffer where to write; 0 = a buffer on the heap that grows
   * @param capacity size of `buffer` in bytes
   */
  constructor(buffer: usize = 0, capacity: usize = 0) {
    if (buffer) {
      this.start = buffer;
      this.capacity = capacity;
      this.fixed = true;
    }
  }

  /** Address of the bytes written; it changes when the buffer grows. */
  get address(): usize {
    return this.start;
  }

  /** Number of bytes written. */
  get length(): usize {
    return this.used;
  }

  /** True if something did not fit. */
  get overflowed(): bool {
    return this.lost;
  }

  /** Forgets what was written; the buffer stays. */
  clear(): void {
    this.used = 0;
    this.lost = false;
  }

  /** Cuts what was written down to `length` bytes. */
  truncate(length: usize): void {
    if (length < this.used) this.used = length;
  }

  /** Gives the buffer back if it is the writer's own; call before `free(writer)`. */
  dispose(): void {
    if (!this.fixed && this.start) heapFree(this.start);
    this.start = 0;
    this.capacity = 0;
    this.used = 0;
  }

  /** The buffer, which from now on is the caller's (`heapFree`); 0 if nothing was written. */
  detach(): usize {
    const address = this.start;
    this.start = 0;
    this.capacity = 0;
    this.used = 0;
    return address;
  }

  writeByte(byte: u8): void {
    const at = this.reserve(1);
    if (at) store<u8>(at, byte);
  }

  /** Appends `count` times the same byte. */
  writeRepeated(byte: u8, count: usize): void {
    const at = this.reserve(count);
    if (at) memory.fill(at, byte, count);
  }

  /** Appends text; characters beyond U+00FF are not supported. */
  writeString(text: string): void {
    const length = <usize>text.length;
    const at = this.reserve(length);
    if (!at) return;
    const source = changetype<usize>(text);
    for (let i: usize = 0; i < length; i++) store<u8>(at + i, load<u8>(source + (i << 1)));
  }

  writeBytes(address: usize, length: usize): void {
    const at = this.reserve(length);
    if (at) memory.copy(at, address, length);
  }

  /** Appends the bytes up to the terminating zero. */
  writeZeroTerminated(address: usize): void {
    let length: usize = 0;
    while (load<u8>(address + length)) length++;
    this.writeBytes(address, length);
  }

  writeDecimal(value: u64): void {
    this.writeNumber(value, 10, 1, 0x30);
  }

  /** Appends a decimal number with a minus sign if it is negative. */
  writeSigned(value: i64): void {
    if (value < 0) this.writeByte(0x2d);
    this.writeNumber(value < 0 ? <u64>0 - <u64>value : <u64>value, 10, 1, 0x30);
  }

  /** Appends lower-case hexadecimal without prefix, with leading zeros up to `minimumDigits`. */
  writeHex(value: u64, minimumDigits: u32 = 1): void {
    this.writeNumber(value, 16, minimumDigits, 0x30);
  }

  /** Appends octal without prefix, with leading zeros up to `minimumDigits`. */
  writeOctal(value: u64, minimumDigits: u32 = 1): void {
    this.writeNumber(value, 8, minimumDigits, 0x30);
  }

  /** Appends decimal, filled on the left with `pad` up to `width` bytes. */
  writePadded(value: u64, width: u32, pad: u8 = 0x20): void {
    this.writeNumber(value, 10, width, pad);
  }

  private writeNumber(value: u64, base: u64, width: u32, pad: u8): void {
    const digits = digitCount(value, base);
    if (width > digits) this.writeRepeated(pad, <usize>(width - digits));
    let at = this.reserve(<usize>digits);
    if (!at) return;
    at += <usize>digits;
    let rest = value;
    for (let i: u32 = 0; i < digits; i++) {
      const digit = <u8>(rest % base);
      rest /= base;
      store<u8>(--at, digit < 10 ? 0x30 + digit : 0x57 + digit);
    }
  }

  /** Room for `count` bytes at the end, counted as written; 0 if there is none. */
  private reserve(count: usize): usize {
    if (count > this.capacity - this.used && !this.grow(count)) {
      this.lost = true;
      return 0;
    }
    const at = this.start + this.used;
    this.used += count;
    return at;
  }

  private grow(count: usize): bool {
    if (this.fixed) return false;
    const wanted = max(max(this.used + count, 2 * this.capacity), FIRST_CAPACITY);
    const larger = heapAllocate(wanted);
    if (!larger) return false;
    memory.copy(larger, this.start, this.used);
    if (this.start) heapFree(this.start);
    this.start = larger;
    this.capacity = wanted;
    return true;
  }
}

/** Number of digits of a value in a base; 0 has one. */
export function digitCount(value: u64, base: u64): u32 {
  let digits: u32 = 1;
  for (let rest = value / base; rest != 0 && digits < MAX_DIGITS; rest /= base) digits++;
  return digits;
}
