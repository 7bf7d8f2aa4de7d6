/** Surface of the kernel's page tables for their unit tests. */
import { initHeap } from "./heap";
import { setDirectMap } from "./layout";
import { mapKernel } from "./kernel-map";
import { addMemory, initFrames, reserveMemory } from "./memory-map";

export { allocateFrame, freeFrameCount } from "./frames";
export {
  allocateKernelStack,
  createRoot,
  freeKernelStack,
  freeRoot,
  initPagetables,
  kernelRoot,
} from "./pagetable";
export { addMemory, initFrames, initHeap, reserveMemory, setDirectMap };

export function mapDevice(physical: u64, sizeBytes: usize, flags: u64): usize {
  return mapKernel(physical, sizeBytes, flags);
}
