/**
 * Numbers of threads and processes: one sequence, from 1 (the first process) up to pid_max, then
 * again from 300 on, leaving out those in use.
 */
import { LinuxProcess } from "./process";

const PID_MAX: i32 = 32768;
const FIRST_REUSED: i32 = 300;

let last: i32 = 1;

/** A number that no thread of `process` has. Call with the process's lock held. */
export function nextThreadId(process: LinuxProcess): i32 {
  for (let tries = 0; tries < PID_MAX; tries++) {
    last = last + 1 >= PID_MAX ? FIRST_REUSED : last + 1;
    if (last != process.id && process.findThread(last) == null) return last;
  }
  return 0;
}
