/**
 * Page-table entries of x86-64 (Intel SDM vol. 3, §4.5): bits, and how an address is cut up.
 *
 *   63   52 51                    12 11   9 8 7 6 5 4 3 2 1 0
 *   NX      physical address of      free  G H D A C W U W P    C cache disable, W(3) write through,
 *           the page or next table                              H 2 MiB page (PAT bit in level 1)
 *
 *   address  47..39 level 4   38..30 level 3   29..21 level 2   20..12 level 1   11..0 byte
 */
import { toVirtual } from "./layout";

export const PTE_PRESENT: u64 = 1;
export const PTE_WRITE: u64 = 2;
export const PTE_USER: u64 = 4;
export const PTE_WRITE_THROUGH: u64 = 8;
export const PTE_CACHE_DISABLE: u64 = 16;
export const PTE_ACCESSED: u64 = 32;
export const PTE_DIRTY: u64 = 64;
export const PTE_HUGE: u64 = 128;
export const PTE_GLOBAL: u64 = 256;
/** Ours: the page is in memory but PROT_NONE, so PTE_PRESENT is off. */
export const PTE_KEPT: u64 = 1 << 9;
export const PTE_NO_EXECUTE: u64 = 1 << 63;
export const PTE_ADDRESS: u64 = 0x000ffffffffff000;

/** An entry that leads to another table: rights are decided in the last level. */
export const PTE_TABLE: u64 = PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED;

export const ENTRIES: u32 = 512;

/** log2 of the bytes that one entry of a table of this level (1..4) maps. */
export function levelShift(level: u32): usize {
  return 3 + 9 * <usize>level;
}

/** Address of the entry for `address` in the table at physical address `table`. */
export function entrySlot(table: u64, level: u32, address: usize): usize {
  return toVirtual(table) + (((address >> levelShift(level)) & 511) << 3);
}

/** Physical address of the page or table an entry leads to. */
export function entryAddress(entry: u64): u64 {
  return entry & PTE_ADDRESS;
}

/** Number of the frame an entry leads to. */
export function entryFrame(entry: u64): u32 {
  return <u32>((entry & PTE_ADDRESS) >> 12);
}

/** True if the entry leads to another table (levels 2 to 4). */
export function isTable(entry: u64): bool {
  return (entry & (PTE_PRESENT | PTE_HUGE)) == PTE_PRESENT;
}
