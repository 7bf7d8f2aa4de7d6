/** What `timespec.test.ts` calls. */
import { deadlineAt } from "./timespec";
import { monotonicNs, setRealtime } from "../sched/clock";

export function deadline(timeNs: u64, clock: i32, isAbsolute: bool): u64 {
  return deadlineAt(timeNs, clock, isAbsolute);
}
export function now(): u64 {
  return monotonicNs();
}
export function setWallClock(ns: u64): void {
  setRealtime(ns);
}
