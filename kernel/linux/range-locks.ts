/**
 * Locks on ranges of files: who holds what, which requests conflict, how setting and releasing a
 * range splits and joins what the owner held before (fcntl(2), "Advisory record locking").
 *
 * All locks of all files are on one list per file, ordered by start. Owners are opaque numbers: the
 * process for F_SETLK, the open file for F_OFD_SETLK and flock(2).
 *
 * Lock: the caller's (`file-lock.ts`). Nothing here sleeps.
 */
import { free } from "../lib/object";

/** Types of a lock, as in struct flock (l_type). */
export const LOCK_READ: u32 = 0;
export const LOCK_WRITE: u32 = 1;
export const LOCK_NONE: u32 = 2;

/** Last byte of a lock that reaches to the end of the file, however far it grows. */
export const LOCK_TO_END: u64 = 0x7fff_ffff_ffff_ffff;

/** One held range. */
export class RangeLock {
  next: RangeLock | null = null;

  /** @param start @param end first and last byte, both included */
  constructor(
    public owner: usize,
    public type: u32,
    public start: u64,
    public end: u64,
    public pid: i32,
  ) {}
}

/** The locks of one file. */
export class RangeLockList {
  first: RangeLock | null = null;

  /** True if no lock is held. */
  isEmpty(): bool {
    return this.first == null;
  }

  /** The first lock of another owner that forbids `type` on [start, end], or null. */
  conflict(owner: usize, type: u32, start: u64, end: u64): RangeLock | null {
    let lock = this.first;
    while (lock) {
      const overlaps = lock.start <= end && start <= lock.end;
      const excludes = lock.type == LOCK_WRITE || type == LOCK_WRITE;
      if (lock.owner != owner && overlaps && excludes) return lock;
      lock = lock.next;
    }
    return null;
  }

  /**
   * Gives `owner` a lock on [start, end], or takes it away (LOCK_NONE). What the owner held there
   * before is replaced; equal neighbours are joined. There must be no conflict.
   * @returns true if something was released or weakened, so others may try again
   */
  set(owner: usize, type: u32, start: u64, end: u64, pid: i32): bool {
    const released = this.cut(owner, start, end);
    if (type == LOCK_NONE) return released;
    this.insert(new RangeLock(owner, type, start, end, pid));
    this.join(owner);
    return released;
  }

  /** Releases everything `owner` holds. @returns true if it held something */
  releaseAll(owner: usize): bool {
    return this.cut(owner, 0, LOCK_TO_END);
  }

  /** Removes [start, end] from what `owner` holds. */
  private cut(owner: usize, start: u64, end: u64): bool {
    let found = false;
    let previous: RangeLock | null = null;
    let lock = this.first;
    while (lock) {
      const next = lock.next;
      if (lock.owner == owner && lock.start <= end && start <= lock.end) {
        found = true;
        if (lock.start < start && end < lock.end) {
          // The middle goes: the tail becomes a lock of its own.
          const tail = new RangeLock(owner, lock.type, end + 1, lock.end, lock.pid);
          lock.end = start - 1;
          this.insert(tail);
          return true;
        }
        if (lock.start < start) lock.end = start - 1;
        else {
          if (previous) previous.next = next;
          else this.first = next;
          if (end < lock.end) {
            // The list is ordered by start, so a lock that loses its head moves.
            lock.start = end + 1;
            this.insert(lock);
          } else free(lock);
          lock = next;
          continue;
        }
      }
      previous = lock;
      lock = next;
    }
    return found;
  }

  private insert(added: RangeLock): void {
    let previous: RangeLock | null = null;
    let lock = this.first;
    while (lock && lock.start < added.start) {
      previous = lock;
      lock = lock.next;
    }
    added.next = lock;
    if (previous) previous.next = added;
    else this.first = added;
  }

  /** Joins adjacent ranges of `owner` with the same type. */
  private join(owner: usize): void {
    let lock = this.first;
    while (lock) {
      if (lock.owner == owner) this.absorbFollowing(lock);
      lock = lock.next;
    }
  }

  private absorbFollowing(lock: RangeLock): void {
    let previous = lock;
    let other = lock.next;
    while (other) {
      const next = other.next;
      const touches = lock.end != LOCK_TO_END && other.start == lock.end + 1;
      if (other.owner == lock.owner && other.type == lock.type && touches) {
        lock.end = other.end;
        previous.next = next;
        free(other);
      } else previous = other;
      other = next;
    }
  }
}
