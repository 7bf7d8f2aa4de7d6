/** Surface of address spaces for their unit tests, with files whose pages a test can evict. */
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { initHeap } from "../mm/heap";
import {
  addMemory,
  allocateUserFrame,
  FRAME_CACHE,
  FRAME_DIRTY,
  frameOf,
  freeFrame,
  initFrames,
  retainFrame,
  setReclaimer,
  toVirtual,
} from "../mm/frames";
import { setDirectMap } from "../mm/layout";
import { initPageContent } from "../mm/page-content";
import { entryAddress, PTE_HUGE, PTE_NO_EXECUTE, PTE_PRESENT, PTE_WRITE } from "../mm/pte";
import { findEntry } from "../mm/user-tables";
import { AddressSpace } from "./address-space";
import { FAULT_RESOLVED } from "./flags";
import { Pager } from "./pager";
import { addUsage, PageUsage } from "./usage";

export { freeFrameCount, reservedFrameCount } from "../mm/frames";
export { largeFrameCount } from "../mm/heap";
export { slabFrameCount } from "../mm/slab";

const FILE_PAGES: u64 = 64;
const FILES: u32 = 3;

/** The test, which may change the address space while a page is read. */
declare function whileReading(index: u64): void;

/** A file of FILE_PAGES pages; page i of file n starts with the number n * 1000000 + i + 1. */
class TestPager extends Pager {
  private frames: StaticArray<u64> = new StaticArray<u64>(<i32>FILE_PAGES);
  destroyed: bool = false;

  constructor(
    private number: u32,
    private knowsCache: bool,
  ) {
    super();
  }

  page(index: u64, forWrite: bool): i64 {
    whileReading(index);
    let frame = this.frames[<i32>index];
    if (!frame) {
      frame = allocateUserFrame();
      if (!frame) return -12;
      frameOf(frame).kind = FRAME_CACHE;
      memory.fill(toVirtual(frame), 0, 4096);
      store<u64>(toVirtual(frame), <u64>this.number * 1000000 + index + 1);
      this.frames[<i32>index] = frame;
    }
    if (forWrite) frameOf(frame).flags |= FRAME_DIRTY;
    retainFrame(frameOf(frame));
    return <i64>frame;
  }

  cachedPage(index: u64): u64 {
    const frame = this.knowsCache ? this.frames[<i32>index] : 0;
    if (frame) retainFrame(frameOf(frame));
    return frame;
  }

  sizeBytes(): u64 {
    return FILE_PAGES * 4096 - 100;
  }

  writePath(out: ByteWriter): void {
    out.writeString("file");
  }

  /** Frees the pages that nobody maps and, unless all are to go, nobody wrote to; returns how many. */
  evict(all: bool): u64 {
    let count: u64 = 0;
    for (let i = 0; i < <i32>FILE_PAGES; i++) {
      const frame = this.frames[i];
      if (!frame || frameOf(frame).references != 1) continue;
      if (!all && frameOf(frame).flags & FRAME_DIRTY) continue;
      this.frames[i] = 0;
      freeFrame(frame);
      count++;
    }
    return count;
  }

  destroy(): void {
    this.evict(true);
    free(this.frames);
    free(this);
  }
}

const files = new StaticArray<TestPager | null>(FILES);
let current: AddressSpace | null = null;

function space(): AddressSpace {
  assert(current != null, "create() comes first");
  return changetype<AddressSpace>(current);
}

function evictAll(_frames: u64): u64 {
  let count: u64 = 0;
  for (let i: u32 = 0; i < FILES; i++) {
    const file = files[i];
    if (file) count += file.evict(false);
  }
  return count;
}

export function boot(ramBase: usize, ramBytes: u64): void {
  initPageContent();
  setDirectMap(ramBase);
  addMemory(4096, ramBytes);
  initFrames();
  initHeap();
  setReclaimer(evictAll);
  for (let i: u32 = 0; i < FILES; i++) files[i] = new TestPager(i, i != 2);
}

export function create(): bool {
  current = AddressSpace.create();
  return current != null;
}

export function destroySpace(): void {
  space().destroy();
  current = null;
}

export function evict(): void {
  evictAll(0);
}

/** Frees the files; false if somebody still holds one. */
export function closeFiles(): bool {
  for (let i: u32 = 0; i < FILES; i++) {
    const file = changetype<TestPager>(files[i]);
    if (file.referenceCount() != 1) return false;
    file.release();
  }
  return true;
}

/** @param file number of the file; -1 = anonymous */
export function map(
  address: usize,
  length: usize,
  prot: u32,
  flags: u32,
  file: i32,
  offset: u64,
): i64 {
  return space().map(address, length, prot, flags, file < 0 ? null : files[file], offset);
}

export function unmap(address: usize, length: usize): i64 {
  return space().unmap(address, length);
}

export function protect(address: usize, length: usize, prot: u32): i64 {
  return space().protect(address, length, prot);
}

export function remap(
  address: usize,
  oldLength: usize,
  newLength: usize,
  flags: u32,
  to: usize,
): i64 {
  return space().remap(address, oldLength, newLength, flags, to);
}

export function advise(address: usize, length: usize, advice: i32): i64 {
  return space().advise(address, length, advice);
}

export function residency(address: usize, length: usize, out: usize): i64 {
  return space().residency(address, length, out);
}

export function setBreak(address: usize): void {
  space().setBreakStart(address);
}

export function brk(address: usize): usize {
  return space().brk(address);
}

export function setMmapTop(address: usize): void {
  space().mmapTop = address;
}

export function residentPages(): u64 {
  return space().residentPages();
}

/** Counts what is mapped in a range: resident, proportional, of files, shared, dirty, large bytes to `out`. */
export function usage(start: usize, end: usize, out: usize): void {
  const usage = new PageUsage();
  addUsage(space(), start, end, usage);
  store<u64>(out, usage.resident);
  store<u64>(out + 8, usage.proportional);
  store<u64>(out + 16, usage.file);
  store<u64>(out + 24, usage.sharedClean + usage.sharedDirty);
  store<u64>(out + 32, usage.privateDirty + usage.sharedDirty);
  store<u64>(out + 40, usage.large);
  free(usage);
}

export function mappedBytes(): u64 {
  return space().mappedBytes();
}

export function mappingCount(): usize {
  return space().tree.length;
}

/**
 * What the processor does at an access: translates, faults, translates again.
 * @returns the page's address in the direct map, or the negative FAULT_ value
 */
export function access(address: usize, write: bool, execute: bool): i64 {
  for (let attempt = 0; attempt < 2; attempt++) {
    const entry = findEntry(space().root, address);
    if (
      entry & PTE_PRESENT &&
      (!write || entry & PTE_WRITE) &&
      !(execute && entry & PTE_NO_EXECUTE)
    ) {
      const inside: u64 = entry & PTE_HUGE ? (1 << 21) - 1 : 4095;
      return <i64>toVirtual((entryAddress(entry) & ~inside) + (<u64>address & inside));
    }
    const result = space().handleFault(address, write, execute, true);
    if (result != FAULT_RESOLVED) return -(<i64>result);
  }
  return -999;
}

/** True if the page is part of a 2 MiB page. */
export function isHuge(address: usize): bool {
  return (findEntry(space().root, address) & PTE_HUGE) != 0;
}

/** Writes start, end, prot and flags of the mapping at or above `address`; false if none. */
export function mappingAt(address: usize, out: usize): bool {
  const vma = space().findVma(address);
  if (!vma) return false;
  store<usize>(out, vma.start);
  store<usize>(out, vma.end, 8);
  store<u32>(out, vma.prot, 16);
  store<u32>(out, vma.flags, 20);
  return true;
}
