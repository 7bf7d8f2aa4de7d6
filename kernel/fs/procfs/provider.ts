/**
 * What /proc needs to know about processes. `linux/` implements `ProcessProvider` and registers it
 * at boot; procfs turns the facts into text. Sizes are in bytes, times in nanoseconds.
 *
 * Neighbours: `procfs/process-files` formats, `linux/` provides.
 */
import { ByteWriter } from "../../lib/format";
import { AddressSpace } from "../../vm/address-space";
import { Dentry } from "../dentry";
import { File } from "../file";
import { FsContext } from "../path";

/** Facts about one thread and its process: /proc/PID/stat, status, comm. */
export class ProcessFacts {
  pid: i32 = 0;
  tid: i32 = 0;
  parentPid: i32 = 0;
  groupId: i32 = 0;
  sessionId: i32 = 0;
  threadCount: u32 = 1;
  /** 'R', 'S', 'D', 'Z', 'T' as in proc(5). */
  state: u8 = 0x53;
  /** The thread's name: up to 15 bytes in kernel memory, valid while the thread lives. */
  commBytes: usize = 0;
  commLength: u32 = 0;
  uid: u32 = 0;
  effectiveUid: u32 = 0;
  savedUid: u32 = 0;
  gid: u32 = 0;
  effectiveGid: u32 = 0;
  savedGid: u32 = 0;
  umask: u32 = 0;
  inheritableCapabilities: u64 = 0;
  permittedCapabilities: u64 = 0;
  effectiveCapabilities: u64 = 0;
  boundingCapabilities: u64 = 0;
  ambientCapabilities: u64 = 0;
  /** PR_SET_NO_NEW_PRIVS was set. */
  hasNoNewPrivileges: bool = false;
  /** 0 no seccomp, 1 strict, 2 filters; how many filters. */
  seccompMode: u32 = 0;
  seccompFilters: u32 = 0;
  userTimeNs: u64 = 0;
  systemTimeNs: u64 = 0;
  /** Start of the process, since boot. */
  startTimeNs: u64 = 0;
  /** Memory that was mapped at exec: [start, end) in the application's address space. */
  argumentsStart: usize = 0;
  argumentsEnd: usize = 0;
  environmentStart: usize = 0;
  environmentEnd: usize = 0;
  stackStart: usize = 0;
  codeStart: usize = 0;
  codeEnd: usize = 0;
  blockedSignals: u64 = 0;
  ignoredSignals: u64 = 0;
  caughtSignals: u64 = 0;
  pendingSignals: u64 = 0;
  sharedPendingSignals: u64 = 0;
  nice: i32 = 0;
  /** Where the thread ran last, and where it may run: a bit for each processor. */
  processor: u32 = 0;
  affinity: u64 = u64.MAX_VALUE;
  openFilesLimit: u64 = 0;
  voluntarySwitches: u64 = 0;
  involuntarySwitches: u64 = 0;
}

/** Soft and hard value of one resource limit. */
export class LimitFacts {
  soft: u64 = 0;
  hard: u64 = 0;
}

/** Implemented by `linux/`. Process ids that do not exist yield false, 0, null or -ESRCH. */
export abstract class ProcessProvider {
  /** The process of the running thread. */
  abstract currentPid(): i32;
  /** The running thread. */
  abstract currentTid(): i32;
  /** The smallest process id above `after`, or 0. */
  abstract nextPid(after: i32): i32;
  /** The smallest thread id above `after` in process `pid`, or 0. */
  abstract nextTid(pid: i32, after: i32): i32;
  /** True if `tid` is a thread of `pid` (the process itself: tid == pid). */
  abstract exists(pid: i32, tid: i32): bool;
  /** Fills in the facts of a thread. */
  abstract facts(pid: i32, tid: i32, out: ProcessFacts): bool;
  /** The supplementary group at a place of the list, or -1 behind its end. */
  abstract group(pid: i32, index: u32): i64;
  /** Sets a thread's name (write to comm). */
  abstract setComm(pid: i32, tid: i32, name: usize, length: usize): i64;
  /** Resource limit number `resource` (RLIMIT_*). */
  abstract limit(pid: i32, resource: u32, out: LimitFacts): bool;
  /** Working directory, root and umask, with a reference for the caller. */
  abstract fsContext(pid: i32): FsContext | null;
  /** The program's file with a reference for the caller. */
  abstract executable(pid: i32): Dentry | null;
  /** The address space with a reference for the caller. */
  abstract addressSpace(pid: i32): AddressSpace | null;
  /** The smallest open descriptor above `after` (start with -1), or -1. */
  abstract nextDescriptor(pid: i32, after: i32): i32;
  /** The file of a descriptor with a reference for the caller, or null. */
  abstract file(pid: i32, descriptor: i32): File | null;
  /** Appends the auxiliary vector as the program got it (16 bytes an entry). */
  abstract writeAuxiliaryVector(pid: i32, out: ByteWriter): void;
  /** What uname(2) says: node name, release, version. */
  writeHostName(out: ByteWriter): void {
    out.writeString("osv");
  }
  osRelease(): string {
    return "6.1.0";
  }
  osVersion(): string {
    return "#1 OSv.ts";
  }
  /** Number of threads of all processes, and of those that can run now (loadavg, stat). */
  abstract threadCount(): u32;
  abstract runnableCount(): u32;
}

let provider: ProcessProvider | null = null;

/** Registers the provider; before that /proc shows no processes. */
export function setProcessProvider(value: ProcessProvider): void {
  provider = value;
}

/** The registered provider, or null during boot. */
export function processProvider(): ProcessProvider | null {
  return provider;
}
