/**
 * Answers the questions of /proc about the process (`fs/procfs/provider.ts`).
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
import { processCpuNs, threadCpuNs } from "./cpu-time";
import { RLIMIT_COUNT, RLIMIT_NOFILE } from "./limits";
import { LinuxProcess, currentLinuxThread } from "./process";
import { SIGNAL_MAX, SIG_DFL, SIG_IGN, signalBit } from "./signal-numbers";
import { LinuxThread } from "./thread";
import { setThreadName, threadNameLength } from "./thread-name";
import { copyIn } from "./user-memory";

class Provider extends ProcessProvider {
  constructor(private process: LinuxProcess) {
    super();
  }

  currentPid(): i32 {
    return this.process.id;
  }

  currentTid(): i32 {
    return currentLinuxThread().id;
  }

  nextPid(after: i32): i32 {
    return after < this.process.id ? this.process.id : 0;
  }

  nextTid(pid: i32, after: i32): i32 {
    if (pid != this.process.id) return 0;
    const process = this.process;
    let next = 0;
    process.lock.acquire();
    let thread = process.threads;
    while (thread) {
      if (thread.id > after && (next == 0 || thread.id < next)) next = thread.id;
      thread = thread.nextInProcess;
    }
    process.lock.release();
    return next;
  }

  exists(pid: i32, tid: i32): bool {
    if (pid != this.process.id) return false;
    if (tid == pid) return true;
    this.process.lock.acquire();
    const found = this.process.findThread(tid) != null;
    this.process.lock.release();
    return found;
  }

  facts(pid: i32, tid: i32, out: ProcessFacts): bool {
    const process = this.process;
    if (pid != process.id) return false;
    process.lock.acquire();
    let thread = process.findThread(tid);
    // A main thread that has ended still stands for its process.
    if (thread == null && tid == pid) thread = process.threads;
    if (thread) fillThreadFacts(process, thread, tid, out);
    process.lock.release();
    if (thread == null) return false;
    fillProcessFacts(process, out);
    if (tid == pid) out.userTimeNs = processCpuNs(process);
    return true;
  }

  setComm(pid: i32, tid: i32, name: usize, length: usize): i64 {
    if (pid != this.process.id) return -ESRCH;
    this.process.lock.acquire();
    const thread = this.process.findThread(tid);
    if (thread) setThreadName(thread, name, length);
    this.process.lock.release();
    return thread ? 0 : -ESRCH;
  }

  limit(pid: i32, resource: u32, out: LimitFacts): bool {
    if (pid != this.process.id || resource >= RLIMIT_COUNT) return false;
    out.soft = this.process.limits.softLimit(resource);
    out.hard = this.process.limits.hardLimit(resource);
    return true;
  }

  fsContext(pid: i32): FsContext | null {
    return pid == this.process.id ? this.process.fsContext : null;
  }

  executable(pid: i32): Dentry | null {
    return pid == this.process.id ? this.process.executable : null;
  }

  addressSpace(pid: i32): AddressSpace | null {
    return pid == this.process.id ? this.process.addressSpace : null;
  }

  nextDescriptor(pid: i32, after: i32): i32 {
    return pid == this.process.id ? this.process.files.nextOpen(<u32>(after + 1)) : -1;
  }

  file(pid: i32, descriptor: i32): File | null {
    return pid == this.process.id ? this.process.files.get(descriptor) : null;
  }

  writeAuxiliaryVector(pid: i32, out: ByteWriter): void {
    if (pid != this.process.id) return;
    const bytes = this.process.memory.auxiliaryBytes;
    const buffer = heapAllocate(bytes);
    if (buffer == 0) return;
    if (copyIn(buffer, this.process.memory.auxiliary, bytes) == 0) out.writeBytes(buffer, bytes);
    heapFree(buffer);
  }

  threadCount(): u32 {
    return this.process.threadCount;
  }

  runnableCount(): u32 {
    let count: u32 = 0;
    this.process.lock.acquire();
    let thread = this.process.threads;
    while (thread) {
      if (thread.state == THREAD_RUNNING || thread.state == THREAD_READY) count++;
      thread = thread.nextInProcess;
    }
    this.process.lock.release();
    return count;
  }
}

/** Registers the provider for the one process there is. */
export function registerProcessFacts(process: LinuxProcess): void {
  setProcessProvider(new Provider(process));
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
  out.umask = process.fsContext.umask;
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
