/** skeleton */
/** Frames, page tables and heap from BootInfo: one call of the boot story, after readStartInfo. */
export function initMemory(): void {
  abort("unwritten");
}
