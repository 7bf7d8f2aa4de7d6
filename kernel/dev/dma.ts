/**
 * Addresses as devices see them. Devices address physical memory; there is no IOMMU.
 *
 * Neighbours: everything in `dev/` that shares memory with a device.
 */
import { compilerBarrier, mfence, rdtsc } from "../arch/cpu";

/** Start of the direct map of all RAM. */
const DIRECT_MAP: usize = 0xffff800000000000;
/** Virtual address of physical 0 in the kernel image's mapping. */
const IMAGE_BASE: usize = 0xffffffff80000000;

/**
 * Physical address of kernel memory: of the heap, a frame (direct map) or the kernel image.
 * Consecutive bytes of one heap block are physically consecutive. Addresses below the direct map are
 * returned unchanged: they occur only in tests, where memory is one flat array.
 */
export function physicalAddress(address: usize): u64 {
  if (address >= IMAGE_BASE) return address - IMAGE_BASE;
  if (address >= DIRECT_MAP) return address - DIRECT_MAP;
  return address;
}

/**
 * What was stored before becomes visible to devices before what is stored after. x86 keeps stores in
 * order, so only the compiler is held back.
 */
export function writeBarrier(): void {
  compilerBarrier();
}

/** What is loaded after is loaded after what was loaded before. Free on x86, as above. */
export function readBarrier(): void {
  compilerBarrier();
}

/**
 * Orders earlier stores before later loads: the one reordering that x86 does.
 *
 * QEMU before 8.0 emulates a single processor without any barrier, although its devices run in
 * threads of their own: a queue's index is then seen late, and the device, or this driver, waits for
 * ever for word of the other. Its reading of the clock takes a lock, and so is the barrier that MFENCE
 * is not there (docs/decisions/0016-barrier-under-emulation.md); elsewhere it costs some 20 cycles.
 */
export function fullBarrier(): void {
  rdtsc();
  mfence();
}
