/**
 * What a change of threads does for the few that need more than registers, stack and page tables
 * (`Thread.extras`): a GS base of the application, CPU-time timers.
 *
 * Neighbours: switch.ts (calls in, with one test for all of it), cpu-clock.ts.
 */
import { rdmsr, wrmsr } from "../arch/cpu";
import {
  EXTRA_GS_BASE,
  EXTRA_OWN_CLOCK,
  EXTRA_OWN_CLOCK_RUNS,
  EXTRA_PROCESS_CLOCK,
  EXTRA_PROCESS_CLOCK_RUNS,
  Thread,
} from "./thread";

const MSR_KERNEL_GS_BASE: u32 = 0xc0000102;

/** From `previous`, whose lock is held, to `next`, which has the state of a running thread. */
export function switchExtras(previous: Thread, next: Thread): void {
  switchGsBase(previous, next);
  const now = next.switchedInNs;
  leaveClocks(previous, now);
  if ((next.extras & EXTRA_OWN_CLOCK) != 0) next.cpuClock!.enter(next, now);
  if ((next.extras & EXTRA_PROCESS_CLOCK) != 0) next.process!.cpuClock!.enter(next, now);
}

/** Tells the clocks with timers that a thread does not run from now on. */
export function leaveClocks(thread: Thread, nowNs: u64): void {
  const extras = thread.extras;
  if ((extras & (EXTRA_OWN_CLOCK | EXTRA_OWN_CLOCK_RUNS)) != 0) {
    thread.cpuClock!.leave(thread, nowNs);
  }
  if ((extras & (EXTRA_PROCESS_CLOCK | EXTRA_PROCESS_CLOCK_RUNS)) != 0) {
    thread.process!.cpuClock!.leave(thread, nowNs);
  }
}

/**
 * The application's GS base lies in a register only while its thread runs, and is 0 for threads of
 * the kernel. Most programs never set one: then nothing is read or written. One that did may have
 * lost it by loading a selector.
 */
function switchGsBase(previous: Thread, next: Thread): void {
  if (((previous.extras | next.extras) & EXTRA_GS_BASE) == 0) return;
  if (previous.gsBase != 0) previous.gsBase = rdmsr(MSR_KERNEL_GS_BASE);
  wrmsr(MSR_KERNEL_GS_BASE, next.gsBase);
}
