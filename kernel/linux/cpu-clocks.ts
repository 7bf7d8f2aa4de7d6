/**
 * CPU-time clocks of threads and processes as queues of timers (`sched/cpu-clock`), and the numbers
 * that programs name them by (clock_getcpuclockid(3), pthread_getcpuclockid(3)): ~id << 3 | kind, with
 * bit 2 set for a thread. An id of 0 is the caller's own.
 *
 * A clock is made when it is first used for a timer, and lasts as long as somebody holds it: that of a
 * process goes with the process, that of a thread may outlive the thread and stands still then.
 *
 * Neighbours: `cpu-time.ts` (readings), `interval-timer.ts`, `sleep-calls.ts`, `cpu-limit.ts`.
 */
import { free } from "../lib/object";
import { CpuClock } from "../sched/cpu-clock";
import {
  EXTRA_OWN_CLOCK,
  EXTRA_OWN_CLOCK_RUNS,
  EXTRA_PROCESS_CLOCK,
  EXTRA_PROCESS_CLOCK_RUNS,
} from "../sched/thread";
import { CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID } from "./clocks";
import { processCpuNs, threadCpuNs } from "./cpu-time";
import { holdProcess } from "./other-process";
import { LinuxProcess, currentLinuxThread, currentProcess } from "./process";
import { LinuxThread } from "./thread";

const OF_THREAD: i32 = 4;
/** Kinds 0 to 2 (all time, user time, all time by the scheduler) are the same here; 3 is none. */
const KIND: i32 = 3;

/** Number of the calling thread's own clock, as pthread_getcpuclockid(3) writes it but for the id. */
const OWN_THREAD: i32 = (~0 << 3) | OF_THREAD;
const OWN_PROCESS: i32 = ~0 << 3;

/** A CPU-time clock that is held by whoever got it. */
export abstract class LinuxCpuClock extends CpuClock {
  abstract hold(): void;
  abstract letGo(): void;
  /** Its threads have ended: it stands still. */
  abstract isOver(): bool;
}

/** The clock of all threads of a process. Held with the process, which owns it. */
export class ProcessCpuClock extends LinuxCpuClock {
  constructor(private process: LinuxProcess) {
    super(EXTRA_PROCESS_CLOCK, EXTRA_PROCESS_CLOCK_RUNS);
  }

  hold(): void {
    this.process.hold();
  }

  letGo(): void {
    this.process.letGo();
  }

  isOver(): bool {
    return this.process.isZombie;
  }

  readNs(): u64 {
    return processCpuNs(this.process);
  }

  protected watchThreads(): void {
    const process = this.process;
    process.lock.acquire();
    let thread = process.threads;
    while (thread) {
      this.mark(thread);
      thread = thread.nextInProcess;
    }
    this.reachAllCpus();
    thread = process.threads;
    while (thread) {
      this.look(thread);
      thread = thread.nextInProcess;
    }
    process.lock.release();
  }

  /** Frees the clock; for the end of the process. */
  destroy(): void {
    this.dispose();
    free(this);
  }
}

/** The clock of one thread, which holds it while it lives. */
export class ThreadCpuClock extends LinuxCpuClock {
  private holders: u32 = 1;
  /** The thread, null once it has left its process; guarded by `LinuxProcess.lock`. */
  private thread: LinuxThread | null;
  /** The last reading. */
  private endNs: u64 = 0;

  /** `process` outlives the clock: those who hold the clock belong to it. */
  constructor(
    private process: LinuxProcess,
    thread: LinuxThread,
  ) {
    super(EXTRA_OWN_CLOCK, EXTRA_OWN_CLOCK_RUNS);
    this.thread = thread;
  }

  hold(): void {
    atomic.add<u32>(changetype<usize>(this) + offsetof<ThreadCpuClock>("holders"), 1);
  }

  letGo(): void {
    const slot = changetype<usize>(this) + offsetof<ThreadCpuClock>("holders");
    if (atomic.sub<u32>(slot, 1) != 1) return;
    this.dispose();
    free(this);
  }

  isOver(): bool {
    return this.thread == null;
  }

  readNs(): u64 {
    this.process.lock.acquire();
    const thread = this.thread;
    const reading = thread ? threadCpuNs(thread) : this.endNs;
    this.process.lock.release();
    return reading;
  }

  protected watchThreads(): void {
    this.process.lock.acquire();
    const thread = this.thread;
    if (thread) {
      this.mark(thread);
      this.reachAllCpus();
      this.look(thread);
    }
    this.process.lock.release();
  }

  /** The thread ends. Hold `LinuxProcess.lock`. */
  stop(endNs: u64): void {
    this.thread = null;
    this.endNs = endNs;
  }
}

/**
 * The CPU-time clock with number `clock`, held; null if `clock` names none, a thread of another process,
 * or somebody who does not exist.
 */
export function holdCpuClock(clock: i32): LinuxCpuClock | null {
  if (!isCpuClock(clock)) return null;
  const number = numberedClock(clock);
  const id = ~(number >> 3);
  if ((number & OF_THREAD) != 0) return holdThreadClock(currentProcess(), id);
  const process = id == 0 ? currentProcess() : holdProcess(id);
  if (!process) return null;
  if (id == 0) process.hold();
  return clockOfProcess(process);
}

/** True if number `clock` means a CPU-time clock, whether it exists or not. */
export function isCpuClock(clock: i32): bool {
  const number = numberedClock(clock);
  return number < 0 && (number & KIND) != KIND;
}

/** True if `clock` is the CPU-time clock of the calling thread. */
export function isOwnThreadClock(clock: i32): bool {
  const number = numberedClock(clock);
  if (!isCpuClock(clock) || (number & OF_THREAD) == 0) return false;
  const id = ~(number >> 3);
  return id == 0 || id == currentLinuxThread().id;
}

/** Reading of CPU-time clock number `clock` in nanoseconds; `none` if there is no such clock. */
export function cpuClockNs(clock: i32, none: u64): u64 {
  if (!isCpuClock(clock)) return none;
  const number = numberedClock(clock);
  const id = ~(number >> 3);
  if ((number & OF_THREAD) == 0) return processReading(id, none);
  const process = currentProcess();
  process.lock.acquire();
  const thread: LinuxThread | null = id == 0 ? currentLinuxThread() : process.findThread(id);
  const reading = thread ? threadCpuNs(thread) : none;
  process.lock.release();
  return reading;
}

function processReading(id: i32, none: u64): u64 {
  if (id == 0) return processCpuNs(currentProcess());
  const process = holdProcess(id);
  if (!process) return none;
  const reading = processCpuNs(process);
  process.letGo();
  return reading;
}

/** The two clocks with names of their own have numbers as well. */
function numberedClock(clock: i32): i32 {
  if (clock == CLOCK_PROCESS_CPUTIME_ID) return OWN_PROCESS;
  return clock == CLOCK_THREAD_CPUTIME_ID ? OWN_THREAD : clock;
}

/** The clock of a process, made on first use. */
export function clockOfProcess(process: LinuxProcess): ProcessCpuClock {
  if (!process.cpuClock) {
    const made = new ProcessCpuClock(process);
    process.lock.acquire();
    const isNeeded = !process.cpuClock;
    if (isNeeded) process.cpuClock = made;
    process.lock.release();
    if (!isNeeded) made.destroy(); // another thread was quicker
  }
  return changetype<ProcessCpuClock>(process.cpuClock);
}

/** The clock of thread `id` of the caller's process, 0: its own; held. Null: no such thread. */
function holdThreadClock(process: LinuxProcess, id: i32): ThreadCpuClock | null {
  process.lock.acquire();
  const thread: LinuxThread | null = id == 0 ? currentLinuxThread() : process.findThread(id);
  let clock: ThreadCpuClock | null = null;
  if (thread) {
    if (!thread.cpuClock) thread.cpuClock = new ThreadCpuClock(process, thread);
    clock = changetype<ThreadCpuClock>(thread.cpuClock);
    clock.hold();
  }
  process.lock.release();
  return clock;
}
