/**
 * What mappings really occupy: each page that is mapped, with whom else has it (proc(5): smaps, statm,
 * status). Counted by a walk over the page tables when somebody asks, so that faults keep no counters.
 *
 * Neighbours: `../fs/procfs/` writes it down; `residency.ts` tells of single pages.
 */
import { FRAME_CACHE, FRAME_DIRTY, frameByNumber } from "../mm/frame";
import { HUGE_PAGE_SIZE, PAGE_SIZE } from "../mm/layout";
import {
  entryAddress,
  entryFrame,
  entrySlot,
  isTable,
  levelShift,
  PTE_ACCESSED,
  PTE_DIRTY,
} from "../mm/pte";
import { directorySlot } from "../mm/user-tables";
import { zeroFrameNumber } from "../mm/zero-page";
import { AddressSpace } from "./address-space";

/** Bytes of mapped memory, by kind. */
export class PageUsage {
  resident: u64 = 0;
  /** Each page divided by how many mappings it has. */
  proportional: u64 = 0;
  proportionalDirty: u64 = 0;
  /** Pages of files, among them shared memory. */
  file: u64 = 0;
  sharedClean: u64 = 0;
  sharedDirty: u64 = 0;
  privateClean: u64 = 0;
  privateDirty: u64 = 0;
  referenced: u64 = 0;
  /** In pages of 2 MiB. */
  large: u64 = 0;

  /** Pages that no file has. */
  get anonymous(): u64 {
    return this.resident - this.file;
  }
}

/** Adds what is mapped in [start, end). Hold the space's lock. */
export function addUsage(space: AddressSpace, start: usize, end: usize, usage: PageUsage): void {
  let next: usize = 0;
  for (let at = start; at < end; at = next) {
    const directory = directorySlot(space.root, at, false);
    const span = directory ? HUGE_PAGE_SIZE : (<usize>1) << levelShift(3);
    next = min((at & ~(span - 1)) + span, end);
    if (!directory) continue;
    const entry = load<u64>(directory);
    if (isTable(entry)) addTable(entryAddress(entry), at, next, usage);
    else if (entry) addPage(entry, HUGE_PAGE_SIZE, usage);
  }
}

function addTable(table: u64, start: usize, end: usize, usage: PageUsage): void {
  let slot = entrySlot(table, 1, start);
  for (let at = start; at < end; at += PAGE_SIZE, slot += 8) {
    const entry = load<u64>(slot);
    if (entry) addPage(entry, PAGE_SIZE, usage);
  }
}

function addPage(entry: u64, bytes: u64, usage: PageUsage): void {
  const number = entryFrame(entry);
  // As in Linux, the page of zeros is nobody's.
  if (number == zeroFrameNumber()) return;
  const frame = frameByNumber(number);
  const isCached = frame.kind == FRAME_CACHE;
  // The page cache holds its pages as well.
  const mappings: u64 = max<u32>(isCached ? frame.references - 1 : frame.references, 1);
  const isDirty = (entry & PTE_DIRTY) != 0 || (frame.flags & FRAME_DIRTY) != 0;
  usage.resident += bytes;
  usage.proportional += bytes / mappings;
  if (isDirty) usage.proportionalDirty += bytes / mappings;
  if (isCached) usage.file += bytes;
  if (entry & PTE_ACCESSED) usage.referenced += bytes;
  if (bytes > PAGE_SIZE) usage.large += bytes;
  if (mappings > 1) {
    if (isDirty) usage.sharedDirty += bytes;
    else usage.sharedClean += bytes;
  } else if (isDirty) usage.privateDirty += bytes;
  else usage.privateClean += bytes;
}
