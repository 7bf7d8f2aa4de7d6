/** Surface of the range locks for their unit tests. */
import { free } from "../lib/object";
import { RangeLock, RangeLockList } from "./range-locks";

export function newList(): RangeLockList {
  return new RangeLockList();
}

export function endList(list: RangeLockList): void {
  let lock = list.first;
  while (lock) {
    const next = lock.next;
    free(lock);
    lock = next;
  }
  free(list);
}

export function set(list: RangeLockList, owner: usize, type: u32, start: u64, end: u64): bool {
  return list.set(owner, type, start, end, <i32>owner);
}

/** The owner of the first conflicting lock, or 0. */
export function conflict(
  list: RangeLockList,
  owner: usize,
  type: u32,
  start: u64,
  end: u64,
): usize {
  const lock = list.conflict(owner, type, start, end);
  return lock ? lock.owner : 0;
}

export function releaseAll(list: RangeLockList, owner: usize): bool {
  return list.releaseAll(owner);
}

export function first(list: RangeLockList): RangeLock | null {
  return list.first;
}

export function next(lock: RangeLock): RangeLock | null {
  return lock.next;
}

export function ownerOf(lock: RangeLock): usize {
  return lock.owner;
}

export function typeOf(lock: RangeLock): u32 {
  return lock.type;
}

export function startOf(lock: RangeLock): u64 {
  return lock.start;
}

export function endOf(lock: RangeLock): u64 {
  return lock.end;
}
