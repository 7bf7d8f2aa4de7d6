/** Memory for test entries: frames and heap in a part of the module's memory. */
import { initHeap } from "../../mm/heap";
import { setDirectMap } from "../../mm/layout";
import { addMemory, initFrames } from "../../mm/memory-map";

/** "RAM" of `bytes` bytes at `base`; false if it is too small. */
export function startMemory(base: usize, bytes: u64): bool {
  setDirectMap(base);
  addMemory(0, bytes);
  if (!initFrames()) return false;
  initHeap();
  return true;
}
