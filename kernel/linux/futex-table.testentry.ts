/** What `futex-table.test.ts` calls: numbered waiters in one bucket. */
import { FutexBucket, FutexWaiter, futexHash } from "./futex-table";

const COUNT: i32 = 32;
const bucket = new FutexBucket();
const waiters = new StaticArray<FutexWaiter | null>(COUNT);

function waiter(number: i32): FutexWaiter {
  let found = waiters[number];
  if (found == null) {
    found = new FutexWaiter();
    waiters[number] = found;
  }
  return found;
}

export function add(number: i32, owner: usize, address: usize, bitset: u32, purpose: u32): void {
  const entry = waiter(number);
  entry.keyOwner = owner;
  entry.keyAddress = address;
  entry.bitset = bitset;
  entry.purpose = purpose;
  bucket.add(entry, 7);
}
export function remove(number: i32): void {
  bucket.remove(waiter(number));
}
export function isIn(number: i32): bool {
  return waiter(number).bucket >= 0;
}
export function wake(owner: usize, address: usize, count: u32, bitset: u32): i64 {
  return bucket.wake(owner, address, count, bitset);
}
/** How many waiters a walk from the front finds; -1 if the links of both directions disagree. */
export function length(): i32 {
  let count = 0;
  let previous: FutexWaiter | null = null;
  let entry = bucket.first;
  while (entry) {
    if (entry.previous != previous) return -1;
    previous = entry;
    entry = entry.next;
    count++;
  }
  return bucket.last == previous ? count : -1;
}
export function hash(owner: usize, address: usize): u32 {
  return futexHash(owner, address);
}
