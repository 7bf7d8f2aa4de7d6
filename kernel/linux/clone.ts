/**
 * New threads (clone(2), clone3(2)). A new process needs a second address space, which comes later:
 * flags that ask for one get ENOSYS, and the call is listed when the program ends.
 *
 * Neighbours: `thread.ts`, `process.ts`, `sched/switch`.
 */
import { TRAP_FRAME_BYTES, VECTOR_MODIFIED } from "../arch/x86_64/trapframe";
import { fpuAreaBytes, fpuSave } from "../arch/x86_64/fpu";
import { rdmsr } from "../arch/cpu";
import { E2BIG, EAGAIN, EFAULT, EINVAL, ENOMEM, ENOSYS } from "../lib/errno";
import { startThread } from "../sched/switch";
import { currentLinuxThread, currentProcess } from "./process";
import { LinuxThread } from "./thread";
import { COMM_BYTES } from "./thread-name";
import { nextThreadId } from "./thread-ids";
import { USER_END } from "../mm/layout";
import { copyIn, scratch, store32 } from "./user-memory";

const CSIGNAL: u64 = 0xff;
const CLONE_VM: u64 = 0x100;
const CLONE_FS: u64 = 0x200;
const CLONE_FILES: u64 = 0x400;
const CLONE_SIGHAND: u64 = 0x800;
const CLONE_THREAD: u64 = 0x10000;
const CLONE_SYSVSEM: u64 = 0x40000;
const CLONE_SETTLS: u64 = 0x80000;
const CLONE_PARENT_SETTID: u64 = 0x100000;
const CLONE_CHILD_CLEARTID: u64 = 0x200000;
const CLONE_DETACHED: u64 = 0x400000;
const CLONE_CHILD_SETTID: u64 = 0x1000000;

/** What makes a thread of this process rather than a process of its own. */
const THREAD_FLAGS: u64 = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
const KNOWN_FLAGS: u64 =
  THREAD_FLAGS |
  CLONE_SYSVSEM |
  CLONE_SETTLS |
  CLONE_PARENT_SETTID |
  CLONE_CHILD_CLEARTID |
  CLONE_CHILD_SETTID |
  CLONE_DETACHED;

/** struct clone_args, the part every version has, in 8-byte words. */
const CLONE_ARGS_MIN_BYTES: usize = 64;
const CLONE_ARGS_BYTES: usize = 88;

/** clone(2). */
export function sysClone(
  flags: u64,
  stack: usize,
  parentTid: usize,
  childTid: usize,
  tls: usize,
): i64 {
  return createThread(flags & ~CSIGNAL, stack, parentTid, childTid, tls);
}

/** clone3(2). */
export function sysClone3(args: usize, argsBytes: usize): i64 {
  if (argsBytes < CLONE_ARGS_MIN_BYTES) return -EINVAL;
  if (argsBytes > CLONE_ARGS_BYTES) return -E2BIG;
  const buffer = scratch();
  memory.fill(buffer, 0, CLONE_ARGS_BYTES);
  if (copyIn(buffer, args, argsBytes) != 0) return -EFAULT;
  const flags = load<u64>(buffer);
  const childTid = load<usize>(buffer + 16);
  const parentTid = load<usize>(buffer + 24);
  const stack = load<usize>(buffer + 40);
  const stackBytes = load<usize>(buffer + 48);
  const tls = load<usize>(buffer + 56);
  const setTidCount = load<usize>(buffer + 72);
  if ((stack == 0) != (stackBytes == 0) || (flags & CSIGNAL) != 0) return -EINVAL;
  if (stack >= USER_END || stackBytes > USER_END - stack) return -EINVAL;
  if (setTidCount != 0) return -EINVAL;
  return createThread(flags, stack + stackBytes, parentTid, childTid, tls);
}

function createThread(
  flags: u64,
  stack: usize,
  parentTid: usize,
  childTid: usize,
  tls: usize,
): i64 {
  if ((flags & THREAD_FLAGS) != THREAD_FLAGS) return -ENOSYS;
  if ((flags & ~KNOWN_FLAGS) != 0) return -EINVAL;
  if ((flags & CLONE_SETTLS) != 0 && tls >= USER_END) return -EINVAL;
  const process = currentProcess();
  const parent = currentLinuxThread();
  const child = new LinuxThread();
  child.process = process;
  if (!child.allocateFpu() || !child.isComplete()) {
    child.reap();
    return -ENOMEM;
  }
  process.lock.acquire();
  const id = nextThreadId(process);
  process.lock.release();
  if (id == 0) {
    child.reap();
    return -EAGAIN;
  }
  child.id = id;
  inherit(parent, child, stack);
  if ((flags & CLONE_SETTLS) != 0) child.fsBase = tls;
  if ((flags & CLONE_CHILD_CLEARTID) != 0) child.clearChildTid = childTid;
  if ((flags & CLONE_PARENT_SETTID) != 0) store32(parentTid, id);
  // The child's memory is the parent's: the parent can write on its behalf.
  if ((flags & CLONE_CHILD_SETTID) != 0) store32(childTid, id);
  process.addThread(child);
  if (process.exiting || parent.mustExit) child.mustExit = true;
  child.interruptPending = child.mustExit;
  startThread(child);
  return id;
}

/** The child continues where the parent called, with 0 as the result and a stack of its own. */
function inherit(parent: LinuxThread, child: LinuxThread, stack: usize): void {
  const frame = child.frame();
  memory.copy(changetype<usize>(frame), changetype<usize>(parent.frame()), TRAP_FRAME_BYTES);
  frame.rax = 0;
  frame.vector = VECTOR_MODIFIED;
  if (stack != 0) frame.rsp = stack;
  fpuSave(parent.fpuArea);
  memory.copy(child.fpuArea, parent.fpuArea, fpuAreaBytes());
  child.fsBase = parent.fsBase;
  child.gsBase = rdmsr(MSR_KERNEL_GS_BASE);
  child.signalMask = parent.signalMask;
  child.policy = parent.policy;
  child.priority = parent.priority;
  child.nice = parent.nice;
  memory.copy(child.commAddress(), parent.commAddress(), COMM_BYTES);
}

/** GS base of the application while the kernel runs (Intel SDM vol. 4). */
const MSR_KERNEL_GS_BASE: u32 = 0xc0000102;
