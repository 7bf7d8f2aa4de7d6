/**
 * A process as the scheduler sees it: an address space with threads in it. `linux/` subclasses it.
 */

/** Kernel threads belong to no process. */
export class Process {
  id: i32 = 0;
  /** Physical address of the top-level page table. */
  addressSpaceRoot: u64 = 0;
}
