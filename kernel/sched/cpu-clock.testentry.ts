/**
 * Surface of CPU-time clocks for their unit tests: a clock of four threads on as many CPUs, switched
 * in and out as the scheduler does it, with timers by number.
 */
import { CpuClock } from "./cpu-clock";
import { monotonicNs } from "./clock";
import { Process } from "./process";
import { switchExtras } from "./switch-extras";
import {
  EXTRA_PROCESS_CLOCK,
  EXTRA_PROCESS_CLOCK_RUNS,
  THREAD_READY,
  THREAD_RUNNING,
  Thread,
} from "./thread";
import { Timer, disarmTimer, initTimers, runTimers } from "./timer";

const THREADS: i32 = 4;
const TIMERS: i32 = 16;

const threads = new StaticArray<Thread | null>(THREADS);
const timers = new StaticArray<NumberedTimer | null>(TIMERS);
let clock: TestClock | null = null;
let idle: Thread | null = null;
let readings: u32 = 0;
let expired: u32 = 0;

class NumberedTimer extends Timer {
  /** Time between expirations, 0 = only one. */
  intervalNs: u64 = 0;

  constructor(private number: i32) {
    super();
  }

  expired(): void {
    expired |= (<u32>1) << this.number;
    if (this.intervalNs != 0) clock!.add(this, this.deadlineNs + this.intervalNs);
  }
}

class TestClock extends CpuClock {
  constructor() {
    super(EXTRA_PROCESS_CLOCK, EXTRA_PROCESS_CLOCK_RUNS);
  }

  readNs(): u64 {
    readings++;
    return usedNs();
  }

  protected watchThreads(): void {
    for (let i = 0; i < THREADS; i++) this.mark(threads[i]!);
    this.reachAllCpus();
    for (let i = 0; i < THREADS; i++) this.look(threads[i]!);
  }
}

/** CPU time of all threads. */
export function usedNs(): u64 {
  let total: u64 = 0;
  for (let i = 0; i < THREADS; i++) {
    const thread = threads[i]!;
    total += thread.runtimeNs;
    if (thread.state == THREAD_RUNNING) total += monotonicNs() - thread.switchedInNs;
  }
  return total;
}

export function init(): void {
  initTimers();
  const process = new Process();
  const made = new TestClock();
  clock = made;
  process.cpuClock = made;
  idle = new Thread(false);
  for (let i = 0; i < THREADS; i++) {
    const thread = new Thread(false);
    thread.process = process;
    thread.state = THREAD_READY;
    threads[i] = thread;
    timers[i] = null;
  }
  for (let i = 0; i < TIMERS; i++) timers[i] = new NumberedTimer(i);
}

/** Switches thread `number` in or out, whichever it is not. */
export function toggle(number: i32): void {
  const thread = threads[number]!;
  const now = monotonicNs();
  if (thread.state == THREAD_RUNNING) {
    thread.state = THREAD_READY;
    thread.runtimeNs += now - thread.switchedInNs;
    change(thread, idle!, now);
  } else {
    thread.state = THREAD_RUNNING;
    change(idle!, thread, now);
  }
}

function change(previous: Thread, next: Thread, nowNs: u64): void {
  next.switchedInNs = nowNs;
  if ((previous.extras | next.extras) != 0) switchExtras(previous, next);
}

export function arm(number: i32, deadlineNs: u64, intervalNs: u64): void {
  const timer = timers[number]!;
  timer.intervalNs = intervalNs;
  clock!.add(timer, deadlineNs);
}

export function disarm(number: i32): void {
  disarmTimer(timers[number]!);
}

/** The timer interrupt of all CPUs; the timers that expired, as bits. */
export function run(): u32 {
  expired = 0;
  runTimers();
  return expired;
}

/** How often the clock has been read. */
export function readingCount(): u32 {
  return readings;
}

/** Whether a switch of a thread tells the clock. */
export function isMarked(number: i32): bool {
  return threads[number]!.extras != 0;
}
