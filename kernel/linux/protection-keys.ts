/**
 * Memory protection keys (pkeys(7)). The processor feature is not switched on, so the calls answer
 * as Linux does on a processor without it: there is no key to give away, and programs go on without.
 *
 * Neighbours: `memory-calls.ts`.
 */
import { EINVAL, ENOSPC } from "../lib/errno";
import { sysMprotect } from "./memory-calls";

const NO_KEY: i32 = -1;
const PKEY_ACCESS_MASK: u32 = 3;

/** pkey_alloc(2): -ENOSPC, all of the zero keys are taken. */
export function sysPkeyAlloc(flags: u32, rights: u32): i64 {
  return flags != 0 || (rights & ~PKEY_ACCESS_MASK) != 0 ? -EINVAL : -ENOSPC;
}

/** pkey_free(2): no key was ever given away. */
export function sysPkeyFree(_key: i32): i64 {
  return -EINVAL;
}

/** pkey_mprotect(2): without a key it is mprotect(2). */
export function sysPkeyMprotect(address: usize, length: usize, protection: u32, key: i32): i64 {
  return key == NO_KEY ? sysMprotect(address, length, protection) : -EINVAL;
}
