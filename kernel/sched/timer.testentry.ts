/** Surface of the timer heap for its unit tests: timers by number, expiries written to a log. */
import { Timer, armTimer, cancelTimer, initTimers, runTimers } from "./timer";

const MAX_TIMERS: i32 = 256;

class NumberedTimer extends Timer {
  constructor(private number: i32) {
    super();
  }

  expired(): void {
    unchecked((expiredLog[expiredCount] = this.number));
    expiredCount++;
  }
}

const timers = new StaticArray<NumberedTimer | null>(MAX_TIMERS);
const expiredLog = new StaticArray<i32>(4096);
let expiredCount: i32 = 0;

export function arm(number: i32, deadlineNs: u64): void {
  if (timers[number] == null) timers[number] = new NumberedTimer(number);
  armTimer(timers[number]!, deadlineNs);
}

export function init(): void {
  initTimers();
}

export function cancel(number: i32): void {
  const timer = timers[number];
  if (timer) cancelTimer(timer);
}

export function run(): void {
  expiredCount = 0;
  runTimers();
}

export function expiredNumbers(): i32 {
  return expiredCount;
}

export function expiredAt(index: i32): i32 {
  return expiredLog[index];
}
