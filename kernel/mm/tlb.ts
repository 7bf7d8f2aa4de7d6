/**
 * Invalidation of cached translations (Intel SDM vol. 3, §4.10.4). Kernel mappings are global and
 * survive a reload of CR3.
 *
 * Other processors are told through the function registered with `setRemoteFlush`; it runs after the
 * local invalidation and returns when all processors that use the root have done theirs.
 */
import { invlpg, readCr3, writeCr3 } from "../arch/cpu";
import { PAGE_SHIFT, PAGE_SIZE } from "./layout";
import { PTE_ADDRESS } from "./pte";

/** More pages than this are cheaper to invalidate all at once. */
const SINGLE_PAGES: usize = 32;

let remoteFlush: ((root: u64, start: usize, end: usize) => void) | null = null;

/** Registers how other processors are made to invalidate [start, end) of a root. */
export function setRemoteFlush(flush: (root: u64, start: usize, end: usize) => void): void {
  remoteFlush = flush;
}

let remoteLeave: ((root: u64) => void) | null = null;

/** Registers how other processors are made to load other tables than `root`. */
export function setRemoteLeave(leave: (root: u64) => void): void {
  remoteLeave = leave;
}

/** No other processor has `root` loaded after this; this one must not. No thread may use it. */
export function leaveEverywhere(root: u64): void {
  const leave = remoteLeave;
  if (leave) leave(root);
}

/** Invalidates the translations of [start, end) in the tables of `root`, on every processor. */
export function flushRange(root: u64, start: usize, end: usize): void {
  const current = readCr3();
  if ((current & PTE_ADDRESS) == root) {
    if ((end - start) >> <usize>PAGE_SHIFT <= SINGLE_PAGES) {
      for (let address = start; address < end; address += PAGE_SIZE) invlpg(address);
    } else writeCr3(current);
  }
  const remote = remoteFlush;
  if (remote) remote(root, start, end);
}

/** Invalidates the translations of kernel addresses [start, end), on every processor. */
export function flushKernelRange(start: usize, end: usize): void {
  for (let address = start; address < end; address += PAGE_SIZE) invlpg(address);
  const remote = remoteFlush;
  if (remote) remote(0, start, end);
}
