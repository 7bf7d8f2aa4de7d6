/**
 * Page faults: from an address to a page that is there, or the reason why not.
 *
 *   handleFaultIn ──► resolve ──► anonymous: zero page, zeroed frames, 2 MiB page
 *        ▲    │          │   └──► file: frame of the page cache, or a private copy of it
 *        │    │          └─────► NEED_PAGE: the file's page is not in memory
 *        │    └─ unlocked: pager.page(), which reads from disk
 *        └─ again, with the page in hand
 *
 * The lock is not held while a file is read, so the mapping is looked up again afterwards.
 */
import { ENOMEM } from "../lib/errno";
import { cacheMayShrink, frameOf, releaseFrame } from "../mm/frames";
import { PAGE_SIZE, USER_END } from "../mm/layout";
import { entryAddress, entrySlot, isTable, PTE_PRESENT, PTE_WRITE } from "../mm/pte";
import { addTable, directorySlot, withRights } from "../mm/user-tables";
import { preemptionPoint } from "../sched/switch";
import { AddressSpace } from "./address-space";
import { breakCopy, mapHuge, regainHuge, touchAnonymous, wantsHuge } from "./fault-anonymous";
import { touchFile } from "./fault-file";
import {
  FAULT_OOM,
  FAULT_RESOLVED,
  FAULT_SIGBUS,
  FAULT_SIGSEGV_ACCERR,
  FAULT_SIGSEGV_MAPERR,
  MAP_GROWSDOWN,
  PROT_EXEC,
  PROT_WRITE,
} from "./flags";
import { Pager } from "./pager";
import { readRightsOf } from "./rights";
import { relieve } from "./relieve";
import { Vma } from "./vma";
import { STACK_GUARD_BYTES } from "./vma-tree";

/** Internal result: page `wantedIndex` of `wantedPager` must be read first. */
export const FAULT_NEED_PAGE: i32 = 100;

/** Attempts to find memory before the application is told that there is none. */
const RELIEF_ATTEMPTS: u32 = 2;

/** Notes which page is missing; to be returned from a fault function. */
export function needPage(space: AddressSpace, pager: Pager, index: u64, forWrite: bool): i32 {
  space.wantedPager = pager;
  space.wantedIndex = index;
  space.wantedForWrite = forWrite;
  return FAULT_NEED_PAGE;
}

/** Resolves a page fault: FAULT_RESOLVED or another FAULT_ value. Takes the lock; may sleep. */
export function handleFaultIn(
  space: AddressSpace,
  address: usize,
  write: bool,
  execute: bool,
): i32 {
  if (address >= USER_END) return FAULT_SIGSEGV_MAPERR;
  space.lock();
  const result = resolve(space, address, write, execute, null, 0, 0);
  space.unlock();
  if (result == FAULT_RESOLVED) {
    space.minorFaults++;
    return result;
  }
  if (result != FAULT_NEED_PAGE && result != FAULT_OOM) return result;
  return resolveSlowly(space, address, write, execute);
}

/** As `handleFaultIn`, for faults that wait for a file or are short of memory. */
function resolveSlowly(space: AddressSpace, address: usize, write: bool, execute: bool): i32 {
  let pager: Pager | null = null;
  let index: u64 = 0;
  let page: u64 = 0;
  let attempts: u32 = 0;
  let result: i32 = 0;
  space.lock();
  while (true) {
    result = resolve(space, address, write, execute, pager, index, page);
    const wanted = space.wantedPager;
    if (result == FAULT_NEED_PAGE && wanted) {
      const forWrite = space.wantedForWrite;
      const wantedPage = space.wantedIndex;
      wanted.retain();
      space.unlock();
      dropPage(pager, page);
      const got = wanted.page(wantedPage, forWrite);
      space.lock();
      space.majorFaults++;
      pager = wanted;
      index = wantedPage;
      page = got < 0 ? 0 : <u64>got;
      if (got >= 0) continue;
      if (got != -ENOMEM) {
        result = FAULT_SIGBUS;
        break;
      }
      result = FAULT_OOM;
    } else if (result == FAULT_OOM && !cacheMayShrink()) break;
    if (result != FAULT_OOM || attempts == RELIEF_ATTEMPTS) break;
    relieve(space, attempts);
    attempts++;
  }
  space.unlock();
  dropPage(pager, page);
  return result;
}

function dropPage(pager: Pager | null, page: u64): void {
  if (page) releaseFrame(frameOf(page));
  if (pager) pager.release();
}

/**
 * One attempt. Hold the lock.
 * @param pager with `index` and `page`: a page that was read for this fault
 */
function resolve(
  space: AddressSpace,
  address: usize,
  write: bool,
  execute: bool,
  pager: Pager | null,
  index: u64,
  page: u64,
): i32 {
  let vma = space.recent;
  if (!vma || address < vma.start || address >= vma.end) {
    vma = lookUp(space, address);
    if (!vma) return FAULT_SIGSEGV_MAPERR;
    space.recent = vma;
  }
  const prot = vma.prot;
  if (write ? !(prot & PROT_WRITE) : execute ? !(prot & PROT_EXEC) : prot == 0) {
    return FAULT_SIGSEGV_ACCERR;
  }
  const directory = directorySlot(space.root, address, true);
  if (!directory) return FAULT_OOM;
  let table = load<u64>(directory);
  if (!isTable(table)) {
    if (table) return regainHuge(space, vma, address, directory, table, write);
    if (write && wantsHuge(space, vma, address) && mapHuge(space, vma, directory))
      return FAULT_RESOLVED;
    table = addTable(directory);
    if (!table) return FAULT_OOM;
  }
  const slot = entrySlot(entryAddress(table), 1, address);
  const entry = load<u64>(slot);
  const start = address & ~(PAGE_SIZE - 1);
  const source = vma.pager;
  if (!source) {
    if (!entry) return touchAnonymous(space, vma, start, slot, write);
  } else if (!entry || (write && vma.isShared && !(entry & PTE_WRITE))) {
    return touchFile(space, vma, source, start, slot, write, pager, index, page);
  }
  if (!(entry & PTE_PRESENT)) store<u64>(slot, withRights(entry, readRightsOf(prot), 0));
  // Else somebody was faster, or the processor had not seen a change of rights yet.
  if (!write || entry & PTE_WRITE) return FAULT_RESOLVED;
  return breakCopy(space, vma, start, slot, entry);
}

/** The mapping at an address; one that grows downwards is extended to it. */
function lookUp(space: AddressSpace, address: usize): Vma | null {
  const tree = space.tree;
  const vma = tree.find(address);
  if (!vma || vma.start <= address) return vma;
  if (!(vma.flags & MAP_GROWSDOWN) || vma.pager) return null;
  const start = address & ~(PAGE_SIZE - 1);
  if (vma.end - start > space.stackLimitBytes) return null;
  const before = tree.endBefore(vma);
  if (before && start < before + STACK_GUARD_BYTES) return null;
  space.mapped += <u64>(vma.start - start);
  tree.resize(vma, start, vma.end);
  return vma;
}

/**
 * Touches every page of [start, end), as if the application did. Takes the lock a page at a time.
 * @returns false if a page could not be had
 */
export function populate(space: AddressSpace, start: usize, end: usize, write: bool): bool {
  for (let at = start; at < end; at += PAGE_SIZE) {
    if (handleFaultIn(space, at, write, false) != FAULT_RESOLVED) return false;
    preemptionPoint();
  }
  return true;
}
