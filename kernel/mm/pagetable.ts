/**
 * Page tables: one place for what other folders use, and the roots of address spaces. How the
 * application's half is filled, changed and emptied is in `user-tables`.
 */
import { FRAME_TABLE, frameOf } from "./frame";
import { allocateAnonymousFrame, freeFrame } from "./frames";
import { kernelRoot } from "./kernel-tables";
import { PAGE_SIZE, toVirtual } from "./layout";

export { allocateKernelStack, freeKernelStack, KERNEL_MAP_CACHED, mapKernel } from "./kernel-map";
export { initPagetables, kernelRoot } from "./kernel-tables";
export * from "./pte";
export { flushRange, setRemoteFlush, setRemoteLeave } from "./tlb";

/** Half of a root table, in bytes: the application's entries come first. */
const HALF: usize = PAGE_SIZE / 2;

/** A root table with an empty application half that shares the kernel's; 0 = no memory. */
export function createRoot(): u64 {
  const root = allocateAnonymousFrame();
  if (!root) return 0;
  frameOf(root).kind = FRAME_TABLE;
  memory.fill(toVirtual(root), 0, HALF);
  memory.copy(toVirtual(root) + HALF, toVirtual(kernelRoot()) + HALF, HALF);
  return root;
}

/** True if nothing is left in the application's half of a root; for assertions. */
export function isUserHalfEmpty(root: u64): bool {
  const table = toVirtual(root);
  let found: u64 = 0;
  for (let at: usize = 0; at < HALF; at += 32) {
    const entry = table + at;
    found |= load<u64>(entry) | load<u64>(entry, 8) | load<u64>(entry, 16) | load<u64>(entry, 24);
  }
  return found == 0;
}

/** Frees a root whose application half is empty. It must not be in CR3 of any processor. */
export function freeRoot(root: u64): void {
  freeFrame(root);
}
