/**
 * RLIMIT_CPU (getrlimit(2)): SIGXCPU when a process has used the seconds of CPU time of its soft limit
 * and each second after that, SIGKILL at the hard limit. Linux counts the soft limit up with each
 * signal, so that the next one is due at it; so does this.
 *
 * Neighbours: `limits.ts`, `interval-timer.ts`, `limit-calls.ts` and `fork.ts` (call in).
 */
import { FOREVER } from "../sched/wait";
import { clockOfProcess } from "./cpu-clocks";
import { IntervalTimer } from "./interval-timer";
import { RLIMIT_CPU, RLIM_INFINITY } from "./limits";
import { LinuxProcess } from "./process";
import { SIGKILL, SIGXCPU } from "./signal-numbers";
import { sendKernelSignal } from "./signal-send";
import { NS_PER_SECOND } from "./timespec";

/** The timer on the clock of a process that has, or had, a limit. */
export class CpuLimit extends IntervalTimer {
  constructor(process: LinuxProcess) {
    super(process, clockOfProcess(process));
  }

  /** Waits for the soft limit as it is now. */
  watch(): void {
    const seconds = this.process.limits.softLimit(RLIMIT_CPU);
    // 0 is reached as soon as the process runs.
    this.set(seconds < FOREVER / NS_PER_SECOND ? max(seconds * NS_PER_SECOND, 1) : FOREVER, 0);
  }

  fire(_missed: u64): void {
    const limits = this.process.limits;
    const soft = limits.softLimit(RLIMIT_CPU);
    const hard = limits.hardLimit(RLIMIT_CPU);
    if (this.nowNs() / NS_PER_SECOND >= hard) {
      sendKernelSignal(this.process, SIGKILL);
      return;
    }
    limits.set(RLIMIT_CPU, soft + 1, hard);
    this.watch();
    sendKernelSignal(this.process, SIGXCPU);
  }
}

/** Has the limit that a process has now enforced. */
export function watchCpuLimit(process: LinuxProcess): void {
  if (!process.cpuLimit) {
    if (process.limits.softLimit(RLIMIT_CPU) == RLIM_INFINITY) return;
    const made = new CpuLimit(process);
    process.lock.acquire();
    const isNeeded = !process.cpuLimit;
    if (isNeeded) process.cpuLimit = made;
    process.lock.release();
    if (!isNeeded) made.destroy(); // another thread was quicker
  }
  process.cpuLimit!.watch();
}
