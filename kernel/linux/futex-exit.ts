/**
 * What a thread's end does to futexes: the words of robust mutexes it still holds are marked, and
 * the joiner is told (set_robust_list(2), set_tid_address(2)).
 *
 *     struct robust_list_head: list.next usize | futex_offset i64 | list_op_pending usize
 *
 * Everything here lies in application memory and may be wrong: faults end the walk, its length is
 * limited.
 */
import { EAGAIN, EINVAL, EPERM, ESRCH } from "../lib/errno";
import { MATCH_ANY, doWake } from "./futex";
import { FUTEX_WAITERS, abandonedWord, ownerOf } from "./futex-word";
import { currentLinuxThread, currentProcess } from "./process";
import { LinuxThread } from "./thread";
import {
  copyIn,
  exchange32,
  load32,
  load64,
  loadedValue,
  scratch,
  store32,
  store64,
} from "./user-memory";

/** Set in a pointer to an entry whose mutex is a PI futex. */
const IS_PI: usize = 1;
const ROBUST_LIST_LIMIT: u32 = 2048;
const ROBUST_HEAD_BYTES: usize = 24;

/** set_robust_list(2). */
export function sysSetRobustList(head: usize, headBytes: usize): i64 {
  if (headBytes != ROBUST_HEAD_BYTES) return -EINVAL;
  currentLinuxThread().robustList = head;
  return 0;
}

/** get_robust_list(2), for threads of the same process. */
export function sysGetRobustList(threadId: i32, headOut: usize, bytesOut: usize): i64 {
  const process = currentProcess();
  process.lock.acquire();
  const thread = threadId == 0 ? currentLinuxThread() : process.findThread(threadId);
  const head = thread ? thread.robustList : 0;
  process.lock.release();
  if (!thread) return threadId < 0 ? -EPERM : -ESRCH;
  const error = store64(headOut, head);
  return error != 0 ? error : store64(bytesOut, ROBUST_HEAD_BYTES);
}

/** set_tid_address(2). */
export function sysSetTidAddress(address: usize): i64 {
  const thread = currentLinuxThread();
  thread.clearChildTid = address;
  return thread.id;
}

/** Stores 0 at the thread's clear_child_tid address and wakes a thread waiting there. */
export function clearChildTid(thread: LinuxThread): void {
  const address = thread.clearChildTid;
  thread.clearChildTid = 0;
  if (address == 0 || store32(address, 0) != 0) return;
  doWake(address, false, 1, MATCH_ANY);
}

/** Marks the robust mutexes that the thread holds as left by a dead owner. */
export function releaseRobustFutexes(thread: LinuxThread): void {
  const head = thread.robustList;
  thread.robustList = 0;
  if (head == 0 || copyIn(scratch(), head, ROBUST_HEAD_BYTES) != 0) return;
  let entry = load<usize>(scratch());
  const offset = load<i64>(scratch() + 8);
  const pending = load<usize>(scratch() + 16);
  for (let count: u32 = 0; count < ROBUST_LIST_LIMIT; count++) {
    const address = entry & ~IS_PI;
    if (address == head) break;
    if (load64(address) != 0) return;
    const next = <usize>loadedValue();
    if (address != (pending & ~IS_PI) && !abandon(entry, offset, thread.id, false)) return;
    entry = next;
  }
  if (pending != 0) abandon(pending, offset, thread.id, true);
}

/**
 * Marks the mutex of an entry if thread `id` owns it, and wakes a waiter. Those of a PI futex are woken
 * once the thread is gone (`leavePiFutexes`).
 * @param isPending the thread was about to lock or unlock it
 * @returns false after a fault
 */
function abandon(entry: usize, offset: i64, id: i32, isPending: bool): bool {
  const address = (entry & ~IS_PI) + <usize>offset;
  const wakes = (entry & IS_PI) == 0;
  if ((address & 3) != 0) return false;
  while (true) {
    if (load32(address) != 0) return false;
    const word = <u32>loadedValue();
    if (ownerOf(word) != id) {
      // Unlocked, but the wake-up that goes with it has not been sent.
      if (isPending && wakes && ownerOf(word) == 0) doWake(address, false, 1, MATCH_ANY);
      return true;
    }
    const error = exchange32(address, word, abandonedWord(word));
    if (error == -EAGAIN) continue;
    if (error != 0) return false;
    if (wakes && (word & FUTEX_WAITERS) != 0) doWake(address, false, 1, MATCH_ANY);
    return true;
  }
}
