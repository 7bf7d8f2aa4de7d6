/**
 * The kernel's half of every address space: built once, shared by all root tables.
 *
 *   level-4 entry 256…  direct map: all RAM, 2 MiB pages (1 GiB where possible), RW, no execution;
 *                       4 KiB pages around the kernel image, whose code and constants are read-only
 *                 384   KERNEL_MAP, filled on demand (`kernel-map`)
 *                 511   kernel image: code RX, constants R, data RW
 *
 * The root's upper entries never change after this, so new roots copy them and stay right.
 */
import {
  __image_end,
  __image_start,
  __rodata_end,
  __rodata_start,
  __text_end,
  __text_start,
  bootPageTables,
  bootPageTablesEnd,
  cpuid,
  writeCr3,
} from "../arch/cpu";
import { FRAME_TABLE, frameOf } from "./frame";
import { allocateZeroedFrame, giveFrames } from "./frames";
import {
  DIRECT_MAP,
  HUGE_PAGE_MASK,
  KERNEL_IMAGE,
  KERNEL_MAP,
  PAGE_MASK,
  PAGE_SIZE,
  pageRoundDown,
  pageRoundUp,
} from "./layout";
import { memoryRangeCount, memoryRangeEnd, memoryRangeStart } from "./memory-map";
import {
  entryAddress,
  entrySlot,
  isTable,
  levelShift,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_GLOBAL,
  PTE_HUGE,
  PTE_NO_EXECUTE,
  PTE_PRESENT,
  PTE_TABLE,
  PTE_USER,
  PTE_WRITE,
} from "./pte";

const GIB: usize = 1 << 30;
/** Rights of kernel data. */
export const KERNEL_DATA: u64 =
  PTE_PRESENT | PTE_WRITE | PTE_GLOBAL | PTE_NO_EXECUTE | PTE_ACCESSED | PTE_DIRTY;
const KERNEL_CONSTANT: u64 = PTE_PRESENT | PTE_GLOBAL | PTE_NO_EXECUTE | PTE_ACCESSED;
const KERNEL_CODE: u64 = PTE_PRESENT | PTE_GLOBAL | PTE_ACCESSED;

/** CPUID 0x80000001 EDX: 1 GiB pages. */
const CPUID_GIB_PAGES: u32 = 1 << 26;

let root: u64 = 0;

/** Physical address of the root table without an application. */
export function kernelRoot(): u64 {
  return root;
}

/**
 * Builds the final kernel tables, switches to them and frees those of the boot code.
 * @returns false if memory ran out
 */
export function initPagetables(): bool {
  root = newTable();
  if (!root) return false;
  const gibPages = (cpuid(0x80000001, 0, 3) & CPUID_GIB_PAGES) != 0;
  for (let i: u32 = 0; i < memoryRangeCount(); i++) {
    // Whole 2 MiB pages: the firmware's tables beside RAM are seen as well.
    const start = <usize>memoryRangeStart(i) & ~HUGE_PAGE_MASK;
    const end = (<usize>memoryRangeEnd(i) + HUGE_PAGE_MASK) & ~HUGE_PAGE_MASK;
    if (!mapDirect(start, end, gibPages)) return false;
  }
  if (!mapImage()) return false;
  if (!tableSlot(root, 3, KERNEL_MAP)) return false;
  writeCr3(root);
  giveFrames(<u64>(bootPageTables() - KERNEL_IMAGE), <u64>(bootPageTablesEnd() - KERNEL_IMAGE));
  return true;
}

/** A zeroed frame for a page table; physical address, 0 = no memory. */
export function newTable(): u64 {
  const physical = allocateZeroedFrame();
  if (physical) frameOf(physical).kind = FRAME_TABLE;
  return physical;
}

/**
 * Address of the entry of `level` (1..3) for a kernel address; makes the tables above it.
 * @returns 0 = no memory
 */
export function tableSlot(top: u64, level: u32, address: usize): usize {
  let table = top;
  for (let at: u32 = 4; at > level; at--) {
    const slot = entrySlot(table, at, address);
    const entry = load<u64>(slot);
    assert(entry == 0 || isTable(entry), "a large page is in the way of a kernel mapping");
    if (entry) table = entryAddress(entry);
    else {
      table = newTable();
      if (!table) return 0;
      // No user bit anywhere in the kernel's half.
      store<u64>(slot, table | (PTE_TABLE & ~PTE_USER));
    }
  }
  return entrySlot(table, level, address);
}

function mapDirect(start: usize, end: usize, gibPages: bool): bool {
  const imageStart = (__image_start() - KERNEL_IMAGE) & ~HUGE_PAGE_MASK;
  const imageEnd = (__image_end() - KERNEL_IMAGE + HUGE_PAGE_MASK) & ~HUGE_PAGE_MASK;
  let at = start;
  while (at < end) {
    let next: usize;
    if (at >= imageStart && at < imageEnd) {
      next = min(imageEnd, end);
      if (!fillImage(DIRECT_MAP, at, next, PTE_NO_EXECUTE)) return false;
    } else {
      const limit = at < imageStart ? min(imageStart, end) : end;
      const gibEnd = limit & ~(GIB - 1);
      if (gibPages && (at & (GIB - 1)) == 0 && gibEnd > at) {
        next = gibEnd;
        if (!fill(3, at, next)) return false;
      } else {
        next = gibPages ? min((at + GIB) & ~(GIB - 1), limit) : limit;
        if (!fill(2, at, next)) return false;
      }
    }
    at = next;
  }
  return true;
}

/** Maps physical [start, end) in the direct map by large pages of a level. */
function fill(level: u32, start: usize, end: usize): bool {
  const bytes = (<usize>1) << levelShift(level);
  let slot: usize = 0;
  for (let at = start; at < end; at += bytes, slot += 8) {
    if ((slot & PAGE_MASK) == 0) slot = tableSlot(root, level, DIRECT_MAP + at);
    if (!slot) return false;
    store<u64>(slot, <u64>at | KERNEL_DATA | PTE_HUGE);
  }
  return true;
}

/** Maps physical [start, end), in and around the image, at `base` by small pages. */
function fillImage(base: usize, start: usize, end: usize, denied: u64): bool {
  let slot: usize = 0;
  for (let at = start; at < end; at += PAGE_SIZE, slot += 8) {
    if ((slot & PAGE_MASK) == 0) slot = tableSlot(root, 1, base + at);
    if (!slot) return false;
    store<u64>(slot, <u64>at | rightsOfImage(at + KERNEL_IMAGE) | denied);
  }
  return true;
}

function mapImage(): bool {
  const start = pageRoundDown(__image_start()) - KERNEL_IMAGE;
  return fillImage(KERNEL_IMAGE, start, pageRoundUp(__image_end()) - KERNEL_IMAGE, 0);
}

/** Rights of the page at an address of the kernel image (also asked for addresses around it). */
function rightsOfImage(address: usize): u64 {
  if (address >= __text_start() && address < __text_end()) return KERNEL_CODE;
  if (address >= __rodata_start() && address < __rodata_end()) return KERNEL_CONSTANT;
  return KERNEL_DATA;
}
