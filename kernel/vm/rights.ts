/**
 * Rights of a mapping as bits of a page-table entry.
 */
import {
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_KEPT,
  PTE_NO_EXECUTE,
  PTE_PRESENT,
  PTE_USER,
  PTE_WRITE,
} from "../mm/pte";
import { PROT_EXEC, PROT_WRITE } from "./flags";

/** Entry bits for PROT_ bits, with PTE_WRITE if the pages may be written to at all. */
export function rightsOf(prot: u32): u64 {
  if (prot == 0) return PTE_KEPT;
  let rights = PTE_PRESENT | PTE_USER;
  if (prot & PROT_WRITE) rights |= PTE_WRITE;
  if (!(prot & PROT_EXEC)) rights |= PTE_NO_EXECUTE;
  return rights;
}

/** Entry bits for a page that is read now: without PTE_WRITE. */
export function readRightsOf(prot: u32): u64 {
  return (rightsOf(prot) & ~PTE_WRITE) | PTE_ACCESSED;
}

/** Entry bits for a page that is written to now; the processor need not set the bits itself. */
export function writeRightsOf(prot: u32): u64 {
  return rightsOf(prot) | PTE_ACCESSED | PTE_DIRTY;
}
