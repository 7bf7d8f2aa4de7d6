/**
 * Memory for objects made before the frame allocator runs: a block in the kernel image, handed out
 * from its start and never taken back, except the very last piece.
 *
 *   __early_heap_start ├─ objects ─┤─ rest: given to the frame allocator by initHeap ─┤ __early_heap_end
 *
 * The objects of module-level `new`, which the compiler made, lie in the image's data and are as
 * lasting. Where modules are initialised when they are loaded (unit tests), `new` ends here.
 */
import { __data_start, __early_heap_end, __early_heap_start } from "../arch/cpu";

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

/** True if the pointer came from `earlyAllocate` or from the compiler. */
export function isEarly(pointer: usize): bool {
  return pointer - __data_start() < position - __data_start();
}

/** Takes back the memory if it was the last handed out; otherwise it stays lost. */
export function earlyFree(pointer: usize): void {
  if (pointer == lastStart && !closed) {
    position = pointer;
    lastStart = 0;
  }
}

/** Ends early allocation; returns the address after the last byte in use. */
export function closeEarlyHeap(): usize {
  if (!position) position = __early_heap_start();
  closed = true;
  return position;
}
