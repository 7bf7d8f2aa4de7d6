/** skeleton */
import { Pager } from "./pager";
import { Vma } from "./vma";
export * from "./flags";

export class AddressSpace {
  /** Physical address of the root table: value of CR3. */
  root: u64 = 0;

  /** A space without mappings; null if there is no memory. */
  static create(): AddressSpace | null {
    return null;
  }
  /** mmap(2): address or -errno. Takes a reference to the pager on success. */
  map(address: usize, length: usize, prot: u32, flags: u32, pager: Pager | null, offset: u64): i64 {
    return -38;
  }
  unmap(address: usize, length: usize): i64 {
    return -38;
  }
  protect(address: usize, length: usize, prot: u32): i64 {
    return -38;
  }
  remap(address: usize, oldLength: usize, newLength: usize, flags: u32, newAddress: usize): i64 {
    return -38;
  }
  advise(address: usize, length: usize, advice: i32): i64 {
    return -38;
  }
  /** msync(2): checks that the range is mapped; memory file systems need no writing back. */
  sync(address: usize, length: usize, flags: u32): i64 {
    return -38;
  }
  /** mincore(2): one byte a page to `out` (kernel memory). */
  residency(address: usize, length: usize, out: usize): i64 {
    return -38;
  }
  /** Where the heap of brk(2) begins; set by exec. */
  setBreakStart(address: usize): void {}
  /** brk(2): returns the new break, or the unchanged one if it cannot be moved. */
  brk(newBreak: usize): usize {
    return 0;
  }
  /** FAULT_RESOLVED or another FAULT_ value. May sleep. */
  handleFault(address: usize, write: bool, execute: bool, user: bool): i32 {
    return 1;
  }
  /** The mapping that contains the address, or the next above it; null if there is none. Hold lock(). */
  findVma(address: usize): Vma | null {
    return null;
  }
  nextVma(vma: Vma): Vma | null {
    return null;
  }
  /** Locks the tree against changes for a walk (sleeps). */
  lock(): void {}
  unlock(): void {}
  /** Resident pages. */
  residentPages(): u64 {
    return 0;
  }
  /** Mapped bytes. */
  mappedBytes(): u64 {
    return 0;
  }
  /** Unmaps everything, frees the tables and the object. The space must not be active. */
  destroy(): void {}
}
