/**
 * A process as the scheduler sees it: an address space with threads in it. `linux/` subclasses it.
 */
import { CpuClock } from "./cpu-clock";

/** Kernel threads belong to no process. */
export class Process {
  id: i32 = 0;
  /** Physical address of the top-level page table. */
  addressSpaceRoot: u64 = 0;
  /** The CPU-time clock of all its threads, once it is used for timers. */
  cpuClock: CpuClock | null = null;
}
