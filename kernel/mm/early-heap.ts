/**
 * Memory for objects made before the frame allocator runs (module-level `new`): a block in the
 * kernel image, handed out from its start and never taken back, except the very last piece.
 *
 *   __early_heap_start ├─ objects ─┤─ rest: given to the frame allocator by initHeap ─┤ __early_heap_end
 */
import { __early_heap_end, __early_heap_start } from "../arch/cpu";

/** Alignment of every allocation, of the slabs also. */
const ALIGNMENT: usize = 16;

let position: usize = 0;
let lastStart: usize = 0;
let closed: bool = false;

/** Returns 16-byte aligned memory; 0 when the early heap is full or closed. */
export function earlyAllocate(sizeBytes: usize): usize {
  if (closed) return 0;
  if (!position) position = __early_heap_start();
  const start = position;
  const end = start + ((sizeBytes + (ALIGNMENT - 1)) & ~(ALIGNMENT - 1));
  if (end > __early_heap_end() || end < start) return 0;
  lastStart = start;
  position = end;
  return start;
}

/** True if the pointer came from `earlyAllocate`. */
export function isEarly(pointer: usize): bool {
  return pointer - __early_heap_start() < position - __early_heap_start();
}

/** Takes back the memory if it was the last handed out; otherwise it stays lost. */
export function earlyFree(pointer: usize): void {
  if (pointer == lastStart && !closed) {
    position = pointer;
    lastStart = 0;
  }
}

/** Bytes between the pointer and the end of what was handed out: at least its allocation's size. */
export function earlySizeLimit(pointer: usize): usize {
  return position - pointer;
}

/** Ends early allocation; returns the address after the last byte in use. */
export function closeEarlyHeap(): usize {
  if (!position) position = __early_heap_start();
  closed = true;
  return position;
}
