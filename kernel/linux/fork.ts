/**
 * New processes (fork(2), vfork(2), clone(2) without CLONE_THREAD): a copy of the running process with
 * one thread, which continues where the caller does.
 *
 * Neighbours: `clone.ts` (the system calls), `vm/copy.ts` (the address space), `process-table.ts`.
 */
import { EAGAIN, EFAULT, EINVAL, ENOMEM } from "../lib/errno";
import { monotonicNs } from "../sched/clock";
import { startThread } from "../sched/switch";
import { FOREVER } from "../sched/wait";
import { AddressSpace } from "../vm/address-space";
import { copySpace } from "../vm/copy";
import {
  CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID,
  CLONE_CLEAR_SIGHAND,
  CLONE_FILES,
  CLONE_FS,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_SETTLS,
  CLONE_VFORK,
  CLONE_VM,
} from "./clone";
import { watchCpuLimit } from "./cpu-limit";
import { FdTable } from "./fd-table";
import { reservePidFd, fillPidFd, cancelPidFd } from "./pidfd";
import { LinuxProcess, currentLinuxThread, currentProcess } from "./process";
import { allocateId, enterProcess, familyLock } from "./process-table";
import { ProgramMemory } from "./program-memory";
import { LinuxThread } from "./thread";
import { inheritThread } from "./thread-inherit";
import { store32 } from "./user-memory";

/** What the calls of the clone family ask for. */
export class CloneRequest {
  flags: u64 = 0;
  /** Signal for the parent at the child's end; 0 = none. */
  exitSignal: i32 = 0;
  /** Stack pointer of the child; 0 = the parent's. */
  stack: usize = 0;
  tls: usize = 0;
  /** User addresses for the child's number and its pidfd. */
  parentTid: usize = 0;
  childTid: usize = 0;
  pidFd: usize = 0;
}

/** Makes a process as requested; returns its number, -ENOMEM, -EAGAIN, -EFAULT or -EMFILE. */
export function createProcess(request: CloneRequest): i64 {
  const parent = currentProcess();
  // The first process has no parent that a sibling could share.
  if ((request.flags & CLONE_PARENT) != 0 && parent.id == 1) return -EINVAL;
  const id = allocateId();
  if (id == 0) return -EAGAIN;
  const made = copyProcess(parent, request.flags);
  if (!made) return -ENOMEM;
  const child = changetype<LinuxProcess>(made);
  const thread = copyThread(child, request, id);
  if (!thread) {
    discard(child);
    return -ENOMEM;
  }
  let pidFd: i64 = -1;
  if ((request.flags & CLONE_PIDFD) != 0) {
    pidFd = reservePidFd(child);
    let error: i64 = pidFd < 0 ? pidFd : 0;
    if (error == 0 && store32(request.pidFd, <u32>pidFd) != 0) error = -EFAULT;
    if (error != 0) {
      if (pidFd >= 0) cancelPidFd(<i32>pidFd);
      thread.reap();
      discard(child);
      return error;
    }
  }
  child.id = id;
  child.exitSignal = request.exitSignal;
  if ((request.flags & CLONE_PARENT_SETTID) != 0) store32(request.parentTid, id);
  child.addThread(thread);
  join(parent, child, (request.flags & CLONE_PARENT) != 0);
  if (pidFd >= 0) fillPidFd(<i32>pidFd, child);
  const waits = (request.flags & CLONE_VFORK) != 0;
  if (waits) child.hold();
  startThread(thread);
  if (waits) awaitSpace(child);
  return id;
}

/** A process without threads that has what `parent` has, or shares it; null without memory. */
function copyProcess(parent: LinuxProcess, flags: u64): LinuxProcess | null {
  let space: AddressSpace | null = parent.addressSpace;
  if ((flags & CLONE_VM) != 0) parent.addressSpace.retain();
  else space = copySpace(parent.addressSpace);
  if (!space) return null;
  let files: FdTable | null = parent.files;
  if ((flags & CLONE_FILES) != 0) parent.files.retain();
  else files = parent.files.duplicate();
  if (!files) {
    space.release();
    return null;
  }
  let context = parent.fsContext;
  if ((flags & CLONE_FS) != 0) context.retain();
  else context = context.copy();
  const child = new LinuxProcess(space, context, files);
  child.borrowsSpace = (flags & CLONE_VFORK) != 0;
  child.setExecutable(parent.executable);
  if (!child.credentials.copyFrom(parent.credentials)) {
    discard(child);
    return null;
  }
  child.limits.copyFrom(parent.limits);
  watchCpuLimit(child);
  child.signals.copyActions(parent.signals);
  if ((flags & CLONE_CLEAR_SIGHAND) != 0) child.signals.resetCaught();
  memory.copy(
    changetype<usize>(child.memory),
    changetype<usize>(parent.memory),
    offsetof<ProgramMemory>(),
  );
  child.startNs = monotonicNs();
  child.personality = parent.personality;
  child.dumpable = parent.dumpable;
  child.noNewPrivileges = parent.noNewPrivileges;
  child.timerSlackNs = parent.timerSlackNs;
  return child;
}

/** Frees a process that never had a thread. May sleep. */
function discard(process: LinuxProcess): void {
  process.setExecutable(null);
  process.files.release();
  process.fsContext.release();
  process.addressSpace.release();
  process.letGo();
}

function copyThread(process: LinuxProcess, request: CloneRequest, id: i32): LinuxThread | null {
  const flags = request.flags;
  const parent = currentLinuxThread();
  const thread = new LinuxThread();
  thread.process = process;
  if (!thread.allocateFpu() || !thread.isComplete()) {
    thread.reap();
    return null;
  }
  thread.id = id;
  inheritThread(parent, thread, request.stack);
  if ((flags & CLONE_SETTLS) != 0) thread.fsBase = request.tls;
  if ((flags & CLONE_CHILD_CLEARTID) != 0) thread.clearChildTid = request.childTid;
  const sharesMemory = (flags & CLONE_VM) != 0;
  if (!sharesMemory || (flags & CLONE_VFORK) != 0) {
    thread.alternateStack = parent.alternateStack;
    thread.alternateStackBytes = parent.alternateStackBytes;
    thread.alternateStackFlags = parent.alternateStackFlags;
  }
  if (!sharesMemory) {
    thread.rseqArea = parent.rseqArea;
    thread.toldCpu = parent.toldCpu;
    thread.rseqSignature = parent.rseqSignature;
  }
  if ((flags & CLONE_CHILD_SETTID) != 0) {
    thread.entry = storeOwnId;
    thread.argument = request.childTid;
  }
  return thread;
}

/** First code of a child with CLONE_CHILD_SETTID: only now is its memory the current one. */
function storeOwnId(address: usize): void {
  store32(address, <u32>currentLinuxThread().id);
}

/** Makes `child` a member of the table and of a family. */
function join(parent: LinuxProcess, child: LinuxProcess, asSibling: bool): void {
  familyLock.acquire();
  const grandparent = asSibling ? parent.parent : null;
  const father = grandparent ? grandparent : parent;
  if (asSibling) child.exitSignal = parent.exitSignal;
  child.setParent(father);
  child.groupId = parent.groupId;
  child.sessionId = parent.sessionId;
  child.terminal = parent.terminal;
  father.children.pushBack(child);
  enterProcess(child);
  familyLock.release();
}

/** vfork(2): sleeps until the child no longer uses the caller's memory. */
function awaitSpace(child: LinuxProcess): void {
  child.lock.acquire();
  while (child.borrowsSpace) child.threadGone.sleep(child.lock, FOREVER, false);
  child.lock.release();
  child.letGo();
}
