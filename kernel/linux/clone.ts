/**
 * New threads and processes: the flags of clone(2), clone3(2), fork(2), vfork(2).
 *
 * Neighbours: `thread-inherit.ts`, `fork.ts` (makes processes), `process.ts`, `sched/switch`.
 */
import { E2BIG, EAGAIN, EFAULT, EINVAL, ENOMEM } from "../lib/errno";
import { free } from "../lib/object";
import { startThread } from "../sched/switch";
import { currentLinuxThread, currentProcess } from "./process";
import { LinuxThread } from "./thread";
import { CloneRequest, createProcess } from "./fork";
import { allocateId } from "./process-table";
import { SIGCHLD, SIGNAL_MAX } from "./signal-numbers";
import { inheritThread } from "./thread-inherit";
import { USER_END } from "../mm/layout";
import { copyIn, scratch, store32 } from "./user-memory";

const CSIGNAL: u64 = 0xff;
export const CLONE_VM: u64 = 0x100;
export const CLONE_FS: u64 = 0x200;
export const CLONE_FILES: u64 = 0x400;
export const CLONE_SIGHAND: u64 = 0x800;
export const CLONE_PIDFD: u64 = 0x1000;
export const CLONE_VFORK: u64 = 0x4000;
export const CLONE_PARENT: u64 = 0x8000;
const CLONE_THREAD: u64 = 0x10000;
const CLONE_SYSVSEM: u64 = 0x40000;
export const CLONE_SETTLS: u64 = 0x80000;
export const CLONE_PARENT_SETTID: u64 = 0x100000;
export const CLONE_CHILD_CLEARTID: u64 = 0x200000;
const CLONE_DETACHED: u64 = 0x400000;
const CLONE_UNTRACED: u64 = 0x800000;
export const CLONE_CHILD_SETTID: u64 = 0x1000000;
const CLONE_IO: u64 = 0x80000000;
/** clone3 only: caught signals go back to their default. */
export const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;

/** What a thread shares with the process it belongs to. */
const THREAD_FLAGS: u64 = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
/** Everything but namespaces and tracing. */
const KNOWN_FLAGS: u64 =
  THREAD_FLAGS |
  CLONE_PIDFD |
  CLONE_VFORK |
  CLONE_PARENT |
  CLONE_SYSVSEM |
  CLONE_SETTLS |
  CLONE_PARENT_SETTID |
  CLONE_CHILD_CLEARTID |
  CLONE_CHILD_SETTID |
  CLONE_DETACHED |
  CLONE_UNTRACED |
  CLONE_IO |
  CLONE_CLEAR_SIGHAND;

/** struct clone_args, the part every version has, in 8-byte words. */
const CLONE_ARGS_MIN_BYTES: usize = 64;
const CLONE_ARGS_BYTES: usize = 88;

/** clone(2). The descriptor of CLONE_PIDFD goes where CLONE_PARENT_SETTID would store the number. */
export function sysClone(
  flags: u64,
  stack: usize,
  parentTid: usize,
  childTid: usize,
  tls: usize,
): i64 {
  if ((flags & CLONE_CLEAR_SIGHAND) != 0) return -EINVAL;
  if ((flags & CLONE_PIDFD) != 0 && (flags & CLONE_PARENT_SETTID) != 0) return -EINVAL;
  const request = new CloneRequest();
  request.flags = flags & ~CSIGNAL;
  request.exitSignal = <i32>(flags & CSIGNAL);
  request.stack = stack;
  request.parentTid = parentTid;
  request.pidFd = parentTid;
  request.childTid = childTid;
  request.tls = tls;
  return finish(request);
}

/** fork(2). */
export function sysFork(): i64 {
  const request = new CloneRequest();
  request.exitSignal = SIGCHLD;
  return finish(request);
}

/** vfork(2): the parent waits until the child has executed a program or ended. */
export function sysVfork(): i64 {
  const request = new CloneRequest();
  request.flags = CLONE_VM | CLONE_VFORK;
  request.exitSignal = SIGCHLD;
  return finish(request);
}

/** clone3(2). */
export function sysClone3(args: usize, argsBytes: usize): i64 {
  if (argsBytes < CLONE_ARGS_MIN_BYTES) return -EINVAL;
  if (argsBytes > CLONE_ARGS_BYTES) return -E2BIG;
  const buffer = scratch();
  memory.fill(buffer, 0, CLONE_ARGS_BYTES);
  if (copyIn(buffer, args, argsBytes) != 0) return -EFAULT;
  const request = new CloneRequest();
  request.flags = load<u64>(buffer);
  request.pidFd = load<usize>(buffer + 8);
  request.childTid = load<usize>(buffer + 16);
  request.parentTid = load<usize>(buffer + 24);
  const signal = load<u64>(buffer + 32);
  const stack = load<usize>(buffer + 40);
  const stackBytes = load<usize>(buffer + 48);
  request.stack = stack + stackBytes;
  request.tls = load<usize>(buffer + 56);
  const isValid =
    (stack == 0) == (stackBytes == 0) &&
    stack < USER_END &&
    stackBytes <= USER_END - stack &&
    (request.flags & (CSIGNAL | CLONE_DETACHED)) == 0 &&
    signal <= <u64>SIGNAL_MAX &&
    (signal == 0 || (request.flags & (CLONE_THREAD | CLONE_PARENT)) == 0) &&
    load<usize>(buffer + 72) == 0;
  request.exitSignal = <i32>signal;
  if (isValid) return finish(request);
  free(request);
  return -EINVAL;
}

/** Carries out a request, and frees it. */
function finish(request: CloneRequest): i64 {
  let result = checkFlags(request.flags, request.tls);
  if (result == 0) {
    if ((request.flags & CLONE_THREAD) != 0) result = createThread(request);
    else result = createProcess(request);
  }
  free(request);
  return result;
}

/** 0, or -EINVAL for combinations that clone(2) excludes and for what the kernel does not have. */
function checkFlags(flags: u64, tls: usize): i64 {
  if ((flags & ~KNOWN_FLAGS) != 0) return -EINVAL;
  if ((flags & CLONE_SETTLS) != 0 && tls >= USER_END) return -EINVAL;
  if ((flags & CLONE_SIGHAND) != 0 && (flags & CLONE_CLEAR_SIGHAND) != 0) return -EINVAL;
  const isThread = (flags & CLONE_THREAD) != 0;
  if (isThread) {
    // A thread shares everything with its process, and nobody waits for it.
    if ((flags & THREAD_FLAGS) != THREAD_FLAGS) return -EINVAL;
    return (flags & (CLONE_PIDFD | CLONE_VFORK)) != 0 ? -EINVAL : 0;
  }
  // Handlers belong to the process here: two processes cannot share them.
  return (flags & CLONE_SIGHAND) != 0 ? -EINVAL : 0;
}

function createThread(request: CloneRequest): i64 {
  const flags = request.flags;
  const process = currentProcess();
  const parent = currentLinuxThread();
  const child = new LinuxThread();
  child.process = process;
  if (!child.allocateFpu() || !child.isComplete()) {
    child.reap();
    return -ENOMEM;
  }
  const id = allocateId();
  if (id == 0) {
    child.reap();
    return -EAGAIN;
  }
  child.id = id;
  inheritThread(parent, child, request.stack);
  if ((flags & CLONE_SETTLS) != 0) child.fsBase = request.tls;
  if ((flags & CLONE_CHILD_CLEARTID) != 0) child.clearChildTid = request.childTid;
  if ((flags & CLONE_PARENT_SETTID) != 0) store32(request.parentTid, id);
  // The child's memory is the parent's: the parent can write on its behalf.
  if ((flags & CLONE_CHILD_SETTID) != 0) store32(request.childTid, id);
  process.addThread(child);
  if (process.exiting || parent.mustExit) child.mustExit = true;
  child.interruptPending = child.mustExit;
  startThread(child);
  return id;
}
