/**
 * Memory at boot: one call of the boot story, after `readStartInfo` and before anything that needs
 * frames, the heap beyond the early one, or kernel mappings.
 */
import {
  memoryRegionCount,
  memoryRegionEnd,
  memoryRegionStart,
  moduleAddress,
  moduleSizeBytes,
} from "../arch/bootinfo";
import { __image_end, __image_start } from "../arch/cpu";
import { panic } from "../lib/panic";
import { initHeap } from "./heap";
import { initPagetables } from "./kernel-tables";
import { KERNEL_IMAGE } from "./layout";
import { initPageContent } from "./page-content";
import { addMemory, initFrames, reserveMemory } from "./memory-map";

/** Frames, page tables and heap from BootInfo. */
export function initMemory(): void {
  initPageContent();
  for (let i: u32 = 0; i < memoryRegionCount(); i++) {
    addMemory(memoryRegionStart(i), memoryRegionEnd(i));
  }
  reserveMemory(<u64>(__image_start() - KERNEL_IMAGE), <u64>(__image_end() - KERNEL_IMAGE));
  const moduleBytes = moduleSizeBytes();
  if (moduleBytes) reserveMemory(moduleAddress(), moduleAddress() + moduleBytes);
  if (!initFrames()) panic("no RAM has room for the frame table: give the machine more memory");
  if (!initPagetables())
    panic("no memory for the kernel's page tables: give the machine more memory");
  initHeap();
}
