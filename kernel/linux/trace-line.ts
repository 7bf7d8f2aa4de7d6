/**
 * A piece of text for the trace, of bounded length, with the writers for each kind of value. What
 * does not fit is dropped. Knows nothing of system calls or of the application's memory.
 *
 * Neighbour: `trace.ts`.
 */
import { heapAllocate, heapFree } from "../mm/heap";

/** Most bytes of one piece. */
const CAPACITY: usize = 1000;

/** A text under construction, on the heap. */
export class TraceLine {
  readonly address: usize = heapAllocate(CAPACITY);
  length: usize = 0;

  /** Frees the text and the object. */
  destroy(): void {
    if (this.address != 0) heapFree(this.address);
    __free(changetype<usize>(this));
  }

  byte(value: u8): void {
    if (this.address == 0 || this.length == CAPACITY) return;
    store<u8>(this.address + this.length++, value);
  }

  /** ASCII text. */
  text(text: string): void {
    for (let i = 0, n = text.length; i < n; i++) this.byte(<u8>text.charCodeAt(i));
  }

  decimal(value: u64): void {
    if (value >= 10) this.decimal(value / 10);
    this.byte(0x30 + <u8>(value % 10));
  }

  signed(value: i64): void {
    if (value < 0) this.byte(0x2d);
    this.decimal(<u64>(value < 0 ? -value : value));
  }

  octal(value: u64): void {
    if (value >= 8) this.octal(value >> 3);
    else this.byte(0x30);
    if (value != 0) this.byte(0x30 + <u8>(value & 7));
  }

  hexadecimal(value: u64): void {
    this.text("0x");
    this.nibbles(value);
  }

  private nibbles(value: u64): void {
    if (value > 15) this.nibbles(value >> 4);
    const nibble = <u8>(value & 15);
    this.byte(nibble < 10 ? 0x30 + nibble : 0x57 + nibble);
  }

  /** Bytes between quotation marks, with what is not printable as in C. */
  quoted(bytes: usize, count: usize): void {
    this.byte(0x22);
    for (let i: usize = 0; i < count; i++) {
      const byte = load<u8>(bytes + i);
      if (byte == 0x0a) this.text("\\n");
      else if (byte == 0x09) this.text("\\t");
      else if (byte == 0x0d) this.text("\\r");
      else if (byte == 0x22 || byte == 0x5c) {
        this.byte(0x5c);
        this.byte(byte);
      } else if (byte >= 0x20 && byte < 0x7f) this.byte(byte);
      else {
        this.text("\\x");
        if (byte < 16) this.byte(0x30);
        this.nibbles(byte);
      }
    }
    this.byte(0x22);
  }

  /**
   * A value by name. `names` is `NAME=number ...`, from character `from` on.
   * @param isFlags several names joined by `|`; otherwise exactly one
   * @returns bits that have no name; `value` if it is a number without a name
   */
  named(names: string, from: i32, value: u64, isFlags: bool): u64 {
    let rest = value;
    let start = from;
    const end = names.length;
    while (start < end) {
      let equals = start;
      while (names.charCodeAt(equals) != 0x3d) equals++;
      let number: u64 = 0;
      let next = equals + 1;
      while (next < end && names.charCodeAt(next) != 0x20) {
        number = number * 10 + <u64>(names.charCodeAt(next++) - 0x30);
      }
      const isMatch = isFlags ? number != 0 && (rest & number) == number : number == value;
      if (isMatch) {
        if (isFlags && rest != value) this.byte(0x7c);
        for (let i = start; i < equals; i++) this.byte(<u8>names.charCodeAt(i));
        if (!isFlags) return 0;
        rest &= ~number;
      }
      start = next + 1;
    }
    return rest;
  }
}
