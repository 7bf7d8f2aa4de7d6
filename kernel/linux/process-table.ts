/**
 * All processes: who is whose child, and which numbers are taken.
 *
 *   table:  process ◄─► process ◄─► …          every process until its parent has waited for it
 *   family: parent ─► List of children          a zombie stays a child until then
 *
 * Lock: `familyLock` guards the table, the family links, groups, sessions and the state that wait4(2)
 * looks at, of all processes. Order: familyLock, then `LinuxProcess.lock`, then wait queues. It is
 * taken in interrupts too (terminal keys).
 *
 * Neighbours: `process.ts`, `fork.ts` (adds), `process-end.ts` (removes), `wait.ts`.
 */
import { SpinLock } from "../arch/spinlock";
import { List } from "../lib/list";
import { LinuxProcess } from "./process";

const PID_MAX: i32 = 32768;
/** Where numbers begin again after the largest. */
const FIRST_REUSED: i32 = 300;

export const familyLock = new SpinLock();
const table = new List<LinuxProcess>(offsetof<LinuxProcess>("tableNext"));

let lastId: i32 = 1;
/** True once every number has been used: from then on the table must be asked. */
let hasWrapped: bool = false;

/** Adds a process with its number. Hold `familyLock`. */
export function enterProcess(process: LinuxProcess): void {
  table.pushBack(process);
}

/** Takes a process out. Hold `familyLock`. */
export function leaveTable(process: LinuxProcess): void {
  table.remove(process);
}

/** The first process, which stands for the machine. Hold `familyLock`. */
export function initProcess(): LinuxProcess {
  return changetype<LinuxProcess>(table.first);
}

/** The process with this number, zombies included, or null. Hold `familyLock` while it is used. */
export function findProcess(id: i32): LinuxProcess | null {
  let process = table.first;
  while (process) {
    if (process.id == id) return process;
    process = table.next(process);
  }
  return null;
}

/** The process after `process` in the table (null: the first), or null. Hold `familyLock`. */
export function nextProcess(process: LinuxProcess | null): LinuxProcess | null {
  return process ? table.next(process) : table.first;
}

/** Number of processes. */
export function processCount(): u32 {
  return table.length;
}

/** True if a process of this group exists in the session. Hold `familyLock`. */
export function groupExists(group: i32, session: i32): bool {
  let process = table.first;
  while (process) {
    if (process.groupId == group && process.sessionId == session) return true;
    process = table.next(process);
  }
  return false;
}

/** A number that no thread, process, group or session has; 0 if there is none. */
export function allocateId(): i32 {
  familyLock.acquire();
  let id: i32 = 0;
  for (let tries = 0; tries < PID_MAX && id == 0; tries++) {
    if (++lastId >= PID_MAX) {
      lastId = FIRST_REUSED;
      hasWrapped = true;
    }
    if (!hasWrapped || !isTaken(lastId)) id = lastId;
  }
  familyLock.release();
  return id;
}

function isTaken(id: i32): bool {
  let process = table.first;
  while (process) {
    if (process.id == id || process.groupId == id || process.sessionId == id) return true;
    process.lock.acquire();
    const thread = process.findThread(id);
    process.lock.release();
    if (thread) return true;
    process = table.next(process);
  }
  return false;
}
