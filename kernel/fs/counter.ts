/**
 * A number that several processors add to without a lock: statistics, identity numbers.
 */
export class Counter {
  private value: u64;

  constructor(start: u64 = 0) {
    this.value = start;
  }

  get current(): u64 {
    return atomic.load<u64>(changetype<usize>(this) + offsetof<Counter>("value"));
  }

  /** Adds (two's complement: also subtracts) and returns what was there before. */
  add(change: u64): u64 {
    return atomic.add<u64>(changetype<usize>(this) + offsetof<Counter>("value"), change);
  }

  /** The number and then the next one for the next caller. */
  next(): u64 {
    return this.add(1);
  }
}
