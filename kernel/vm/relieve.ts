/**
 * Relief when memory is short: pages of files that are mapped but can be read again are taken out of
 * the page tables, so that the page cache can let go of them.
 *
 * Two callers: a fault that found no memory (it holds its space's lock), and the page cache's
 * reclaimer through `relieveAll`, from any place where frames are allocated.
 *
 * Lock: `listLock` guards the list of spaces; spaces are only tried, never waited for.
 */
import { SpinLock } from "../arch/spinlock";
import { List } from "../lib/list";
import { FRAME_CACHE, frameByNumber } from "../mm/frame";
import { reclaimFrames, setMappedReclaimer } from "../mm/frames";
import { beginGather, finishGather, gatherFrame, noteDirty } from "../mm/gather";
import { HUGE_PAGE_MASK, HUGE_PAGE_SIZE, PAGE_SIZE } from "../mm/layout";
import { entryAddress, entryFrame, entrySlot, isTable, PTE_ACCESSED, PTE_DIRTY } from "../mm/pte";
import { directorySlot } from "../mm/user-tables";
import { AddressSpace } from "./address-space";

/** Frames asked of the page cache at a time. */
const BATCH: u64 = 64;

const listLock = new SpinLock();
const spaces = new List<AddressSpace>(offsetof<AddressSpace>("listNext"));
let registered: bool = false;

/** Adds a new space to those that relief looks at. */
export function enlist(space: AddressSpace): void {
  listLock.acquire();
  spaces.pushBack(space);
  if (!registered) setMappedReclaimer(relieveAll);
  registered = true;
  listLock.release();
}

/** Takes a space that is being destroyed off the list. */
export function unlist(space: AddressSpace): void {
  listLock.acquire();
  spaces.remove(space);
  listLock.release();
}

/**
 * Frees memory for a fault that found none. Hold the space's lock.
 * @param attempt 0 spares pages that were used since the last time, 1 takes them all
 */
export function relieve(space: AddressSpace, attempt: u32): void {
  releaseFilePages(space, attempt > 0);
  reclaimFrames(BATCH);
}

/** Unmaps pages of files in all spaces that are not busy; returns how many. */
function relieveAll(everything: bool): u64 {
  let released: u64 = 0;
  listLock.acquire();
  let space = spaces.first;
  while (space) {
    // Nothing in here sleeps, so the list lock can be kept.
    if (space.tryLock()) {
      released += releaseFilePages(space, everything);
      space.unlock();
    }
    space = spaces.next(space);
  }
  listLock.release();
  return released;
}

/**
 * The space after `space` on the list (null: the first) that has users left, with one more use of it
 * (`AddressSpace.release`) for the caller; null at the end. The caller still uses `space`.
 */
export function nextSpace(space: AddressSpace | null): AddressSpace | null {
  listLock.acquire();
  let next = space ? spaces.next(space) : spaces.first;
  while (next && !next.retainIfUsed()) next = spaces.next(next);
  listLock.release();
  return next;
}

function releaseFilePages(space: AddressSpace, everything: bool): u64 {
  let released: u64 = 0;
  let vma = space.tree.first;
  while (vma) {
    if (vma.pager) released += releaseFileRange(space, vma.start, vma.end, everything);
    vma = space.tree.next(vma);
  }
  return released;
}

/**
 * Takes pages of files, but no private copies, out of a range that has no 2 MiB pages. Hold the
 * space's lock.
 * @param everything false spares pages that were used since the last time
 * @returns how many
 */
export function releaseFileRange(
  space: AddressSpace,
  start: usize,
  end: usize,
  everything: bool,
): u64 {
  const gather = space.gather;
  beginGather(gather, start, end);
  releaseIn(space, start, end, everything);
  finishGather(gather);
  space.resident -= gather.pages;
  return gather.pages;
}

function releaseIn(space: AddressSpace, start: usize, end: usize, everything: bool): void {
  let next: usize = 0;
  for (let at = start; at < end; at = next) {
    next = min((at & ~HUGE_PAGE_MASK) + HUGE_PAGE_SIZE, end);
    const directory = directorySlot(space.root, at, false);
    if (!directory) continue;
    const table = load<u64>(directory);
    if (!isTable(table)) continue;
    let slot = entrySlot(entryAddress(table), 1, at);
    for (let page = at; page < next; page += PAGE_SIZE) {
      releasePage(space, slot, everything);
      slot += 8;
    }
  }
}

function releasePage(space: AddressSpace, slot: usize, everything: bool): void {
  const entry = load<u64>(slot);
  if (!entry) return;
  const number = entryFrame(entry);
  const frame = frameByNumber(number);
  // Private copies exist nowhere else.
  if (frame.kind != FRAME_CACHE) return;
  const gather = space.gather;
  if (entry & PTE_ACCESSED && !everything) {
    store<u64>(slot, entry & ~PTE_ACCESSED);
    gather.stale = true;
    return;
  }
  store<u64>(slot, 0);
  if (entry & PTE_DIRTY) noteDirty(frame);
  gather.pages++;
  gatherFrame(gather, number);
}
