/**
 * How a system call gets at what another process has, so that its end meanwhile does no harm: each
 * function returns something with a reference, or null.
 *
 * Neighbours: `process-table.ts` (`familyLock`), `process-facts.ts`, `process-memory.ts`, `kcmp.ts`.
 */
import { AddressSpace } from "../vm/address-space";
import { FdTable } from "./fd-table";
import { LinuxProcess } from "./process";
import { familyLock, findProcess, nextProcess } from "./process-table";

/** The process with a hold (`letGo`), zombies included, or null. */
export function holdProcess(pid: i32): LinuxProcess | null {
  familyLock.acquire();
  const process = findProcess(pid);
  if (process) process.hold();
  familyLock.release();
  return process;
}

/** As `holdProcess`, by the number of any of its threads; many calls take either (ptrace(2)). */
export function holdThreadOwner(tid: i32): LinuxProcess | null {
  familyLock.acquire();
  let process = findProcess(tid);
  if (!process) {
    process = nextProcess(null);
    while (process && !hasThread(process, tid)) process = nextProcess(process);
  }
  if (process) process.hold();
  familyLock.release();
  return process;
}

function hasThread(process: LinuxProcess, tid: i32): bool {
  process.lock.acquire();
  const thread = process.findThread(tid);
  process.lock.release();
  return thread != null;
}

/** The process if it still has files and memory. Hold `familyLock`. */
export function livingProcess(pid: i32): LinuxProcess | null {
  const process = findProcess(pid);
  return process && !process.isEmpty ? process : null;
}

/** The descriptor table of a process, or null. */
export function holdFiles(pid: i32): FdTable | null {
  familyLock.acquire();
  const process = livingProcess(pid);
  const files: FdTable | null = process ? process.files : null;
  if (files) files.retain();
  familyLock.release();
  return files;
}

/** The address space of a process, or null. */
export function holdSpace(pid: i32): AddressSpace | null {
  familyLock.acquire();
  const process = livingProcess(pid);
  const space = process ? spaceOf(process) : null;
  familyLock.release();
  return space;
}

/** Its address space as it is now, also while it executes another program. */
function spaceOf(process: LinuxProcess): AddressSpace | null {
  process.lock.acquire();
  const space = process.addressSpace;
  const isUsed = space.retainIfUsed();
  process.lock.release();
  return isUsed ? space : null;
}
