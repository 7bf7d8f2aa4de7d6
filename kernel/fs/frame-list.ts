/**
 * Doubly linked list of page frames, linked by frame numbers in their descriptors (0 = none; frame 0
 * is never allocated). Lock: the owner's. Neighbour: `arc`.
 */
import { Frame, frameByNumber, numberOf } from "../mm/frame";

export class FrameList {
  private first: u32 = 0;
  private last: u32 = 0;
  length: u64 = 0;

  /** The frame that was on the list longest, or null. */
  get front(): Frame | null {
    return this.first ? frameByNumber(this.first) : null;
  }

  pushBack(frame: Frame): void {
    const number = numberOf(frame);
    frame.next = 0;
    frame.previous = this.last;
    if (this.last) frameByNumber(this.last).next = number;
    else this.first = number;
    this.last = number;
    this.length++;
  }

  /** Takes a frame, which is on this list, off it. */
  remove(frame: Frame): void {
    if (frame.previous) frameByNumber(frame.previous).next = frame.next;
    else this.first = frame.next;
    if (frame.next) frameByNumber(frame.next).previous = frame.previous;
    else this.last = frame.previous;
    frame.next = 0;
    frame.previous = 0;
    this.length--;
  }
}
