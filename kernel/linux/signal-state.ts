/**
 * Signals of a process and of a thread as data: dispositions, pending signals with their siginfo.
 *
 * Everything here is guarded by `LinuxProcess.lock`, except where a comment says otherwise.
 *
 * Neighbours: `signal-send.ts` (adds), `signal-deliver.ts` (takes), `signal-calls.ts`.
 */
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { WaitQueue } from "../sched/wait";
import {
  IGNORED_BY_DEFAULT,
  SIGNAL_MAX,
  SIGRTMIN,
  SIG_DFL,
  SIG_IGN,
  SI_TIMER,
  signalBit,
} from "./signal-numbers";

/** Bytes of a siginfo_t. */
export const SIGINFO_BYTES: usize = 128;

/** How many real-time signals one queue holds at most (RLIMIT_SIGPENDING is not lower). */
const QUEUE_LIMIT: u32 = 1024;

/** Largest overrun of a timer (DELAYTIMER_MAX). */
export const MAX_OVERRUN: u64 = 0x7fff_ffff;

/** What to do on a signal; layout of the kernel's struct sigaction (rt_sigaction(2)). */
@unmanaged
export class SignalAction {
  handler: usize;
  flags: u64;
  restorer: usize;
  mask: u64;
}

/** Start of siginfo_t on x86-64; the union begins at offset 16. */
@unmanaged
export class SignalInfo {
  signo: i32;
  errno: i32;
  code: i32;
  padding: i32;
  /** si_pid and si_uid, si_addr, or timer id and overrun. */
  first: u64;
  /** si_value, si_status. */
  second: u64;
  third: u64;

  /** True if timer `id` of timer_create(2) sent it. */
  isOfTimer(id: u32): bool {
    return this.code == SI_TIMER && this.timerId() == id;
  }

  timerId(): u32 {
    return <u32>this.first;
  }

  /** Expirations of the timer that the signal stands for, beyond the first. */
  overrun(): u32 {
    return <u32>(this.first >> 32);
  }
}

/** A queued signal: one heap block, link then siginfo_t. */
@unmanaged
class QueuedSignal {
  next: QueuedSignal | null;
}

const QUEUED_INFO: usize = 16;

/** Signals sent but not yet taken, oldest first within a number. */
export class PendingSignals {
  /** Bit n-1: at least one signal n is pending. */
  set: u64 = 0;
  private head: QueuedSignal | null = null;
  private tail: QueuedSignal | null = null;
  private count: u32 = 0;

  /**
   * Adds a signal with its siginfo. A standard signal that is already pending is merged. If no
   * memory is left a standard signal is kept without its siginfo, a real-time signal is refused.
   * @returns false if a real-time signal could not be queued (-EAGAIN for sigqueue)
   */
  add(info: usize): bool {
    const number = changetype<SignalInfo>(info).signo;
    const bit = signalBit(number);
    if (number < SIGRTMIN && (this.set & bit) != 0) return true;
    const block = this.count < QUEUE_LIMIT ? heapAllocate(QUEUED_INFO + SIGINFO_BYTES) : 0;
    if (block == 0 && number >= SIGRTMIN) return false;
    this.set |= bit;
    if (block == 0) return true;
    const entry = changetype<QueuedSignal>(block);
    entry.next = null;
    memory.copy(block + QUEUED_INFO, info, SIGINFO_BYTES);
    const last = this.tail;
    if (last) last.next = entry;
    else this.head = entry;
    this.tail = entry;
    this.count++;
    return true;
  }

  /**
   * A timer has expired whose signal may be pending still: then that stands for this expiration too.
   * @param info siginfo_t of the new expiration, with its overrun
   * @returns false if the signal is not pending
   */
  addOverrun(info: usize): bool {
    const latest = changetype<SignalInfo>(info);
    let entry = this.head;
    while (entry) {
      const pending = changetype<SignalInfo>(changetype<usize>(entry) + QUEUED_INFO);
      if (pending.signo == latest.signo && pending.isOfTimer(latest.timerId())) {
        const overrun = <u64>pending.overrun() + <u64>latest.overrun() + 1;
        pending.first = <u64>latest.timerId() | (min<u64>(overrun, MAX_OVERRUN) << 32);
        return true;
      }
      entry = entry.next;
    }
    return false;
  }

  /** The lowest-numbered pending signal outside `blocked`, 0 if there is none. */
  next(blocked: u64): i32 {
    const candidates = this.set & ~blocked;
    if (candidates == 0) return 0;
    return <i32>ctz(candidates) + 1;
  }

  /** Removes the oldest pending signal `number` and writes its siginfo_t to `infoOut`. */
  take(number: i32, infoOut: usize): void {
    memory.fill(infoOut, 0, SIGINFO_BYTES);
    changetype<SignalInfo>(infoOut).signo = number;
    let previous: QueuedSignal | null = null;
    let found = false;
    let more = false;
    let entry = this.head;
    while (entry) {
      const following = entry.next;
      const block = changetype<usize>(entry);
      if (changetype<SignalInfo>(block + QUEUED_INFO).signo == number) {
        if (found) {
          more = true;
          break;
        }
        found = true;
        memory.copy(infoOut, block + QUEUED_INFO, SIGINFO_BYTES);
        this.unlink(previous, entry);
        entry = following;
        continue;
      }
      previous = entry;
      entry = following;
    }
    if (!more) this.set &= ~signalBit(number);
  }

  /** Drops every pending signal of `mask`. */
  discard(mask: u64): void {
    let previous: QueuedSignal | null = null;
    let entry = this.head;
    while (entry) {
      const following = entry.next;
      const number = changetype<SignalInfo>(changetype<usize>(entry) + QUEUED_INFO).signo;
      if ((signalBit(number) & mask) != 0) this.unlink(previous, entry);
      else previous = entry;
      entry = following;
    }
    this.set &= ~mask;
  }

  private unlink(previous: QueuedSignal | null, entry: QueuedSignal): void {
    if (previous) previous.next = entry.next;
    else this.head = entry.next;
    if (this.tail == entry) this.tail = previous;
    this.count--;
    heapFree(changetype<usize>(entry));
  }
}

/** What a process has decided about its signals, and the signals sent to the process as a whole. */
export class SignalState {
  pending: PendingSignals = new PendingSignals();
  /** Woken whenever a signal becomes pending for the process or one of its threads (signalfd). */
  arrival: WaitQueue = new WaitQueue();
  /** Actions of signals 1 to 64 in one block, signal n at index n-1. */
  private actions: usize = heapAllocate(<usize>SIGNAL_MAX * offsetof<SignalAction>());

  constructor() {
    memory.fill(this.actions, 0, <usize>SIGNAL_MAX * offsetof<SignalAction>());
  }

  /** The action of signal `number` (1 to 64). */
  action(number: i32): SignalAction {
    return changetype<SignalAction>(this.actions + <usize>(number - 1) * offsetof<SignalAction>());
  }

  /** Takes over the actions of `other` (fork(2)); nothing is pending in a new process. */
  copyActions(other: SignalState): void {
    memory.copy(this.actions, other.actions, <usize>SIGNAL_MAX * offsetof<SignalAction>());
  }

  /** execve(2): caught signals go back to their default, ignored ones stay ignored. */
  resetCaught(): void {
    for (let number = 1; number <= SIGNAL_MAX; number++) {
      const action = this.action(number);
      if (action.handler != SIG_IGN) action.handler = SIG_DFL;
      action.flags = 0;
      action.mask = 0;
      action.restorer = 0;
    }
  }

  /** True if the signal does nothing when it is taken: ignored, or ignored by default. */
  isIgnored(number: i32): bool {
    const handler = this.action(number).handler;
    if (handler == SIG_IGN) return true;
    return handler == SIG_DFL && (signalBit(number) & IGNORED_BY_DEFAULT) != 0;
  }

  /** Frees what the object owns, and the object. */
  destroy(): void {
    this.pending.discard(~(<u64>0));
    free(this.pending);
    this.arrival.dispose();
    free(this.arrival);
    heapFree(this.actions);
    free(this);
  }
}
