/**
 * Reading and writing the memory of an address space that is not the running one, through the direct
 * map: /proc/PID/cmdline, process_vm_readv(2).
 */
import { PAGE_MASK, PAGE_SIZE, toVirtual, USER_END } from "../mm/layout";
import { entryAddress, PTE_PRESENT, PTE_WRITE, PTE_HUGE } from "../mm/pte";
import { HUGE_PAGE_MASK } from "../mm/layout";
import { findEntry } from "../mm/user-tables";
import { AddressSpace } from "./address-space";
import { FAULT_RESOLVED } from "./flags";

/**
 * Copies `length` bytes at `address` of `space` to kernel memory; stops at a page that cannot be read.
 * May sleep.
 * @returns bytes copied
 */
export function readSpace(
  space: AddressSpace,
  target: usize,
  address: usize,
  length: usize,
): usize {
  return transfer(space, target, address, length, false);
}

/** Copies `length` bytes of kernel memory to `address` of `space`; as `readSpace`. */
export function writeSpace(
  space: AddressSpace,
  address: usize,
  source: usize,
  length: usize,
): usize {
  return transfer(space, source, address, length, true);
}

function transfer(
  space: AddressSpace,
  local: usize,
  address: usize,
  length: usize,
  write: bool,
): usize {
  if (length > USER_END || address > USER_END - length) return 0;
  let done: usize = 0;
  while (done < length) {
    const at = address + done;
    const step = min(PAGE_SIZE - (at & PAGE_MASK), length - done);
    if (!transferInPage(space, local + done, at, step, write)) {
      if (space.handleFault(at, write, false, true) != FAULT_RESOLVED) break;
      continue;
    }
    done += step;
  }
  return done;
}

/** Copies within one page if it is mapped with the needed right; false if it must be faulted in. */
function transferInPage(
  space: AddressSpace,
  local: usize,
  address: usize,
  length: usize,
  write: bool,
): bool {
  const needed = PTE_PRESENT | (write ? PTE_WRITE : 0);
  space.lock();
  const entry = findEntry(space.root, address);
  const isMapped = (entry & needed) == needed;
  if (isMapped) {
    const mask = entry & PTE_HUGE ? HUGE_PAGE_MASK : PAGE_MASK;
    const page = toVirtual(entryAddress(entry)) + (address & mask);
    if (write) memory.copy(page, local, length);
    else memory.copy(local, page, length);
  }
  space.unlock();
  return isMapped;
}
