/**
 * What a request is answered with: bytes appended to whatever carries them, a stream (`stream-reply.ts`)
 * or datagrams (`datagrams.ts`). Without memory the reply is cut off and says so; nothing fails on the way.
 */
import { copyLiteral } from "../../lib/bytes";
import { digitsOf, writeDigits } from "./store";

export abstract class Reply {
  /** Memory ran out: what was written is not all of the answer. */
  isLost: bool = false;
  /** Bytes given to whatever carries them, for the statistics. */
  written: u64 = 0;

  /** Room for `bytes` in one piece, at most RESERVE_MAX; `commit` says how many were used. */
  protected abstract reserve(bytes: u32): usize;
  protected abstract commit(bytes: u32): void;

  /** So much waits to be sent that further requests have to wait. */
  abstract get isFull(): bool;

  /** Appends bytes of any length. */
  abstract writeBytes(address: usize, bytes: usize): void;

  /** Appends an (ASCII) literal, at most RESERVE_MAX long. */
  writeText(text: string): void {
    this.commit(<u32>copyLiteral(this.reserve(<u32>text.length), text));
  }

  writeByte(byte: u8): void {
    store<u8>(this.reserve(1), byte);
    this.commit(1);
  }

  /** Appends a number in decimal. */
  writeNumber(value: u64): void {
    const digits = digitsOf(value);
    writeDigits(value, this.reserve(digits), digits);
    this.commit(digits);
  }

  /** Appends numbers in network order. */
  write16(value: u32): void {
    store<u16>(this.reserve(2), bswap<u16>(<u16>value));
    this.commit(2);
  }

  write32(value: u32): void {
    store<u32>(this.reserve(4), bswap<u32>(value));
    this.commit(4);
  }

  write64(value: u64): void {
    store<u64>(this.reserve(8), bswap<u64>(value));
    this.commit(8);
  }
}

/** Most bytes that `reserve` gives in one piece. */
export const RESERVE_MAX: u32 = 512;
