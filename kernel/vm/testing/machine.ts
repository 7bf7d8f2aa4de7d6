/** What the tests of address spaces share: a machine in Node, constants of mmap(2), results. */
import assert from "node:assert/strict";
import { type KernelModule, loadKernelModule } from "../../../compiler/testing.ts";

export interface Exports {
  boot(ramBase: bigint, ramBytes: bigint): void;
  create(): number;
  destroySpace(): void;
  evict(): void;
  closeFiles(): number;
  map(
    address: bigint,
    length: bigint,
    prot: number,
    flags: number,
    file: number,
    offset: bigint,
  ): bigint;
  unmap(address: bigint, length: bigint): bigint;
  protect(address: bigint, length: bigint, prot: number): bigint;
  remap(address: bigint, oldLength: bigint, newLength: bigint, flags: number, to: bigint): bigint;
  advise(address: bigint, length: bigint, advice: number): bigint;
  residency(address: bigint, length: bigint, out: bigint): bigint;
  setBreak(address: bigint): void;
  brk(address: bigint): bigint;
  setMmapTop(address: bigint): void;
  residentPages(): bigint;
  usage(start: bigint, end: bigint, out: bigint): void;
  mappedBytes(): bigint;
  mappingCount(): bigint;
  access(address: bigint, write: number, execute: number): bigint;
  isHuge(address: bigint): number;
  mappingAt(address: bigint, out: bigint): number;
  freeFrameCount(): bigint;
  reservedFrameCount(): bigint;
  slabFrameCount(): bigint;
  largeFrameCount(): bigint;
}

export const PAGE = 4096n;
export const MIB = 1n << 20n;
export const HUGE = 2n * MIB;
export const RAM_BASE = 8n << 20n;
export const OUT = 4n << 20n;

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;
export const RW = PROT_READ | PROT_WRITE;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_GROWSDOWN = 0x100;
export const MAP_NORESERVE = 0x4000;
export const MAP_POPULATE = 0x8000;
export const MAP_FIXED_NOREPLACE = 0x100000;
export const MREMAP_MAYMOVE = 1;
export const MREMAP_FIXED = 2;
export const MREMAP_DONTUNMAP = 4;
export const MADV_RANDOM = 1;
export const MADV_DONTNEED = 4;
export const MADV_HUGEPAGE = 14;
export const MADV_NOHUGEPAGE = 15;
export const MADV_WIPEONFORK = 18;
export const MADV_POPULATE_WRITE = 23;
export const EEXIST = -17n;
export const EFAULT = -14n;
export const EINVAL = -22n;
export const ENOMEM = -12n;
export const EPERM = -1n;
export const EACCES = -13n;
export const VMA_NEVER_WRITE = -0x80000000;
export const MAPERR = -1n;
export const ACCERR = -2n;
export const SIGBUS = -3n;
export const OOM = -4n;

/** What happens while a page of a file is read, during which the address space is not locked. */
export const hooks = { whileReading: (_index: bigint): void => {} };

export const compiled = loadKernelModule<Exports>("kernel/vm/vm.testentry.ts", {
  pages: 2048,
  heap: "kernel/mm/heap",
  imports: () => ({
    "vm.testentry": { whileReading: (index: bigint) => hooks.whileReading(index) },
  }),
  symbols: {
    // The early heap lies in the module's memory; what is left of it looks like page 1 of the image.
    __data_start: 2n << 20n,
    __early_heap_start: 2n << 20n,
    __early_heap_end: (2n << 20n) + 0x20000n,
  },
});

/** A machine with an empty address space. */
export async function machine(megabytes: bigint): Promise<KernelModule<Exports>> {
  const kernel = (await compiled).fresh();
  kernel.exports.boot(RAM_BASE, megabytes * MIB);
  assert.equal(kernel.exports.create(), 1);
  return kernel;
}
