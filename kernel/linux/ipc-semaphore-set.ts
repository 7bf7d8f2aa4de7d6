/**
 * A set of System V semaphores: values, those who wait for them, and what is to be undone when a process
 * ends (semop(2)).
 *
 * Operations on several semaphores take effect together or not at all: they are applied one by one, and
 * taken back if one of them cannot be done.
 *
 * Lock: `ipcLock`. Neighbours: `ipc-semaphores.ts` (the calls), `ipc-table.ts`.
 */
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { WaitQueue } from "../sched/wait";
import { IpcObject } from "./ipc-table";
import { LinuxProcess } from "./process";

/** struct sembuf: semaphore u16, operation i16, flags i16. */
export const SEMBUF_BYTES: usize = 6;
export const SEM_UNDO: u32 = 0x1000;
const NOWAIT: u32 = 0o4000;
export const VALUE_MAX: i32 = 32767;

/** Results of `apply` beside the index of an operation that must wait. */
export const DONE: i32 = -1;
export const TOO_LARGE: i32 = -2;

/** One semaphore in memory: value i32, last user i32, waiting for more u32, waiting for zero u32. */
const SEMAPHORE_BYTES: usize = 16;
const LAST_USER: usize = 4;
const WAITING: usize = 8;
const WAITING_FOR_ZERO: usize = 12;

/** What a process's operations with SEM_UNDO add up to, negated: one i32 for each semaphore. */
class Undo {
  next: Undo | null = null;

  constructor(
    readonly process: LinuxProcess,
    readonly amounts: usize,
  ) {}
}

export class SemaphoreSet extends IpcObject {
  operatedAt: i64 = 0;
  /** Woken whenever a value changes, or the set is removed. */
  changed: WaitQueue = new WaitQueue();
  /** Threads that sleep on `changed`; the last one frees a removed set. */
  sleepers: u32 = 0;
  private semaphores: usize;
  private undos: Undo | null = null;

  constructor(readonly count: u32) {
    super();
    const bytes = <usize>count * SEMAPHORE_BYTES;
    this.semaphores = heapAllocate(bytes);
    if (this.semaphores != 0) memory.fill(this.semaphores, 0, bytes);
  }

  get isUsable(): bool {
    return this.semaphores != 0;
  }

  private slot(index: u32): usize {
    return this.semaphores + <usize>index * SEMAPHORE_BYTES;
  }

  value(index: u32): i32 {
    return load<i32>(this.slot(index));
  }

  lastUser(index: u32): i32 {
    return load<i32>(this.slot(index), LAST_USER);
  }

  /** How many threads wait for the value to grow, or with `forZero` to become 0. */
  waiting(index: u32, forZero: bool): u32 {
    return load<u32>(this.slot(index) + (forZero ? WAITING_FOR_ZERO : WAITING));
  }

  /** Counts a waiting thread more or less. */
  countWaiting(index: u32, forZero: bool, change: i32): void {
    const word = this.slot(index) + (forZero ? WAITING_FOR_ZERO : WAITING);
    store<u32>(word, load<u32>(word) + change);
  }

  /** SETVAL, SETALL: also forgets what was to be undone. */
  setValue(index: u32, value: i32, user: i32): void {
    store<i32>(this.slot(index), value);
    store<i32>(this.slot(index), user, LAST_USER);
    let undo = this.undos;
    while (undo) {
      store<i32>(undo.amounts + <usize>index * 4, 0);
      undo = undo.next;
    }
  }

  /**
   * Does `count` operations, or none.
   * @param undo where the process's amounts are kept; 0 if no operation has SEM_UNDO
   * @returns DONE, TOO_LARGE, or the index of the operation that has to wait
   */
  apply(operations: usize, count: u32, user: i32, undo: usize): i32 {
    let result = DONE;
    let done: u32 = 0;
    for (; done < count && result == DONE; done++) {
      const slot = this.slot(semaphoreOf(operations, done));
      const amount = amountOf(operations, done);
      const value = load<i32>(slot);
      if (amount == 0 && value != 0) result = <i32>done;
      else if (value + amount < 0) result = <i32>done;
      else if (value + amount > VALUE_MAX) result = TOO_LARGE;
      else store<i32>(slot, value + amount);
    }
    if (result != DONE) {
      // The last one looked at did nothing.
      for (let i: u32 = 0; i + 1 < done; i++) {
        const slot = this.slot(semaphoreOf(operations, i));
        store<i32>(slot, load<i32>(slot) - amountOf(operations, i));
      }
      return result;
    }
    for (let i: u32 = 0; i < count; i++) {
      const index = semaphoreOf(operations, i);
      store<i32>(this.slot(index), user, LAST_USER);
      if ((flagsOf(operations, i) & SEM_UNDO) == 0) continue;
      const word = undo + <usize>index * 4;
      store<i32>(word, load<i32>(word) - amountOf(operations, i));
    }
    return DONE;
  }

  /** The amounts to undo for a process, made from `spare` if there are none yet; then `spare` is used. */
  undoOf(process: LinuxProcess, spare: usize): usize {
    let undo = this.undos;
    while (undo && undo.process != process) undo = undo.next;
    if (undo) return undo.amounts;
    if (spare == 0) return 0;
    const made = new Undo(process, spare);
    made.next = this.undos;
    this.undos = made;
    return spare;
  }

  /** The process ends: undoes what it did. @returns true if a value changed */
  undoAll(process: LinuxProcess): bool {
    let before: Undo | null = null;
    let undo = this.undos;
    while (undo && undo.process != process) {
      before = undo;
      undo = undo.next;
    }
    if (!undo) return false;
    if (before) before.next = undo.next;
    else this.undos = undo.next;
    for (let i: u32 = 0; i < this.count; i++) {
      const amount = load<i32>(undo.amounts + <usize>i * 4);
      if (amount == 0) continue;
      const value = this.value(i) + amount;
      store<i32>(this.slot(i), max(0, min(value, VALUE_MAX)));
      store<i32>(this.slot(i), process.id, LAST_USER);
    }
    heapFree(undo.amounts);
    free(undo);
    return true;
  }

  /** Frees the set; nobody sleeps on it. */
  destroy(): void {
    let undo = this.undos;
    while (undo) {
      const next = undo.next;
      heapFree(undo.amounts);
      free(undo);
      undo = next;
    }
    if (this.semaphores != 0) heapFree(this.semaphores);
    this.changed.dispose();
    free(this.changed);
    free(this);
  }
}

/** Which semaphore operation `index` is about. */
export function semaphoreOf(operations: usize, index: u32): u32 {
  return load<u16>(operations + <usize>index * SEMBUF_BYTES);
}

/** What it adds; 0 waits for zero. */
export function amountOf(operations: usize, index: u32): i32 {
  return load<i16>(operations + <usize>index * SEMBUF_BYTES, 2);
}

function flagsOf(operations: usize, index: u32): u32 {
  return load<u16>(operations + <usize>index * SEMBUF_BYTES, 4);
}

/** True if it must not wait. */
export function isImpatient(operations: usize, index: u32): bool {
  return (flagsOf(operations, index) & NOWAIT) != 0;
}

/** True if one of the operations is to be undone at the end of the process. */
export function wantsUndo(operations: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    if ((flagsOf(operations, i) & SEM_UNDO) != 0) return true;
  }
  return false;
}
