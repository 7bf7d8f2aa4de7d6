/** Surface of the announcement parser for its tests. */
import { MmioAnnouncement, nextAnnouncement } from "./command-line";

const found = new MmioAnnouncement();

export function next(text: usize, length: usize, from: usize): bool {
  return nextAnnouncement(text, length, from, found);
}

export function sizeBytes(): u64 {
  return found.sizeBytes;
}

export function base(): u64 {
  return found.base;
}

export function irq(): u32 {
  return found.irq;
}

export function nextPosition(): usize {
  return found.next;
}
