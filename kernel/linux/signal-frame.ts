/**
 * The record on the application's stack from which a signal handler runs and rt_sigreturn(2) goes
 * back. Layout of Linux on x86-64 (struct rt_sigframe), which C libraries, Go and unwinders know:
 *
 *     higher addresses
 *       floating-point state, 64-byte aligned: FXSAVE or XSAVE area, then the word FP_XSTATE_MAGIC2
 *       siginfo_t                                   128 bytes
 *       ucontext: flags, link, stack, registers, signal mask
 *     sp → return address: the restorer             8 bytes below a 16-byte boundary
 *
 * Neighbours: `signal-deliver.ts`, `arch/x86_64/fpu.ts`. The red zone of 128 bytes below the
 * interrupted stack pointer stays untouched (System V ABI, AMD64 §3.2.2).
 */
import { fpuComponents, fpuInitialise, fpuRestore } from "../arch/x86_64/fpu";
import { TrapFrame, VECTOR_MODIFIED } from "../arch/x86_64/trapframe";
import { heapAllocate, heapFree } from "../mm/heap";
import { USER_END } from "../mm/layout";
import { SA_ONSTACK, SA_RESTORER, SS_AUTODISARM, SS_DISABLE, SS_ONSTACK } from "./signal-numbers";
import { SIGINFO_BYTES, SignalAction, SignalInfo } from "./signal-state";
import { LinuxThread } from "./thread";
import { copyIn, copyOut } from "./user-memory";
import { copyInFpu, copyOutFpu, signalFpuBytes } from "./signal-fpu";

/** Return address, then the kernel's struct ucontext (with its 8-byte signal mask). */
@unmanaged
export class SignalFrame {
  returnAddress: u64;
  contextFlags: u64;
  contextLink: u64;
  stackBase: u64;
  stackFlags: u64;
  stackBytes: u64;
  r8: u64;
  r9: u64;
  r10: u64;
  r11: u64;
  r12: u64;
  r13: u64;
  r14: u64;
  r15: u64;
  rdi: u64;
  rsi: u64;
  rbp: u64;
  rbx: u64;
  rdx: u64;
  rax: u64;
  rcx: u64;
  rsp: u64;
  rip: u64;
  rflags: u64;
  cs: u16;
  gs: u16;
  fs: u16;
  ss: u16;
  errorCode: u64;
  vector: u64;
  oldMask: u64;
  cr2: u64;
  fpuState: u64;
  reserved0: u64;
  reserved1: u64;
  reserved2: u64;
  reserved3: u64;
  reserved4: u64;
  reserved5: u64;
  reserved6: u64;
  reserved7: u64;
  signalMask: u64;
}

/** Bytes of the frame with siginfo_t. */
export const SIGNAL_FRAME_BYTES: usize = offsetof<SignalFrame>() + SIGINFO_BYTES;

const UC_FP_XSTATE: u64 = 1;
const UC_SIGCONTEXT_SS: u64 = 2;
const UC_STRICT_RESTORE_SS: u64 = 4;

const RED_ZONE_BYTES: usize = 128;
const RFLAGS_CARRY_TO_OVERFLOW: u64 = 0x40dd5; // OF DF TF SF ZF AF PF CF and AC: what user mode owns
const RFLAGS_TRAP: u64 = 0x100;
const RFLAGS_RESUME: u64 = 0x10000;
const RFLAGS_DIRECTION: u64 = 0x400;

/** AT_MINSIGSTKSZ: the stack that delivering one signal takes at most, in bytes. */
export function minimumSignalStackBytes(): usize {
  return (RED_ZONE_BYTES + signalFpuBytes() + 64 + SIGNAL_FRAME_BYTES + 32 + 15) & ~15;
}

/** True if `sp` lies on the thread's alternate stack. */
export function isOnAlternateStack(thread: LinuxThread, sp: usize): bool {
  if (thread.alternateStackBytes == 0) return false;
  if ((thread.alternateStackFlags & SS_AUTODISARM) != 0) return false;
  return sp > thread.alternateStack && sp - thread.alternateStack <= thread.alternateStackBytes;
}

/**
 * Makes the thread continue in the handler of `action`.
 * @param info siginfo_t in kernel memory
 * @param mask the signal mask to go back to
 * @returns false if the stack cannot take the frame, no restorer was given, or the handler is no
 *   user address
 */
export function pushSignalFrame(
  frame: TrapFrame,
  thread: LinuxThread,
  action: SignalAction,
  info: usize,
  mask: u64,
): bool {
  if ((action.flags & SA_RESTORER) == 0) return false;
  // IRETQ to an address that is not canonical faults in the kernel.
  if (action.handler >= USER_END) return false;
  let sp = frame.rsp - RED_ZONE_BYTES;
  if ((action.flags & SA_ONSTACK) != 0 && thread.alternateStackBytes != 0) {
    if (!isOnAlternateStack(thread, frame.rsp)) {
      sp = thread.alternateStack + thread.alternateStackBytes;
    } else if (!isOnAlternateStack(thread, sp - signalFpuBytes() - SIGNAL_FRAME_BYTES)) {
      return false; // the alternate stack overflowed
    }
  }
  const fpuState = (sp - signalFpuBytes()) & ~63;
  const target = ((fpuState - SIGNAL_FRAME_BYTES) & ~15) - 8;
  if (target >= USER_END) return false;
  const image = heapAllocate(SIGNAL_FRAME_BYTES);
  if (image == 0) return false;
  fillFrame(changetype<SignalFrame>(image), frame, thread, action, mask, fpuState);
  memory.copy(image + offsetof<SignalFrame>(), info, SIGINFO_BYTES);
  const failed =
    copyOutFpu(thread, fpuState) != 0 || copyOut(target, image, SIGNAL_FRAME_BYTES) != 0;
  heapFree(image);
  if (failed) return false;

  if ((thread.alternateStackFlags & SS_AUTODISARM) != 0) {
    thread.alternateStack = 0;
    thread.alternateStackBytes = 0;
    thread.alternateStackFlags = SS_DISABLE;
  }
  fpuInitialise(thread.fpuArea);
  fpuRestore(thread.fpuArea);
  frame.rdi = changetype<SignalInfo>(info).signo;
  frame.rsi = target + offsetof<SignalFrame>();
  frame.rdx = target + offsetof<SignalFrame>("contextFlags");
  frame.rax = 0;
  frame.rsp = target;
  frame.rip = action.handler;
  frame.rflags &= ~(RFLAGS_DIRECTION | RFLAGS_TRAP | RFLAGS_RESUME);
  frame.vector = VECTOR_MODIFIED;
  return true;
}

/**
 * Undoes `pushSignalFrame` for the frame just above the stack pointer (rt_sigreturn(2)).
 * @param maskOut receives the signal mask (8 bytes of kernel memory)
 * @returns false if the frame is not readable or holds what no program may have
 */
export function popSignalFrame(frame: TrapFrame, thread: LinuxThread, maskOut: usize): bool {
  const image = heapAllocate(offsetof<SignalFrame>());
  if (image == 0) return false;
  const valid =
    copyIn(image, frame.rsp - 8, offsetof<SignalFrame>()) == 0 &&
    restoreRegisters(changetype<SignalFrame>(image), frame, thread);
  if (valid) store<u64>(maskOut, changetype<SignalFrame>(image).signalMask);
  heapFree(image);
  return valid;
}

function fillFrame(
  image: SignalFrame,
  frame: TrapFrame,
  thread: LinuxThread,
  action: SignalAction,
  mask: u64,
  fpuState: usize,
): void {
  memory.fill(changetype<usize>(image), 0, offsetof<SignalFrame>());
  image.returnAddress = action.restorer;
  image.contextFlags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
  if (fpuComponents() != 0) image.contextFlags |= UC_FP_XSTATE;
  image.stackBase = thread.alternateStack;
  image.stackFlags = alternateStackState(thread, frame.rsp);
  image.stackBytes = thread.alternateStackBytes;
  image.r8 = frame.r8;
  image.r9 = frame.r9;
  image.r10 = frame.r10;
  image.r11 = frame.r11;
  image.r12 = frame.r12;
  image.r13 = frame.r13;
  image.r14 = frame.r14;
  image.r15 = frame.r15;
  image.rdi = frame.rdi;
  image.rsi = frame.rsi;
  image.rbp = frame.rbp;
  image.rbx = frame.rbx;
  image.rdx = frame.rdx;
  image.rax = frame.rax;
  image.rcx = frame.rcx;
  image.rsp = frame.rsp;
  image.rip = frame.rip;
  image.rflags = frame.rflags;
  image.cs = <u16>frame.cs;
  image.ss = <u16>frame.ss;
  image.errorCode = thread.faultError;
  image.vector = thread.faultVector;
  image.cr2 = thread.faultAddress;
  image.oldMask = mask;
  image.fpuState = fpuState;
  image.signalMask = mask;
}

/** The ss_flags that sigaltstack(2) reports. */
export function alternateStackState(thread: LinuxThread, sp: usize): u32 {
  const modifier = thread.alternateStackFlags & SS_AUTODISARM;
  if (thread.alternateStackBytes == 0) return SS_DISABLE | modifier;
  return (isOnAlternateStack(thread, sp) ? SS_ONSTACK : 0) | modifier;
}

function restoreRegisters(image: SignalFrame, frame: TrapFrame, thread: LinuxThread): bool {
  // An address outside user space would fault in the kernel on the way back.
  if (image.rip >= USER_END) return false;
  if (!copyInFpu(thread, image.fpuState)) return false;
  frame.r8 = image.r8;
  frame.r9 = image.r9;
  frame.r10 = image.r10;
  frame.r11 = image.r11;
  frame.r12 = image.r12;
  frame.r13 = image.r13;
  frame.r14 = image.r14;
  frame.r15 = image.r15;
  frame.rdi = image.rdi;
  frame.rsi = image.rsi;
  frame.rbp = image.rbp;
  frame.rbx = image.rbx;
  frame.rdx = image.rdx;
  frame.rax = image.rax;
  frame.rcx = image.rcx;
  frame.rsp = image.rsp;
  frame.rip = image.rip;
  frame.rflags =
    (frame.rflags & ~RFLAGS_CARRY_TO_OVERFLOW) | (image.rflags & RFLAGS_CARRY_TO_OVERFLOW);
  frame.vector = VECTOR_MODIFIED; // no system call any more: nothing is restarted
  restoreAlternateStack(image, thread);
  return true;
}

/** The handler may have changed uc_stack; an invalid one is ignored, as on Linux. */
function restoreAlternateStack(image: SignalFrame, thread: LinuxThread): void {
  const flags = <u32>image.stackFlags;
  if ((flags & SS_DISABLE) != 0) {
    thread.alternateStack = 0;
    thread.alternateStackBytes = 0;
    thread.alternateStackFlags = SS_DISABLE;
    return;
  }
  if (image.stackBytes == 0 || image.stackBase >= USER_END) return;
  thread.alternateStack = image.stackBase;
  thread.alternateStackBytes = image.stackBytes;
  thread.alternateStackFlags = flags & SS_AUTODISARM;
}
