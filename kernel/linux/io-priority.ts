/**
 * ioprio_set(2), ioprio_get(2): kept for each thread and reported back; disks serve requests as they
 * come.
 *
 * A value is class << 13 | hints and level; class 0 means "as the nice value says".
 * Neighbours: `scheduling.ts` (the priorities of the processor), `thread.ts`.
 */
import { EINVAL, ESRCH } from "../lib/errno";
import { LinuxProcess, currentLinuxThread, currentProcess } from "./process";
import { familyLock, nextProcess } from "./process-table";
import { LinuxThread } from "./thread";

const WHO_PROCESS: i32 = 1;
const WHO_GROUP: i32 = 2;
const WHO_USER: i32 = 3;

const CLASS_SHIFT: i32 = 13;
const CLASS_NONE: i32 = 0;
const CLASS_IDLE: i32 = 3;

/** ioprio_set(2). */
export function sysIoprioSet(which: i32, who: i32, priority: i32): i64 {
  const level = priority & ((1 << CLASS_SHIFT) - 1);
  const kind = priority >> CLASS_SHIFT;
  if (kind < CLASS_NONE || kind > CLASS_IDLE) return -EINVAL;
  if (kind == CLASS_NONE && level != 0) return -EINVAL;
  return forEach(which, who, priority);
}

/** ioprio_get(2): of several threads the best. */
export function sysIoprioGet(which: i32, who: i32): i64 {
  return forEach(which, who, -1);
}

/** Sets (`priority` is not -1) or finds the best priority of those meant. */
function forEach(which: i32, who: i32, priority: i32): i64 {
  if (which < WHO_PROCESS || which > WHO_USER) return -EINVAL;
  const self = currentProcess();
  let best: i64 = -ESRCH;
  familyLock.acquire();
  let process = nextProcess(null);
  while (process) {
    process.lock.acquire();
    let thread = process.threads;
    while (thread) {
      if (isMeant(self, process, thread, which, who)) {
        if (priority != -1) thread.ioPriority = priority;
        best = better(best, priority == -1 ? thread.ioPriority : 0);
      }
      thread = thread.nextInProcess;
    }
    process.lock.release();
    process = nextProcess(process);
  }
  familyLock.release();
  return best;
}

function isMeant(
  self: LinuxProcess,
  process: LinuxProcess,
  thread: LinuxThread,
  which: i32,
  who: i32,
): bool {
  if (which == WHO_PROCESS) return who == 0 ? thread == currentLinuxThread() : thread.id == who;
  if (which == WHO_GROUP) return process.groupId == (who == 0 ? self.groupId : who);
  const user = who == 0 ? self.credentials.realUser : <u32>who;
  return process.credentials.realUser == user;
}

/** The better of two priorities: the lower number, but any class before none. */
function better(best: i64, found: i32): i64 {
  if (best < 0) return found;
  if (best == 0 || found == 0) return max(best, <i64>found);
  return min(best, <i64>found);
}
