/**
 * POSIX timers: timer_create(2), timer_settime(2), timer_gettime(2), timer_getoverrun(2),
 * timer_delete(2).
 *
 * Locks: `timerCalls` keeps one thread from deleting the timer that another works with; it may be held
 * while memory of the application is read. The list of timers is guarded by `LinuxProcess.lock`,
 * which `fire` (an interrupt) takes too.
 *
 * Neighbours: `interval-timer.ts`, `cpu-clocks.ts`, `signal-send.ts`.
 */
import { EAGAIN, EFAULT, EINVAL, EOPNOTSUPP, ESRCH } from "../lib/errno";
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_TAI,
  NO_CLOCK,
  clockNs,
} from "./clocks";
import { Mutex } from "../sched/mutex";
import { LinuxCpuClock, holdCpuClock, isCpuClock } from "./cpu-clocks";
import { IntervalTimer } from "./interval-timer";
import { LinuxProcess, currentProcess } from "./process";
import { SIGALRM, SIGNAL_MAX, SI_TIMER } from "./signal-numbers";
import { sendTimerSignal } from "./signal-send";
import { MAX_OVERRUN, SIGINFO_BYTES, SignalInfo } from "./signal-state";
import { deadlineAt, readTimespec, readingAt, timespecNs, writeTimespec } from "./timespec";
import { copyIn, scratch, store32 } from "./user-memory";

const SIGEV_SIGNAL: i32 = 0;
const SIGEV_NONE: i32 = 1;
const SIGEV_THREAD_ID: i32 = 4;
const SIGEVENT_BYTES: usize = 24;
const TIMER_ABSTIME: u32 = 1;
const MAX_TIMERS: u32 = 1024;

/** A timer made by timer_create(2). */
export class PosixTimer extends IntervalTimer {
  nextTimer: PosixTimer | null = null;
  id: i32 = 0;
  clock: i32 = 0;
  notify: i32 = SIGEV_SIGNAL;
  signal: i32 = SIGALRM;
  value: u64 = 0;
  /** Target of SIGEV_THREAD_ID, else 0. */
  threadId: i32 = 0;
  /** Expirations that the signal taken last stands for, beyond the first. */
  overrun: u32 = 0;
  /** siginfo_t under construction, used in the interrupt. */
  private info: StaticArray<u8> = new StaticArray<u8>(<i32>SIGINFO_BYTES);

  /** @param heldClock CPU-time clock, which the timer lets go at its end; null: no CPU time */
  constructor(
    process: LinuxProcess,
    readonly heldClock: LinuxCpuClock | null,
  ) {
    super(process, heldClock);
  }

  fire(missed: u64): void {
    if (this.notify == SIGEV_NONE) return;
    const buffer = changetype<usize>(this.info);
    memory.fill(buffer, 0, SIGINFO_BYTES);
    const info = changetype<SignalInfo>(buffer);
    info.signo = this.signal;
    info.code = SI_TIMER;
    info.first = <u64>(<u32>this.id) | (min(missed, MAX_OVERRUN) << 32);
    info.second = this.value;
    sendTimerSignal(this.process, this.threadId, buffer);
  }

  /** As `remainingNs`, but 0 if the time stands still because the threads have ended. */
  leftNs(): u64 {
    const clock = this.heldClock;
    return clock && clock.isOver() ? 0 : this.remainingNs();
  }

  /** Ends and frees the timer, which must be out of the list. */
  destroy(): void {
    const info = changetype<usize>(this.info);
    const clock = this.heldClock;
    super.destroy();
    if (clock) clock.letGo();
    __free(info);
  }
}

const timerCalls = new Mutex();

/** timer_create(2). */
export function sysTimerCreate(clock: i32, event: usize, idOut: usize): i64 {
  const ofCpu = isCpuClock(clock);
  if (!ofCpu && !hasTimers(clock)) return exists(clock) ? -EOPNOTSUPP : -EINVAL;
  const process = currentProcess();
  if (process.timerCount >= MAX_TIMERS) return -EAGAIN;
  const cpuClock: LinuxCpuClock | null = ofCpu ? holdCpuClock(clock) : null;
  if (ofCpu && !cpuClock) return -EINVAL;
  const timer = new PosixTimer(process, cpuClock);
  timer.clock = clock;
  timer.id = process.nextTimerId++;
  timer.value = <u64>(<u32>timer.id);
  const error = event == 0 ? 0 : takeEvent(process, timer, event);
  if (error != 0 || store32(idOut, timer.id) != 0) {
    timer.destroy();
    return error != 0 ? error : -EFAULT;
  }
  process.lock.acquire();
  timer.nextTimer = process.timers;
  process.timers = timer;
  process.timerCount++;
  process.lock.release();
  return 0;
}

/** Reads struct sigevent: sigev_value 8 bytes, signo, notify, thread id. */
function takeEvent(process: LinuxProcess, timer: PosixTimer, event: usize): i64 {
  const buffer = scratch();
  if (copyIn(buffer, event, SIGEVENT_BYTES) != 0) return -EFAULT;
  timer.value = load<u64>(buffer);
  timer.signal = load<i32>(buffer + 8);
  timer.notify = load<i32>(buffer + 12);
  const threadId = load<i32>(buffer + 16);
  if (timer.notify == SIGEV_NONE) return 0;
  if (timer.signal < 1 || timer.signal > SIGNAL_MAX) return -EINVAL;
  if (timer.notify == SIGEV_SIGNAL) return 0;
  if (timer.notify != SIGEV_THREAD_ID) return -EINVAL;
  process.lock.acquire();
  const exists = process.findThread(threadId) != null;
  process.lock.release();
  timer.threadId = threadId;
  return exists ? 0 : -EINVAL;
}

/** timer_settime(2). */
export function sysTimerSettime(id: i32, flags: u32, newValue: usize, oldValue: usize): i64 {
  timerCalls.lock();
  const result = setTimer(id, flags, newValue, oldValue);
  timerCalls.unlock();
  return result;
}

function setTimer(id: i32, flags: u32, newValue: usize, oldValue: usize): i64 {
  const timer = findTimer(id);
  if (timer == null) return -EINVAL;
  let error = readTimespec(newValue);
  if (error != 0) return error;
  const intervalNs = timespecNs();
  error = readTimespec(newValue + 16);
  if (error != 0) return error;
  const timeNs = timespecNs();
  const cpuClock = timer.heldClock;
  if (cpuClock && cpuClock.isOver()) return -ESRCH;
  const oldIntervalNs = timer.intervalNs;
  const oldRemainingNs = timer.remainingNs();
  const isAbsolute = (flags & TIMER_ABSTIME) != 0;
  timer.overrun = 0;
  let expiryNs: u64 = 0;
  if (timeNs != 0) {
    expiryNs = cpuClock
      ? readingAt(timeNs, timer.nowNs(), isAbsolute)
      : deadlineAt(timeNs, timer.clock, isAbsolute);
  }
  timer.set(expiryNs, intervalNs);
  return oldValue == 0 ? 0 : writeTimerSpec(oldValue, oldIntervalNs, oldRemainingNs);
}

/** timer_gettime(2). */
export function sysTimerGettime(id: i32, value: usize): i64 {
  timerCalls.lock();
  const timer = findTimer(id);
  const intervalNs = timer ? timer.intervalNs : 0;
  const remainingNs = timer ? timer.leftNs() : 0;
  timerCalls.unlock();
  return timer ? writeTimerSpec(value, intervalNs, remainingNs) : -EINVAL;
}

/** timer_getoverrun(2). */
export function sysTimerGetoverrun(id: i32): i64 {
  timerCalls.lock();
  const timer = findTimer(id);
  const result = timer ? <i64>timer.overrun : -EINVAL;
  timerCalls.unlock();
  return result;
}

/** timer_delete(2). */
export function sysTimerDelete(id: i32): i64 {
  timerCalls.lock();
  const result = deleteTimer(id);
  timerCalls.unlock();
  return result;
}

function deleteTimer(id: i32): i64 {
  const process = currentProcess();
  process.lock.acquire();
  let previous: PosixTimer | null = null;
  let timer = process.timers;
  while (timer && timer.id != id) {
    previous = timer;
    timer = timer.nextTimer;
  }
  if (timer) {
    if (previous) previous.nextTimer = timer.nextTimer;
    else process.timers = timer.nextTimer;
    process.timerCount--;
  }
  process.lock.release();
  if (timer == null) return -EINVAL;
  timer.destroy();
  return 0;
}

function findTimer(id: i32): PosixTimer | null {
  const process = currentProcess();
  process.lock.acquire();
  const timer = process.findTimer(id);
  process.lock.release();
  return timer;
}

function writeTimerSpec(target: usize, intervalNs: u64, remainingNs: u64): i64 {
  const error = writeTimespec(target, intervalNs);
  return error != 0 ? error : writeTimespec(target + 16, remainingNs);
}

/** Negative numbers other than those of CPU-time clocks name descriptors of clocks. */
function exists(clock: i32): bool {
  return clock < 0 || clockNs(clock) != NO_CLOCK;
}

function hasTimers(clock: i32): bool {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
    case CLOCK_TAI:
      return true;
    default:
      return false;
  }
}
