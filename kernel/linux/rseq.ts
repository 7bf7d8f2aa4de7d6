/**
 * Restartable sequences (rseq(2)): the kernel keeps the number of the current CPU in a structure of
 * the thread, and moves a thread that is preempted or signalled inside a registered critical section
 * to the section's abort handler.
 *
 *     struct rseq: cpu_id_start u32 | cpu_id u32 | rseq_cs u64 | flags u32 | node_id u32 | mm_cid u32
 *     struct rseq_cs: version u32 | flags u32 | start u64 | length u64 | abort u64
 *
 * A section ends as well when another thread of the program ran in between, on whatever CPU. That
 * happens only at the end of a time slice or in a page fault: both ask here before the thread goes
 * on. System calls inside a section are forbidden, so they cost nothing.
 *
 * Neighbours: `signal-deliver.ts`, `kernel/trap.ts`.
 */
import { cli, sti } from "../arch/cpu";
import { TrapFrame, VECTOR_MODIFIED } from "../arch/x86_64/trapframe";
import { EBUSY, EFAULT, EINVAL, EPERM } from "../lib/errno";
import { exitBySignal } from "./exit";
import { currentLinuxThread } from "./process";
import { SIGSEGV } from "./signal-numbers";
import { LinuxThread } from "./thread";
import { copyIn, copyOut, load64, loadedValue, scratch, store64 } from "./user-memory";

const RSEQ_BYTES: u32 = 32;
const RSEQ_FLAG_UNREGISTER: u32 = 1;
const RSEQ_CPU_ID_UNINITIALIZED: u32 = 0xffffffff;
const CS_POINTER: usize = 8;
const SECTION_BYTES: usize = 32;

/** rseq(2): registers or unregisters the thread's structure. */
export function sysRseq(area: usize, areaBytes: u32, flags: u32, signature: u32): i64 {
  const thread = currentLinuxThread();
  if ((flags & RSEQ_FLAG_UNREGISTER) != 0) {
    if (flags != RSEQ_FLAG_UNREGISTER || thread.rseqArea != area || area == 0) return -EINVAL;
    if (signature != thread.rseqSignature) return -EPERM;
    if (writeIds(area, 0, RSEQ_CPU_ID_UNINITIALIZED) != 0) return -EFAULT;
    thread.rseqArea = 0;
    thread.toldCpu = -1;
    return 0;
  }
  if (flags != 0) return -EINVAL;
  if (thread.rseqArea != 0) {
    if (thread.rseqArea != area) return -EINVAL;
    return thread.rseqSignature == signature ? -EBUSY : -EPERM;
  }
  if ((area & 31) != 0 || areaBytes < RSEQ_BYTES) return -EINVAL;
  if (store64(area + CS_POINTER, 0) != 0) return -EFAULT;
  thread.rseqArea = area;
  thread.rseqSignature = signature;
  if (tellCpu(thread)) return 0;
  thread.rseqArea = 0;
  return -EFAULT;
}

/** Writes the CPU the thread runs on to its structure; false if that cannot be written to. */
function tellCpu(thread: LinuxThread): bool {
  // The copy may wait for a page and so move the thread: then the way back does this again.
  const cpu = thread.cpu;
  thread.toldCpu = <i32>cpu;
  return writeIds(thread.rseqArea, cpu, cpu) == 0;
}

function writeIds(area: usize, start: u32, current: u32): i64 {
  const buffer = scratch();
  store<u32>(buffer, start);
  store<u32>(buffer + 4, current);
  return copyOut(area, buffer, 8);
}

/** A signal handler is about to run: abort the critical section that the thread is in, if any. */
export function rseqBeforeSignal(frame: TrapFrame, thread: LinuxThread): void {
  if (thread.rseqArea != 0 && !abortSection(frame, thread)) exitBySignal(SIGSEGV);
}

/** The running thread has come to another CPU than its structure says. */
export function rseqTellCpu(): void {
  const thread = currentLinuxThread();
  sti();
  if (!tellCpu(thread)) exitBySignal(SIGSEGV);
  cli();
}

/** The running thread was off its CPU while in user mode: as `rseqBeforeSignal`. */
export function rseqAfterSwitch(frame: TrapFrame): void {
  const thread = currentLinuxThread();
  if (thread.rseqArea == 0) return;
  sti();
  rseqBeforeSignal(frame, thread);
  cli();
}

/** @returns false if the program's structures are unreadable or lack the signature */
function abortSection(frame: TrapFrame, thread: LinuxThread): bool {
  const pointer = thread.rseqArea + CS_POINTER;
  if (load64(pointer) != 0) return false;
  const section = loadedValue();
  if (section == 0) return true;
  const buffer = scratch();
  if (copyIn(buffer, section, SECTION_BYTES) != 0) return false;
  const start = load<u64>(buffer + 8);
  const length = load<u64>(buffer + 16);
  const abort = load<u64>(buffer + 24);
  // A section that was left is forgotten as well, so that it is not read again.
  if (store64(pointer, 0) != 0) return false;
  if (frame.rip - start >= length) return true;
  if (!hasSignature(abort, thread.rseqSignature)) return false;
  frame.rip = abort;
  frame.vector = VECTOR_MODIFIED;
  return true;
}

/** The 4 bytes before an abort handler must be the signature given at registration. */
function hasSignature(abort: usize, signature: u32): bool {
  const buffer = scratch();
  return copyIn(buffer, abort - 4, 4) == 0 && load<u32>(buffer) == signature;
}
