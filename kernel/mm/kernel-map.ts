/**
 * Kernel mappings beside the direct map: device registers, and kernel stacks with a guard page.
 *
 *   KERNEL_MAP                        slots of stacks, each a power of two long:
 *     ┌───────┬──────────────┐          lowest page(s) unmapped, stack above, top at the slot's end
 *     │ guard │ ◄── stack    │
 *     └───────┴──────────────┘
 *   KERNEL_MAP + 256 GiB              device registers, one after another, never unmapped
 *
 * A few freed stacks stay mapped for the next thread. Addresses of slots are reused.
 *
 * Lock: `mapLock`; frames and heap are allocated inside it (their locks come after it).
 */
import { heapAllocate, heapFree } from "./heap";
import { allocateFrame, freeFrame } from "./frames";
import { KERNEL_DATA, kernelRoot, tableSlot } from "./kernel-tables";
import { KERNEL_MAP, PAGE_MASK, PAGE_SIZE, pageRoundUp } from "./layout";
import { entryAddress, PTE_CACHE_DISABLE, PTE_WRITE_THROUGH } from "./pte";
import { staticLock } from "./static-data";
import { flushKernelRange } from "./tlb";

const DEVICE_AREA: usize = KERNEL_MAP + ((<usize>1) << 38);
/** `mapKernel` flag: ordinary cacheable memory (firmware tables) instead of device registers. */
export const KERNEL_MAP_CACHED: u64 = 1;

/** Freed stacks that stay mapped, at most. */
const SPARE_STACKS: u32 = 8;

const mapLock = staticLock(memory.data(8));
let nextSlot: usize = KERNEL_MAP;
let nextDevice: usize = DEVICE_AREA;
/** Size in bytes of the stacks in the lists below; set by the first stack, all are alike. */
let stackBytes: usize = 0;
/** Freed stacks, still mapped: linked through the highest word of each. */
let spareStacks: usize = 0;
let spareCount: u32 = 0;

/** An unmapped slot that can be used again. */
@unmanaged
class FreeSlot {
  next: usize;
  address: usize;
}
let freeSlots: usize = 0;

/**
 * Maps physical memory that is not RAM: device registers, uncached, or with KERNEL_MAP_CACHED.
 * @returns kernel address that corresponds to `physical`; 0 = no memory
 */
export function mapKernel(physical: u64, sizeBytes: usize, flags: u64 = 0): usize {
  const offset = <usize>physical & PAGE_MASK;
  const length = pageRoundUp(offset + sizeBytes);
  const rights =
    flags & KERNEL_MAP_CACHED ? KERNEL_DATA : KERNEL_DATA | PTE_CACHE_DISABLE | PTE_WRITE_THROUGH;
  mapLock.acquire();
  const start = nextDevice;
  for (let at: usize = 0; at < length; at += PAGE_SIZE) {
    const slot = tableSlot(kernelRoot(), 1, start + at);
    if (!slot) {
      mapLock.release();
      return 0;
    }
    store<u64>(slot, (physical - <u64>offset + <u64>at) | rights);
  }
  nextDevice = start + length;
  mapLock.release();
  return start + offset;
}

/**
 * A kernel stack, content undefined, above an unmapped guard page.
 * @param sizeBytes whole pages; the same in all calls
 * @returns the address after its last byte (its top); 0 = no memory
 */
export function allocateKernelStack(sizeBytes: usize): usize {
  mapLock.acquire();
  if (!stackBytes) stackBytes = sizeBytes;
  assert(sizeBytes == stackBytes && (sizeBytes & PAGE_MASK) == 0, "kernel stacks must be alike");
  let top = spareStacks;
  if (top) {
    spareStacks = load<usize>(top - sizeof<usize>());
    spareCount--;
  } else top = mapStack(takeSlot() + slotBytes());
  mapLock.release();
  return top;
}

/** Returns a stack from `allocateKernelStack`; nobody runs on it any more. */
export function freeKernelStack(top: usize): void {
  mapLock.acquire();
  if (spareCount < SPARE_STACKS) {
    store<usize>(top - sizeof<usize>(), spareStacks);
    spareStacks = top;
    spareCount++;
  } else unmapStack(top, top - stackBytes, top);
  mapLock.release();
}

/** Size of a slot: the smallest power of two that holds a stack and a guard page. */
function slotBytes(): usize {
  return (<usize>1) << (64 - clz<usize>(stackBytes + PAGE_SIZE - 1));
}

function takeSlot(): usize {
  const free = changetype<FreeSlot>(freeSlots);
  if (freeSlots) {
    const address = free.address;
    freeSlots = free.next;
    heapFree(changetype<usize>(free));
    return address;
  }
  const address = nextSlot;
  nextSlot += slotBytes();
  return address;
}

/** Remembers an unmapped slot. Without memory for that its addresses are lost, which is harmless. */
function putSlot(address: usize): void {
  const record = heapAllocate(offsetof<FreeSlot>());
  if (!record) return;
  const free = changetype<FreeSlot>(record);
  free.next = freeSlots;
  free.address = address;
  freeSlots = record;
}

function mapStack(top: usize): usize {
  for (let at = top - stackBytes; at < top; at += PAGE_SIZE) {
    const slot = tableSlot(kernelRoot(), 1, at);
    const frame = slot ? allocateFrame() : 0;
    if (!frame) {
      unmapStack(top, top - stackBytes, at);
      return 0;
    }
    store<u64>(slot, frame | KERNEL_DATA);
  }
  return top;
}

/** Unmaps and frees the pages of a stack from `from` up to `limit`, then its slot. */
function unmapStack(top: usize, from: usize, limit: usize): void {
  for (let at = from; at < limit; at += PAGE_SIZE) {
    const slot = tableSlot(kernelRoot(), 1, at);
    const entry = load<u64>(slot);
    store<u64>(slot, 0);
    flushKernelRange(at, at + PAGE_SIZE);
    freeFrame(entryAddress(entry));
  }
  putSlot(top - slotBytes());
}
