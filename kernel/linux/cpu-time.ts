/**
 * CPU time of threads and processes. The scheduler counts it as a whole; how much of it was spent in
 * the kernel is not measured, so all of it is reported as user time.
 *
 * Neighbours: `sched/switch` (counts), `clocks.ts`, `cpu-clocks.ts` (timers), `limit-calls.ts`.
 */
import { monotonicNs } from "../sched/clock";
import { THREAD_RUNNING } from "../sched/thread";
import { LinuxProcess } from "./process";
import { LinuxThread } from "./thread";

/** Nanoseconds the thread has spent on a CPU so far. It is not about to be freed. */
export function threadCpuNs(thread: LinuxThread): u64 {
  thread.lock.acquire(); // it is not switched out meanwhile
  const running = thread.state == THREAD_RUNNING ? monotonicNs() - thread.switchedInNs : 0;
  const total = thread.runtimeNs + running;
  thread.lock.release();
  return total;
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
