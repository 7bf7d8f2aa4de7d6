/**
 * Clocks that run only while certain threads are on a CPU, as queues of timers: CPU-time timers.
 *
 * A clock with timers is told when one of its threads is switched in or out (switch-extras.ts). So it
 * knows how many of them run, and when the first deadline will be reached if nothing changes: then an
 * alarm in real time makes it look. No thread runs, no alarm. What the clock reads is counted by the
 * scheduler and asked for with `readNs`; the alarm only says when to ask, and asks again if it was
 * early. Threads of a clock without timers are not marked, and their switches know nothing of it.
 *
 * Locks: `TimerQueue.lock` of the clock is taken with thread locks held, and holds while the alarm is
 * armed. `readNs` takes locks of processes and threads, so it is called without it.
 *
 * Neighbours: timer-queue.ts, thread.ts (the marks), `linux/cpu-clocks.ts` (clocks of threads and
 * processes).
 */
import { free } from "../lib/object";
import { flushKernelRange } from "../mm/tlb";
import { monotonicNs } from "./clock";
import { THREAD_RUNNING, Thread } from "./thread";
import { Timer, armTimer } from "./timer";
import { TimerQueue, cancelTimer, disarmTimer } from "./timer-queue";

/** Makes a clock look at its timers. */
class Alarm extends Timer {
  clock: CpuClock | null = null;

  expired(): void {
    this.clock!.serve();
  }
}

export abstract class CpuClock extends TimerQueue {
  private alarm: Alarm = new Alarm();
  /** Threads that are told apart from those of no interest; from the first timer on. */
  private isWatching: bool = false;
  /** How many of its threads are on a CPU. */
  private running: u32 = 0;
  /** CPU time between `sinceNs` (monotonic) and the first deadline. */
  private leftNs: u64 = 0;
  private sinceNs: u64 = 0;
  /** Somebody runs `serve`, who sets the alarm at the end. */
  private isServing: bool = false;

  /** @param watch mark of its threads, and @param count of those that are on a CPU: EXTRA_* */
  constructor(
    private watch: u32,
    private count: u32,
  ) {
    super();
    this.alarm.clock = this;
  }

  /** CPU time so far in nanoseconds. Takes locks of processes and threads. */
  abstract readNs(): u64;

  /**
   * Calls `mark` for each thread of the clock, then `reachAllCpus`, then `look` for each, while
   * threads neither come nor go. Takes locks of processes.
   */
  protected abstract watchThreads(): void;

  /** Arms `timer` for reading `deadlineNs`; one that is armed already is moved. */
  add(timer: Timer, deadlineNs: u64): void {
    if (timer.armed) disarmTimer(timer);
    const now = this.readNs();
    this.lock.acquire();
    if (this.insert(timer, deadlineNs)) {
      this.sinceNs = monotonicNs();
      this.leftNs = deadlineNs > now ? deadlineNs - now : 0;
      this.setAlarm();
    }
    const wasWatching = this.isWatching;
    this.isWatching = true;
    this.lock.release();
    if (!wasWatching) this.watchThreads();
  }

  /** A thread of the clock that is new, and does not run yet. Threads neither come nor go. */
  join(thread: Thread): void {
    if (this.isWatching) this.mark(thread);
  }

  /** Marks a thread. */
  protected mark(thread: Thread): void {
    thread.addExtra(this.watch);
  }

  /**
   * From here on every switch to a marked thread tells the clock: a CPU in the middle of a switch has
   * either seen the mark, or is seen by `look` to run the thread.
   */
  protected reachAllCpus(): void {
    flushKernelRange(0, 0);
  }

  /** Counts a thread that runs already. */
  protected look(thread: Thread): void {
    thread.lock.acquire(); // it is not switched out meanwhile
    if (thread.state == THREAD_RUNNING) this.enter(thread, monotonicNs());
    thread.lock.release();
  }

  /** A marked thread has been switched in. Its lock or interrupts keep it there. */
  enter(thread: Thread, nowNs: u64): void {
    this.lock.acquire();
    if (!this.forgets(thread) && (thread.extras & this.count) == 0) {
      this.settle(nowNs);
      thread.addExtra(this.count);
      this.running++;
      this.setAlarm();
    }
    this.lock.release();
  }

  /** A marked thread is being switched out, or ends. */
  leave(thread: Thread, nowNs: u64): void {
    this.lock.acquire();
    if ((thread.extras & this.count) != 0) {
      this.settle(nowNs);
      thread.dropExtra(this.count);
      this.running--;
      this.setAlarm();
    }
    this.forgets(thread);
    this.lock.release();
  }

  /** Takes the mark from a thread if there are no timers any more. Hold `lock`. */
  private forgets(thread: Thread): bool {
    if (this.first == null && !this.isServing) this.isWatching = false;
    if (!this.isWatching) thread.dropExtra(this.watch);
    return !this.isWatching;
  }

  /** Brings `leftNs` up to now. Hold `lock`. */
  private settle(nowNs: u64): void {
    // Another CPU may have been here a moment "later".
    if (nowNs <= this.sinceNs) return;
    const usedNs = (nowNs - this.sinceNs) * this.running;
    this.leftNs -= min(usedNs, this.leftNs);
    this.sinceNs = nowNs;
  }

  /** Sets the alarm to when the first deadline will be reached. Hold `lock`. */
  private setAlarm(): void {
    if (this.alarm.armed) disarmTimer(this.alarm);
    if (this.isServing || this.first == null) return;
    const running = this.running;
    if (running > 1) armTimer(this.alarm, this.sinceNs + (this.leftNs + running - 1) / running);
    else if (running == 1 || this.leftNs == 0) armTimer(this.alarm, this.sinceNs + this.leftNs);
  }

  /** Lets expire what is due. Interrupt context. */
  serve(): void {
    this.lock.acquire();
    if (!this.isServing) {
      this.isServing = true;
      this.fireDue();
      this.isServing = false;
      this.setAlarm();
    }
    this.lock.release();
  }

  private fireDue(): void {
    while (this.first != null) {
      this.lock.release();
      const now = this.readNs();
      this.lock.acquire();
      const first = this.first;
      if (first == null) return;
      if (first.deadlineNs > now) {
        this.sinceNs = monotonicNs();
        this.leftNs = first.deadlineNs - now;
        return;
      }
      this.fire(first);
    }
  }

  /** Frees what the clock owns; no timer is in it, and no lock is held. */
  protected dispose(): void {
    cancelTimer(this.alarm);
    free(this.alarm);
    free(this.lock);
  }
}
