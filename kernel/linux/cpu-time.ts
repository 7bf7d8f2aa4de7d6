/**
 * CPU time of threads and processes. The scheduler counts it as a whole; how much of it was spent in
 * the kernel is not measured, so all of it is reported as user time.
 *
 * Neighbours: `sched/switch` (counts), `clocks.ts`, `resource-usage.ts`.
 */
import { monotonicNs } from "../sched/clock";
import { THREAD_RUNNING } from "../sched/thread";
import { LinuxProcess } from "./process";
import { LinuxThread } from "./thread";

/** Nanoseconds the thread has spent on a CPU so far. */
export function threadCpuNs(thread: LinuxThread): u64 {
  const running = thread.state == THREAD_RUNNING ? monotonicNs() - thread.switchedInNs : 0;
  return thread.runtimeNs + running;
}

/** Nanoseconds all threads of the process have spent on CPUs, those that have ended included. */
export function processCpuNs(process: LinuxProcess): u64 {
  process.lock.acquire();
  let total = process.endedThreadsNs;
  let thread = process.threads;
  while (thread) {
    total += threadCpuNs(thread);
    thread = thread.nextInProcess;
  }
  process.lock.release();
  return total;
}
