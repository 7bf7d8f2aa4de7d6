/** A heap for compiler tests: hands out static memory and takes nothing back. */
const area: usize = memory.data(65536, 16);
let used: usize = 0;

export function heapAllocate(sizeBytes: usize): usize {
  const start = area + used;
  used += (sizeBytes + 15) & ~15;
  return used <= 65536 ? start : 0;
}

export function heapFree(pointer: usize): void {}
