/** skeleton */
import { Pager } from "./pager";
/** A mapped range [start, end) of an address space, alike in protection and origin. */
@unmanaged
export class Vma {
  start: usize;
  end: usize;
  prot: u32;
  flags: u32;
  pager: Pager | null;
  /** Offset in the file of `start`, bytes. */
  offset: u64;
}
