/**
 * Run queues: which threads are ready, for each CPU, and which CPU a thread goes to.
 *
 * Lock: `RunQueue.lock` guards the list; it is the innermost of the scheduler's locks. The table of
 * queues only grows, while the machine starts.
 *
 * Neighbours: switch.ts (takes the next thread), idle.ts, kernel/smp.ts (starts the CPUs).
 */
import { cpuId, runQueueAddress, setRunQueueAddress, setUserWork } from "../arch/cpu";
import { SpinLock } from "../arch/spinlock";
import { VECTOR_RESCHEDULE, apicId, sendInterrupt } from "../arch/x86_64/apic";
import { monotonicNs } from "./clock";
import { Thread } from "./thread";
import { Timer, armTimer } from "./timer";

/** More processors than this stay off. */
export const MAX_CPUS: u32 = 64;

const queues = new StaticArray<RunQueue | null>(MAX_CPUS);
let count: u32 = 0;

/** How long a thread may run while others are ready. */
const TIME_SLICE_NS: u64 = 4_000_000;

/** Ends the time slice of the running thread. */
class SliceTimer extends Timer {
  constructor(private runQueue: RunQueue) {
    super();
  }

  expired(): void {
    if (this.runQueue.isEmpty()) return;
    this.runQueue.reschedule = true;
    setUserWork(true);
    armTimer(this, monotonicNs() + TIME_SLICE_NS);
  }
}

/** Ready threads of one CPU, first come, first served. `lock` guards the list. */
export class RunQueue {
  private lock: SpinLock = new SpinLock();
  private first: Thread | null = null;
  private last: Thread | null = null;
  private slice: SliceTimer | null = null;
  length: u32 = 0;
  /** True while its CPU halts, or is about to. */
  isIdle: bool = false;
  /** The page tables this CPU has loaded. */
  loadedRoot: u64 = 0;
  /** The running thread is to give way on its next return to user mode. */
  reschedule: bool = false;

  /** @param cpu number of the CPU it belongs to, @param apicId where interrupts reach that CPU */
  constructor(
    readonly cpu: u32,
    readonly apicId: u32,
  ) {}

  isEmpty(): bool {
    return this.first == null;
  }

  /** Makes the CPU look at its queue and at its thread's signals. */
  notify(): void {
    sendInterrupt(this.apicId, VECTOR_RESCHEDULE);
  }

  pushBack(thread: Thread): void {
    this.lock.acquire();
    thread.nextReady = null;
    const last = this.last;
    if (last) last.nextReady = thread;
    else this.first = thread;
    this.last = thread;
    this.length++;
    this.lock.release();
  }

  pushFront(thread: Thread): void {
    this.lock.acquire();
    thread.nextReady = this.first;
    if (this.first == null) this.last = thread;
    this.first = thread;
    this.length++;
    this.lock.release();
  }

  /** Takes the first thread out; null if there is none. */
  pop(): Thread | null {
    if (this.first == null) return null;
    this.lock.acquire();
    const thread = this.first;
    if (thread) {
      this.first = thread.nextReady;
      if (this.first == null) this.last = null;
      thread.nextReady = null;
      this.length--;
    }
    this.lock.release();
    return thread;
  }

  /** True if a ready thread may run on `cpu`. */
  hasThreadFor(cpu: u32): bool {
    if (this.first == null) return false;
    this.lock.acquire();
    let thread = this.first;
    while (thread && !thread.mayRunOn(cpu)) thread = thread.nextReady;
    this.lock.release();
    return thread != null;
  }

  /** Takes out the first thread that may run on `cpu`; null if there is none. */
  popFor(cpu: u32): Thread | null {
    this.lock.acquire();
    let before: Thread | null = null;
    let thread = this.first;
    while (thread && !thread.mayRunOn(cpu)) {
      before = thread;
      thread = thread.nextReady;
    }
    if (thread) {
      const next = thread.nextReady;
      if (before) before.nextReady = next;
      else this.first = next;
      if (next == null) this.last = before;
      thread.nextReady = null;
      this.length--;
    }
    this.lock.release();
    return thread;
  }

  /** True if the running thread's slice is going to end. */
  isSliceLimited(): bool {
    const slice = this.slice;
    return slice != null && slice.armed;
  }

  /** Makes sure that the running thread's slice ends. */
  limitSlice(): void {
    let slice = this.slice;
    if (slice == null) {
      slice = new SliceTimer(this);
      this.slice = slice;
    }
    if (!slice.armed) armTimer(slice, monotonicNs() + TIME_SLICE_NS);
  }
}

/** This CPU's run queue. */
export function runQueue(): RunQueue {
  return changetype<RunQueue>(runQueueAddress());
}

/** The run queue of CPU `cpu`, which must run. */
export function queueOf(cpu: u32): RunQueue {
  return changetype<RunQueue>(unchecked(queues[cpu]));
}

/** Number of CPUs that run threads. */
export function onlineCpus(): u32 {
  return count;
}

/**
 * Gives this CPU its run queue. Each CPU calls it once, in the order of their numbers, before any
 * thread starts on it.
 * @param loadedRoot the page tables this CPU has loaded
 */
export function initRunQueue(loadedRoot: u64): void {
  const queue = new RunQueue(cpuId(), apicId());
  queue.loadedRoot = loadedRoot;
  setRunQueueAddress(changetype<usize>(queue));
  queues[cpuId()] = queue;
  count = cpuId() + 1;
}

/**
 * Where a thread that becomes ready should run: where it ran last, whose caches know it, unless that
 * CPU is busy and another one has nothing to do.
 */
export function chooseQueue(thread: Thread, own: RunQueue): RunQueue {
  if (count == 1) return own;
  const last = queueOf(thread.cpu);
  if (last.isIdle && thread.mayRunOn(last.cpu)) return last;
  for (let cpu: u32 = 0; cpu < count; cpu++) {
    const queue = queueOf(cpu);
    if (queue.isIdle && queue.isEmpty() && thread.mayRunOn(cpu)) return queue;
  }
  if (thread.mayRunOn(last.cpu)) return last;
  for (let cpu: u32 = 0; cpu < count; cpu++) {
    if (thread.mayRunOn(cpu)) return queueOf(cpu);
  }
  return own;
}

/** Takes a ready thread from the CPU with the longest queue; null if there is none to take. */
export function stealThread(own: RunQueue): Thread | null {
  if (count == 1) return null;
  let longest: RunQueue | null = null;
  for (let cpu: u32 = 0; cpu < count; cpu++) {
    const queue = queueOf(cpu);
    if (queue != own && queue.length > (longest ? longest.length : 0)) longest = queue;
  }
  return longest ? longest.popFor(own.cpu) : null;
}

/** True if another CPU has a ready thread that this one could take. */
export function anyoneWaits(own: RunQueue): bool {
  if (count == 1) return false;
  for (let cpu: u32 = 0; cpu < count; cpu++) {
    const queue = queueOf(cpu);
    if (queue != own && queue.hasThreadFor(own.cpu)) return true;
  }
  return false;
}
