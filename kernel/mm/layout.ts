/**
 * Where things lie in the address space, and the conversion between physical addresses and the
 * direct map, in which all RAM is visible.
 *
 *   0                   .. USER_END      the application
 *   0xffff800000000000  ..               DIRECT_MAP: physical p is at DIRECT_MAP + p
 *   0xffffc00000000000  ..               KERNEL_MAP: kernel stacks, device registers
 *   0xffffffff80000000  ..               kernel image: physical p is at KERNEL_IMAGE + p
 */

export const PAGE_SHIFT: u32 = 12;
export const PAGE_SIZE: usize = 4096;
export const PAGE_MASK: usize = PAGE_SIZE - 1;
/** A 2 MiB page, as a buddy order and in bytes. */
export const HUGE_ORDER: u32 = 9;
export const HUGE_PAGE_SIZE: usize = PAGE_SIZE << (<usize>HUGE_ORDER);
export const HUGE_PAGE_MASK: usize = HUGE_PAGE_SIZE - 1;

export const USER_END: usize = 0x00007ffffffff000;
export const DIRECT_MAP: usize = 0xffff800000000000;
export const KERNEL_MAP: usize = 0xffffc00000000000;
export const KERNEL_IMAGE: usize = 0xffffffff80000000;

/** Start of the direct map; only unit tests, which have no page tables, ever change it. */
let directMap: usize = DIRECT_MAP;

/** Moves the direct map (unit tests: "RAM" is then a part of the Wasm memory). */
export function setDirectMap(address: usize): void {
  directMap = address;
}

/** Address at which physical memory is seen. */
export function toVirtual(physical: u64): usize {
  return directMap + <usize>physical;
}

/** Physical address of something seen through the direct map. */
export function toPhysical(directMapAddress: usize): u64 {
  return <u64>(directMapAddress - directMap);
}

/** Rounds up to a whole number of pages. */
export function pageRoundUp(value: usize): usize {
  return (value + PAGE_MASK) & ~PAGE_MASK;
}

/** Rounds down to a page boundary. */
export function pageRoundDown(value: usize): usize {
  return value & ~PAGE_MASK;
}
