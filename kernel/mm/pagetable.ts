/** skeleton */
/** Bits of a page-table entry (Intel SDM vol. 3, 4.5). */
export const PTE_PRESENT: u64 = 1;
export const PTE_WRITE: u64 = 2;
export const PTE_USER: u64 = 4;
export const PTE_WRITE_THROUGH: u64 = 8;
export const PTE_CACHE_DISABLE: u64 = 16;
export const PTE_ACCESSED: u64 = 32;
export const PTE_DIRTY: u64 = 64;
export const PTE_HUGE: u64 = 128;
export const PTE_GLOBAL: u64 = 256;
export const PTE_NO_EXECUTE: u64 = 1 << 63;
export const PTE_ADDRESS: u64 = 0x000ffffffffff000;

/** Replaces the boot page tables by the final ones. */
export function initPagetables(): void {
  abort("unwritten");
}
/** Makes the kernel image W^X. */
export function protectKernelImage(): void {
  abort("unwritten");
}
/** Physical address of the kernel's own root table (no application). */
export function kernelRoot(): u64 {
  return 0;
}
/** A root table that shares the kernel's half; physical address, 0 = no memory. */
export function createRoot(): u64 {
  abort("unwritten");
  return 0;
}
/** Maps device registers, uncached; kernel address, 0 = no memory. */
export function mapKernel(physical: u64, sizeBytes: usize, flags: u64 = 0): usize {
  abort("unwritten");
  return 0;
}
/** Stack of `sizeBytes` above an unmapped guard page; returns its top, 0 = no memory. */
export function allocateKernelStack(sizeBytes: usize): usize {
  abort("unwritten");
  return 0;
}
export function freeKernelStack(top: usize): void {
  abort("unwritten");
}
