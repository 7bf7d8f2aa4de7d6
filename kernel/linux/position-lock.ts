/**
 * Atomic use of the file offset: read(2), write(2), lseek(2) and getdents64(2) on a regular file or
 * directory that several threads share see each other's whole effect or none of it (POSIX.1-2017,
 * XSH 2.9.7). Pipes, terminals and sockets have no offset and must not be serialised: a reader
 * asleep would keep a writer out.
 *
 * Order: the position lock of a file is taken before every other lock.
 */
import { File } from "../fs/file";
import { free } from "../lib/object";
import { Mutex } from "../sched/mutex";

/** Takes the lock if the file is seekable and shared. @returns what `unlockPosition` takes */
export function lockPosition(file: File): Mutex | null {
  if (file.referenceCount() == 1) return null;
  const vnode = file.vnode;
  if (!vnode || !(vnode.isRegular || vnode.isDirectory)) return null;
  const lock = positionLockOf(file);
  lock.lock();
  return lock;
}

/** Gives the lock back, if one was taken. */
export function unlockPosition(lock: Mutex | null): void {
  if (lock) lock.unlock();
}

function positionLockOf(file: File): Mutex {
  const existing = file.positionLock;
  if (existing) return existing;
  const made = new Mutex();
  const slot = changetype<usize>(file) + offsetof<File>("positionLock");
  const winner = atomic.cmpxchg<usize>(slot, 0, changetype<usize>(made));
  if (winner == 0) return made;
  made.dispose();
  free(made);
  return changetype<Mutex>(winner);
}
