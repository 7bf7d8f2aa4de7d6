/**
 * Input of a terminal between the keyboard and the program: a ring of bytes in which the ends of
 * lines are marked, and whose last, unfinished line can still be edited.
 *
 *       head                 lineStart              tail
 *        | finished lines      | line being typed     |
 *
 * Positions count bytes and never wrap; a position modulo the size is an offset.
 * Not locked: the terminal's lock guards it. Neighbour: `console/line-discipline`.
 */
import { heapAllocate } from "../../mm/heap";

/** A power of two. Linux's terminals have the same size, and programs rely on it. */
export const INPUT_QUEUE_BYTES: u32 = 4096;
const MARK_BYTES: u32 = INPUT_QUEUE_BYTES / 8;

/** Stands for the end-of-file character; ends a line and is not delivered. */
export const END_OF_FILE: u8 = 0;

export class InputQueue {
  /** Where the next byte is read. */
  head: u32 = 0;
  /** Start of the line being typed; everything before is ready in canonical mode. */
  lineStart: u32 = 0;
  /** Where the next byte is stored. */
  tail: u32 = 0;
  /** Counts how often the queue was emptied behind the back of a reader. */
  flushes: u32 = 0;
  private bytes: usize = 0;
  private marks: usize = 0;

  /** @returns false without memory */
  allocate(): bool {
    this.bytes = heapAllocate(INPUT_QUEUE_BYTES);
    this.marks = heapAllocate(MARK_BYTES);
    if (this.bytes == 0 || this.marks == 0) return false;
    memory.fill(this.marks, 0, MARK_BYTES);
    return true;
  }

  count(): u32 {
    return this.tail - this.head;
  }

  room(): u32 {
    return INPUT_QUEUE_BYTES - this.count();
  }

  private offset(position: u32): usize {
    return <usize>(position & (INPUT_QUEUE_BYTES - 1));
  }

  /** The byte at a position. */
  at(position: u32): u8 {
    return load<u8>(this.bytes + this.offset(position));
  }

  /** True if the byte at a position ends a line. */
  endsLine(position: u32): bool {
    const offset = this.offset(position);
    return (load<u8>(this.marks + offset / 8) & (1 << (<u8>offset & 7))) != 0;
  }

  private setMark(position: u32, on: bool): void {
    const offset = this.offset(position);
    const cell = this.marks + offset / 8;
    const bit: u8 = 1 << (<u8>offset & 7);
    const old = load<u8>(cell);
    store<u8>(cell, on ? old | bit : old & ~bit);
  }

  /** Appends a byte of the line being typed; there must be room. */
  put(byte: u8): void {
    store<u8>(this.bytes + this.offset(this.tail), byte);
    this.setMark(this.tail, false);
    this.tail++;
  }

  /** Appends a byte that ends the line. */
  putEnd(byte: u8): void {
    this.put(byte);
    this.setMark(this.tail - 1, true);
    this.lineStart = this.tail;
  }

  /** Takes back the last byte of the line being typed. */
  unput(): void {
    this.tail--;
  }

  /** Everything that is there becomes one finished line (the terminal turned canonical). */
  finishAll(): void {
    for (let position = this.head; position != this.tail; position++) {
      this.setMark(position, false);
    }
    if (this.tail != this.head) this.setMark(this.tail - 1, true);
    this.lineStart = this.tail;
  }

  /** Drops everything. */
  flush(): void {
    this.head = this.tail;
    this.lineStart = this.tail;
    this.flushes++;
  }

  /** Address of the byte at a position; `contiguous` says how many follow it in memory. */
  addressOf(position: u32): usize {
    return this.bytes + this.offset(position);
  }

  contiguous(position: u32): u32 {
    return INPUT_QUEUE_BYTES - <u32>this.offset(position);
  }
}
