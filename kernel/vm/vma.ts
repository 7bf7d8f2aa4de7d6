/**
 * A mapping (virtual memory area): a range of an address space whose pages have the same rights and
 * the same origin. Kept in the space's tree (`vma-tree`).
 */
import { heapAllocate, heapFree } from "../mm/heap";
import { MAP_GROWSDOWN, MAP_PRIVATE, MAP_SHARED } from "./flags";
import { Pager } from "./pager";

/** Bits of `Vma.flags` beside Linux's MAP_SHARED, MAP_PRIVATE and MAP_GROWSDOWN. */
/** Shared mapping of a file that was not opened for writing: PROT_WRITE can never be turned on. */
export const VMA_NEVER_WRITE: u32 = 0x80000000;
/** No 2 MiB pages (MADV_NOHUGEPAGE, stacks). */
export const VMA_NO_HUGE: u32 = 0x40000000;
/** 2 MiB pages wanted (MADV_HUGEPAGE). */
export const VMA_HUGE: u32 = 0x20000000;
/** Not inherited by fork (MADV_DONTFORK). */
export const VMA_NO_FORK: u32 = 0x10000000;
/** Zeroed in the child of a fork (MADV_WIPEONFORK). */
export const VMA_WIPE_ON_FORK: u32 = 0x08000000;
/** Pages are read in no order: neighbours of a faulting page are not mapped (MADV_RANDOM). */
export const VMA_RANDOM: u32 = 0x04000000;
/** The heap of brk(2). */
export const VMA_BREAK: u32 = 0x02000000;

/** What of mmap's flags a mapping remembers. */
export const VMA_FLAGS: u32 =
  MAP_SHARED |
  MAP_PRIVATE |
  MAP_GROWSDOWN |
  VMA_NEVER_WRITE |
  VMA_NO_HUGE |
  VMA_HUGE |
  VMA_NO_FORK |
  VMA_WIPE_ON_FORK |
  VMA_RANDOM |
  VMA_BREAK;

@unmanaged
export class Vma {
  /** First address, and the address after the last; whole pages. */
  start: usize;
  end: usize;
  /** PROT_ bits. */
  prot: u32;
  /** VMA_FLAGS bits. */
  flags: u32;
  /** Origin of the content, with a reference; null = anonymous. */
  pager: Pager | null;
  /** Offset in the file of `start`, in bytes. */
  offset: u64;
  /** Links of the tree. */
  treeLeft: usize;
  treeRight: usize;
  treeParent: usize;
  treeHeight: usize;
  /** Unmapped bytes between the mapping before this one and this one. */
  gapBefore: usize;
  /** Largest `gapBefore` in this mapping's subtree. */
  maxGap: usize;
  /** Address that the next fault has if memory is touched in ascending order. */
  nextTouch: usize;
  /** Pages mapped at once at such a fault. */
  touchPages: u32;

  get length(): usize {
    return this.end - this.start;
  }

  get isShared(): bool {
    return (this.flags & MAP_SHARED) != 0;
  }

  /** Page number in the file of an address of the mapping. */
  fileIndex(address: usize): u64 {
    return (this.offset + <u64>(address - this.start)) >> 12;
  }
}

/** A mapping that takes a reference to `pager`; null if there is no memory. */
export function createVma(
  start: usize,
  end: usize,
  prot: u32,
  flags: u32,
  pager: Pager | null,
  offset: u64,
): Vma | null {
  const memory = heapAllocate(offsetof<Vma>());
  if (!memory) return null;
  const vma = changetype<Vma>(memory);
  vma.start = start;
  vma.end = end;
  vma.prot = prot;
  vma.flags = flags & VMA_FLAGS;
  vma.pager = pager;
  vma.offset = offset;
  vma.nextTouch = 0;
  vma.touchPages = 1;
  if (pager) pager.retain();
  return vma;
}

/** Frees a mapping that is on no tree. May sleep (the last reference to a file). */
export function destroyVma(vma: Vma): void {
  const pager = vma.pager;
  if (pager) pager.release();
  heapFree(changetype<usize>(vma));
}

/** True if a mapping has these attributes. */
export function isAlike(vma: Vma, prot: u32, flags: u32, pager: Pager | null): bool {
  if (vma.prot != prot || vma.flags != (flags & VMA_FLAGS)) return false;
  return changetype<usize>(vma.pager) == changetype<usize>(pager);
}

/** True if `next`, which begins where `vma` ends, could be a part of it. */
export function continues(vma: Vma, next: Vma): bool {
  if (vma.end != next.start || !isAlike(vma, next.prot, next.flags, next.pager)) return false;
  return vma.pager == null || vma.offset + <u64>vma.length == next.offset;
}
