/** Cuts a line into its words, one after the other. */
import { equalsLiteral } from "../../lib/bytes";

const SPACE: u8 = 0x20;
/** 2^63 - 1 has 19 digits, 2^64 - 1 has 20. */
const DIGITS_MAX: u32 = 20;

export class Words {
  private at: usize = 0;
  private end: usize = 0;
  /** The word that `next` found. */
  word: usize = 0;
  length: u32 = 0;
  /** What `readNumber` found. */
  number: u64 = 0;

  /** Begins with a line without its line end. */
  start(line: usize, bytes: usize): void {
    this.at = line;
    this.end = line + bytes;
    this.length = 0;
  }

  /** Goes to the next word; false if there is none. */
  next(): bool {
    let at = this.at;
    const end = this.end;
    while (at < end && load<u8>(at) == SPACE) at++;
    const start = at;
    while (at < end && load<u8>(at) != SPACE) at++;
    this.at = at;
    this.word = start;
    this.length = <u32>(at - start);
    return at != start;
  }

  is(text: string): bool {
    return equalsLiteral(this.word, this.length, text);
  }

  /** The next word as an unsigned decimal number in `number`; false if it is none. */
  readNumber(): bool {
    return this.next() && this.parse(this.word, this.length);
  }

  /** The next word as a decimal number, which may be negative; its two's complement in `number`. */
  readSigned(): bool {
    return this.next() && this.isSigned();
  }

  /** Whether the word is a decimal number, which may be negative; its two's complement in `number`. */
  isSigned(): bool {
    if (load<u8>(this.word) != 0x2d) return this.parse(this.word, this.length);
    if (!this.parse(this.word + 1, this.length - 1)) return false;
    this.number = 0 - this.number;
    return true;
  }

  private parse(at: usize, length: u32): bool {
    if (length == 0 || length > DIGITS_MAX) return false;
    let value: u64 = 0;
    for (let i: u32 = 0; i < length; i++) {
      const digit = load<u8>(at + i) - 0x30;
      if (digit > 9) return false;
      const next = value * 10 + digit;
      if (i == DIGITS_MAX - 1 && (value > u64.MAX_VALUE / 10 || next < value)) return false;
      value = next;
    }
    this.number = value;
    return true;
  }
}
