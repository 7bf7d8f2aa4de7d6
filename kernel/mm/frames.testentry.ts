/** Surface of the frame allocator and the heap for their unit tests. */
import { firstFree, MAX_ORDER, nextFree } from "./buddy";
import { initHeap } from "./heap";
import { setDirectMap } from "./layout";
import { addMemory, initFrames, reserveMemory } from "./memory-map";

export {
  allocateFrame,
  allocateFrames,
  allocateUserBlock,
  allocateUserFrame,
  drainFrameCache,
  freeFrame,
  freeFrameCount,
  freeFrames,
  giveFrames,
  isMemoryShort,
  reservedFrameCount,
  splitFrames,
  totalFrameCount,
} from "./frames";
export { heapAllocate, heapFree, heapSize, largeFrameCount } from "./heap";
export { slabFrameCount } from "./slab";
export { addMemory, initFrames, initHeap, reserveMemory, setDirectMap };

/** Writes order and first frame number of every free block as pairs of u32; returns their number. */
export function listFreeBlocks(out: usize, capacity: u32): u32 {
  let count: u32 = 0;
  for (let order: u32 = 0; order <= MAX_ORDER; order++) {
    for (let number = firstFree(order); number && count < capacity; number = nextFree(number)) {
      store<u32>(out + <usize>count * 8, order);
      store<u32>(out + <usize>count * 8, number, 4);
      count++;
    }
  }
  return count;
}
