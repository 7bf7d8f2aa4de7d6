/**
 * Answers the questions of /proc about processes (`fs/procfs/provider.ts`).
 *
 * Neighbours: `process.ts`, `cpu-time.ts`.
 */
import {
  LimitFacts,
  ProcessFacts,
  ProcessProvider,
  setProcessProvider,
} from "../fs/procfs/provider";
import { Dentry } from "../fs/dentry";
import { File } from "../fs/file";
import { FsContext } from "../fs/path";
import { ESRCH } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { heapAllocate, heapFree } from "../mm/heap";
import { THREAD_DEAD, THREAD_READY, THREAD_RUNNING, THREAD_SLEEPING } from "../sched/thread";
import { AddressSpace } from "../vm/address-space";
import { readSpace } from "../vm/foreign";
import { processCpuNs, threadCpuNs } from "./cpu-time";
import { RLIMIT_COUNT, RLIMIT_NOFILE } from "./limits";
import { LinuxProcess, currentLinuxThread, currentProcess } from "./process";
import { holdFiles, holdProcess, holdSpace, livingProcess } from "./other-process";
import { familyLock, nextProcess } from "./process-table";
import { SIGNAL_MAX, SIG_DFL, SIG_IGN, signalBit } from "./signal-numbers";
import { LinuxThread } from "./thread";
import { setThreadName, threadNameLength } from "./thread-name";

class Provider extends ProcessProvider {
  currentPid(): i32 {
    return currentProcess().id;
  }

  currentTid(): i32 {
    return currentLinuxThread().id;
  }

  nextPid(after: i32): i32 {
    let next = 0;
    familyLock.acquire();
    let process = nextProcess(null);
    while (process) {
      if (process.id > after && (next == 0 || process.id < next)) next = process.id;
      process = nextProcess(process);
    }
    familyLock.release();
    return next;
  }

  nextTid(pid: i32, after: i32): i32 {
    let next = 0;
    const process = holdProcess(pid);
    if (!process) return 0;
    process.lock.acquire();
    let thread = process.threads;
    while (thread) {
      if (thread.id > after && (next == 0 || thread.id < next)) next = thread.id;
      thread = thread.nextInProcess;
    }
    process.lock.release();
    process.letGo();
    return next;
  }

  exists(pid: i32, tid: i32): bool {
    const process = holdProcess(pid);
    if (!process) return false;
    let found = tid == pid;
    if (!found) {
      process.lock.acquire();
      found = process.findThread(tid) != null;
      process.lock.release();
    }
    process.letGo();
    return found;
  }

  facts(pid: i32, tid: i32, out: ProcessFacts): bool {
    const process = holdProcess(pid);
    if (!process) return false;
    process.lock.acquire();
    let thread = process.findThread(tid);
    // A main thread that has ended still stands for its process.
    if (thread == null && tid == pid) thread = process.threads;
    if (thread) fillThreadFacts(process, thread, tid, out);
    const isKnown = thread != null || (tid == pid && process.isZombie);
    process.lock.release();
    if (isKnown) {
      if (process.isZombie) {
        out.tid = tid;
        out.state = 0x5a;
      } else if (process.stopSignal != 0) out.state = 0x54;
      fillProcessFacts(process, out);
      if (tid == pid) out.userTimeNs = processCpuNs(process);
    }
    process.letGo();
    return isKnown;
  }

  group(pid: i32, index: u32): i64 {
    const process = holdProcess(pid);
    if (!process) return -1;
    const group = process.credentials.group(index);
    process.letGo();
    return group;
  }

  setComm(pid: i32, tid: i32, name: usize, length: usize): i64 {
    const process = holdProcess(pid);
    if (!process) return -ESRCH;
    process.lock.acquire();
    const thread = process.findThread(tid);
    if (thread) setThreadName(thread, name, length);
    process.lock.release();
    process.letGo();
    return thread ? 0 : -ESRCH;
  }

  limit(pid: i32, resource: u32, out: LimitFacts): bool {
    const process = holdProcess(pid);
    if (!process) return false;
    if (resource < RLIMIT_COUNT) {
      out.soft = process.limits.softLimit(resource);
      out.hard = process.limits.hardLimit(resource);
    }
    process.letGo();
    return resource < RLIMIT_COUNT;
  }

  fsContext(pid: i32): FsContext | null {
    familyLock.acquire();
    const process = livingProcess(pid);
    const context: FsContext | null = process ? process.fsContext : null;
    if (context) context.retain();
    familyLock.release();
    return context;
  }

  executable(pid: i32): Dentry | null {
    familyLock.acquire();
    const process = livingProcess(pid);
    const executable: Dentry | null = process ? process.executable : null;
    if (executable) executable.retain();
    familyLock.release();
    return executable;
  }

  addressSpace(pid: i32): AddressSpace | null {
    return holdSpace(pid);
  }

  nextDescriptor(pid: i32, after: i32): i32 {
    const files = holdFiles(pid);
    if (!files) return -1;
    const next = files.nextOpen(<u32>(after + 1));
    files.release();
    return next;
  }

  file(pid: i32, descriptor: i32): File | null {
    const files = holdFiles(pid);
    if (!files) return null;
    const file = files.get(descriptor);
    files.release();
    return file;
  }

  writeAuxiliaryVector(pid: i32, out: ByteWriter): void {
    const process = holdProcess(pid);
    if (!process) return;
    const bytes = process.memory.auxiliaryBytes;
    const buffer = heapAllocate(bytes);
    const space = this.addressSpace(pid);
    if (
      buffer != 0 &&
      space &&
      readSpace(space, buffer, process.memory.auxiliary, bytes) == bytes
    ) {
      out.writeBytes(buffer, bytes);
    }
    if (space) space.release();
    if (buffer != 0) heapFree(buffer);
    process.letGo();
  }

  threadCount(): u32 {
    return countThreads(false);
  }

  runnableCount(): u32 {
    return countThreads(true);
  }
}

function countThreads(onlyRunnable: bool): u32 {
  let count: u32 = 0;
  familyLock.acquire();
  let process = nextProcess(null);
  while (process) {
    process.lock.acquire();
    let thread = process.threads;
    while (thread) {
      const isRunnable = thread.state == THREAD_RUNNING || thread.state == THREAD_READY;
      if (isRunnable || !onlyRunnable) count++;
      thread = thread.nextInProcess;
    }
    process.lock.release();
    process = nextProcess(process);
  }
  familyLock.release();
  return count;
}

/** Registers the provider of /proc. */
export function registerProcessFacts(): void {
  setProcessProvider(new Provider());
}

/** Facts that belong to one thread. Hold the process's lock. */
function fillThreadFacts(
  process: LinuxProcess,
  thread: LinuxThread,
  tid: i32,
  out: ProcessFacts,
): void {
  out.tid = tid;
  out.state = stateLetter(thread);
  out.commBytes = thread.commAddress();
  out.commLength = <u32>threadNameLength(thread);
  out.userTimeNs = threadCpuNs(thread);
  out.systemTimeNs = 0;
  out.blockedSignals = thread.signalMask;
  out.pendingSignals = thread.pending.set;
  out.sharedPendingSignals = process.signals.pending.set;
  out.ignoredSignals = 0;
  out.caughtSignals = 0;
  for (let number = 1; number <= SIGNAL_MAX; number++) {
    const handler = process.signals.action(number).handler;
    if (handler == SIG_IGN) out.ignoredSignals |= signalBit(number);
    else if (handler != SIG_DFL) out.caughtSignals |= signalBit(number);
  }
  out.nice = thread.nice;
  out.processor = thread.cpu;
  out.affinity = thread.affinity;
  out.seccompMode = thread.seccompMode;
  const filter = thread.seccompFilter;
  out.seccompFilters = filter ? filter.count : 0;
  out.voluntarySwitches = thread.sleeps;
  out.involuntarySwitches = thread.preemptions;
}

function fillProcessFacts(process: LinuxProcess, out: ProcessFacts): void {
  const identity = process.credentials;
  const layout = process.memory;
  out.pid = process.id;
  out.parentPid = process.parentId;
  out.groupId = process.groupId;
  out.sessionId = process.sessionId;
  out.threadCount = process.threadCount;
  out.uid = identity.realUser;
  out.effectiveUid = identity.effectiveUser;
  out.savedUid = identity.savedUser;
  out.gid = identity.realGroup;
  out.effectiveGid = identity.effectiveGroup;
  out.savedGid = identity.savedGroup;
  out.inheritableCapabilities = identity.inheritable;
  out.permittedCapabilities = identity.permitted;
  out.effectiveCapabilities = identity.effective;
  out.boundingCapabilities = identity.bounding;
  out.ambientCapabilities = identity.ambient;
  out.hasNoNewPrivileges = process.noNewPrivileges != 0;
  if (!process.isEmpty) out.umask = process.fsContext.umask;
  out.startTimeNs = process.startNs;
  out.argumentsStart = layout.argumentsStart;
  out.argumentsEnd = layout.argumentsEnd;
  out.environmentStart = layout.environmentStart;
  out.environmentEnd = layout.environmentEnd;
  out.stackStart = layout.stackStart;
  out.codeStart = layout.codeStart;
  out.codeEnd = layout.codeEnd;
  out.openFilesLimit = process.limits.softLimit(RLIMIT_NOFILE);
}

function stateLetter(thread: LinuxThread): u8 {
  if (thread.state == THREAD_SLEEPING) return thread.interruptible ? 0x53 : 0x44; // S, D
  return thread.state == THREAD_DEAD ? 0x5a : 0x52; // Z, R
}
