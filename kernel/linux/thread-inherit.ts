/**
 * What a new thread takes over from the thread that made it, whether in the same process (`clone.ts`)
 * or in a new one (`fork.ts`): registers, FPU state, thread-local bases, signal mask, name.
 */
import { fpuAreaBytes, fpuSave } from "../arch/x86_64/fpu";
import { TRAP_FRAME_BYTES, VECTOR_MODIFIED } from "../arch/x86_64/trapframe";
import { rdmsr } from "../arch/cpu";
import { LinuxThread } from "./thread";
import { COMM_BYTES } from "./thread-name";

/** GS base of the application while the kernel runs (Intel SDM vol. 4). */
const MSR_KERNEL_GS_BASE: u32 = 0xc0000102;

/**
 * Makes `child` continue where the running thread `parent` called, with 0 as the result.
 * @param stack its stack pointer, 0 = the parent's
 */
export function inheritThread(parent: LinuxThread, child: LinuxThread, stack: usize): void {
  const frame = child.frame();
  memory.copy(changetype<usize>(frame), changetype<usize>(parent.frame()), TRAP_FRAME_BYTES);
  frame.rax = 0;
  frame.vector = VECTOR_MODIFIED;
  if (stack != 0) frame.rsp = stack;
  fpuSave(parent.fpuArea);
  memory.copy(child.fpuArea, parent.fpuArea, fpuAreaBytes());
  child.fsBase = parent.fsBase;
  child.setGsBase(rdmsr(MSR_KERNEL_GS_BASE));
  child.affinity = parent.affinity;
  child.signalMask = parent.signalMask;
  child.policy = parent.policy;
  child.priority = parent.priority;
  child.nice = parent.nice;
  const filter = parent.seccompFilter;
  if (filter) filter.retain();
  child.seccompFilter = filter;
  child.seccompMode = parent.seccompMode;
  child.memoryPolicy = parent.memoryPolicy;
  child.ioPriority = parent.ioPriority;
  memory.copy(child.commAddress(), parent.commAddress(), COMM_BYTES);
}
