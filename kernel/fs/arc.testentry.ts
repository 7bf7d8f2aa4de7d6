/** Surface of the replacement policy for its test: frames are pages of one file, by number. */
import { Frame, frameByNumber, numberOf } from "../mm/frame";
import { Arc, ArcPages, PAGE_EVICTED, PAGE_HELD, PAGE_USED } from "./arc";

export { startMemory } from "./testing/memory";

/** Key, use mark and hold mark of a page live in its frame; evicted frames are written to a log. */
class TestPages extends ArcPages {
  keyOf(frame: Frame): u64 {
    return frame.index;
  }

  judge(frame: Frame): u32 {
    if (frame.flags & 1) {
      frame.flags &= ~1;
      return PAGE_USED;
    }
    return frame.flags & 2 ? PAGE_HELD : PAGE_EVICTED;
  }

  discard(frame: Frame): void {
    store<u32>(log + <usize>logged * 4, numberOf(frame));
    logged++;
  }
}

const arc = new Arc(new TestPages());
let log: usize = 0;
let logged: u32 = 0;

/** Takes a page in; `number` is any frame that is not in. */
export function insert(number: u32, key: u64): void {
  const frame = frameByNumber(number);
  frame.index = key;
  frame.flags = 0;
  arc.insert(frame);
}

export function touch(number: u32): void {
  frameByNumber(number).flags |= 1;
}

export function hold(number: u32, isHeld: bool): void {
  const frame = frameByNumber(number);
  if (isHeld) frame.flags |= 2;
  else frame.flags &= ~2;
}

export function remove(number: u32): void {
  arc.remove(frameByNumber(number));
}

/** Evicts and writes the frames' numbers to `out` (u32 each). */
export function evict(wanted: u64, out: usize): u64 {
  log = out;
  logged = 0;
  return arc.evict(wanted);
}

export function length(): u64 {
  return arc.length;
}
export function recentLength(): u64 {
  return arc.recentLength;
}
export function target(): u64 {
  return arc.recentTarget;
}
export function recentGhosts(): u64 {
  return arc.recentGhostCount;
}
export function frequentGhosts(): u64 {
  return arc.frequentGhostCount;
}
