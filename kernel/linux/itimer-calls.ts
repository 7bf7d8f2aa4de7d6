/**
 * setitimer(2), getitimer(2), alarm(2).
 *
 * ITIMER_REAL counts real time, ITIMER_PROF CPU time of the process. So does ITIMER_VIRTUAL, which
 * should leave out the time in the kernel: that is not told apart (`cpu-time.ts`).
 *
 * Neighbours: `interval-timer.ts`, `cpu-clocks.ts`, `signal-send.ts`.
 */
import { EFAULT, EINVAL } from "../lib/errno";
import { CpuClock } from "../sched/cpu-clock";
import { FOREVER } from "../sched/wait";
import { clockOfProcess } from "./cpu-clocks";
import { IntervalTimer } from "./interval-timer";
import { LinuxProcess, currentProcess } from "./process";
import { SIGALRM, SIGPROF, SIGVTALRM } from "./signal-numbers";
import { sendKernelSignal } from "./signal-send";
import { NS_PER_SECOND, putTimeval, readTimeval, timespecNs } from "./timespec";
import { copyOut, scratch } from "./user-memory";

const ITIMER_REAL: i32 = 0;
const ITIMER_COUNT: i32 = 3;
const ITIMERVAL_BYTES: usize = 32;

/** One of the three timers of a process. */
export class SignalTimer extends IntervalTimer {
  constructor(
    process: LinuxProcess,
    cpuClock: CpuClock | null,
    private signal: i32,
  ) {
    super(process, cpuClock);
  }

  fire(_missed: u64): void {
    sendKernelSignal(this.process, this.signal);
  }
}

/** Timer `which` of the process, made on first use. */
function timerOf(process: LinuxProcess, which: i32): SignalTimer {
  const existing = process.intervalTimer(which);
  if (existing) return existing;
  const signal = which == ITIMER_REAL ? SIGALRM : which == 1 ? SIGVTALRM : SIGPROF;
  const cpuClock: CpuClock | null = which == ITIMER_REAL ? null : clockOfProcess(process);
  const made = new SignalTimer(process, cpuClock, signal);
  const kept = process.keepIntervalTimer(which, made);
  if (kept != made) made.destroy(); // another thread was quicker
  return kept;
}

/** getitimer(2). */
export function sysGetitimer(which: i32, value: usize): i64 {
  if (which < 0 || which >= ITIMER_COUNT) return -EINVAL;
  const timer = currentProcess().intervalTimer(which);
  return writeTimer(value, timer ? timer.intervalNs : 0, timer ? timer.remainingNs() : 0);
}

/** setitimer(2). A null `newValue` disarms the timer, as on Linux. */
export function sysSetitimer(which: i32, newValue: usize, oldValue: usize): i64 {
  if (which < 0 || which >= ITIMER_COUNT) return -EINVAL;
  let intervalNs: u64 = 0;
  let delayNs: u64 = 0;
  if (newValue != 0) {
    let error = readTimeval(newValue);
    if (error != 0) return error;
    intervalNs = timespecNs();
    error = readTimeval(newValue + 16);
    if (error != 0) return error;
    delayNs = timespecNs();
  }
  const timer = timerOf(currentProcess(), which);
  const oldIntervalNs = timer.intervalNs;
  const oldRemainingNs = timer.remainingNs();
  timer.set(expiryAfter(timer, delayNs), intervalNs);
  return oldValue == 0 ? 0 : writeTimer(oldValue, oldIntervalNs, oldRemainingNs);
}

/** alarm(2): seconds that were left of the previous alarm, rounded as Linux does. */
export function sysAlarm(seconds: u32): i64 {
  const timer = timerOf(currentProcess(), ITIMER_REAL);
  const remainingNs = timer.remainingNs();
  timer.set(expiryAfter(timer, <u64>seconds * NS_PER_SECOND), 0);
  if (remainingNs == 0) return 0;
  const rounded = (remainingNs + NS_PER_SECOND / 2) / NS_PER_SECOND;
  return max<u64>(rounded, 1);
}

function expiryAfter(timer: SignalTimer, delayNs: u64): u64 {
  if (delayNs == 0) return 0;
  const now = timer.nowNs();
  return delayNs >= FOREVER - now ? FOREVER : now + delayNs;
}

function writeTimer(target: usize, intervalNs: u64, remainingNs: u64): i64 {
  const buffer = scratch();
  putTimeval(buffer, intervalNs);
  // A timer that is about to expire must not look disarmed.
  putTimeval(buffer + 16, remainingNs != 0 && remainingNs < 1000 ? 1000 : remainingNs);
  return copyOut(target, buffer, ITIMERVAL_BYTES) != 0 ? -EFAULT : 0;
}
