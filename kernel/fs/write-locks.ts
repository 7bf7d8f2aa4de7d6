/**
 * Locks that make writes to a regular file atomic against each other (O_APPEND, growth, truncation;
 * write(2) "Thread interactions"). A few mutexes shared by all files spare each vnode its own.
 *
 * Order: a write lock, then the address space (copying from the application may fault), then page
 * locks. A thread holds at most one.
 */
import { hashInteger } from "../lib/hashtable";
import { Mutex } from "../sched/mutex";
import { Vnode } from "./vnode";

const lock0 = new Mutex();
const lock1 = new Mutex();
const lock2 = new Mutex();
const lock3 = new Mutex();

/** The lock that serialises changes of the file's contents and size. */
export function writeLockOf(vnode: Vnode): Mutex {
  const choice = hashInteger(<u64>changetype<usize>(vnode)) & 3;
  return choice < 2 ? (choice == 0 ? lock0 : lock1) : choice == 2 ? lock2 : lock3;
}

/** Sets the length of a regular file; 0 or a negative error. */
export function truncateVnode(vnode: Vnode, sizeBytes: u64): i64 {
  const lock = writeLockOf(vnode);
  lock.lock();
  const status = vnode.truncate(sizeBytes);
  lock.unlock();
  return status;
}
