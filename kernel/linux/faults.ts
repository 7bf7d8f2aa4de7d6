/**
 * Exceptions of user code become signals (Intel SDM vol. 3 §6.15 lists the exceptions, sigaction(2)
 * the codes). Running out of memory ends the program with a message instead.
 *
 * Neighbours: `kernel/trap.ts` (calls in), `signal-send.ts`, `out-of-memory.ts`.
 */
import { TrapFrame } from "../arch/x86_64/trapframe";
import { fpuSave } from "../arch/x86_64/fpu";
import { isLogVerbose, logDecimal, logHexadecimal, logText } from "../lib/log";
import { requestUserWork } from "../sched/thread";
import { FAULT_OOM, FAULT_SIGBUS, FAULT_SIGSEGV_ACCERR } from "../vm/flags";
import { endForLackOfMemory } from "./out-of-memory";
import { currentLinuxThread } from "./process";
import { forceSignal } from "./signal-send";
import {
  BUS_ADRALN,
  BUS_ADRERR,
  FPE_FLTDIV,
  FPE_FLTINV,
  FPE_FLTOVF,
  FPE_FLTRES,
  FPE_FLTUND,
  FPE_INTDIV,
  ILL_ILLOPN,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SIGBUS,
  SIGFPE,
  SIGILL,
  SIGSEGV,
  SIGTRAP,
  SI_KERNEL,
  TRAP_TRACE,
} from "./signal-numbers";
import { SIGINFO_BYTES, SignalInfo } from "./signal-state";
import { scratch } from "./user-memory";

const VECTOR_DIVIDE: u32 = 0;
const VECTOR_DEBUG: u32 = 1;
const VECTOR_BREAKPOINT: u32 = 3;
const VECTOR_INVALID_OPCODE: u32 = 6;
const VECTOR_SEGMENT_NOT_PRESENT: u32 = 11;
const VECTOR_STACK: u32 = 12;
const VECTOR_PAGE_FAULT: u32 = 14;
const VECTOR_X87: u32 = 16;
const VECTOR_ALIGNMENT: u32 = 17;
const VECTOR_SIMD: u32 = 19;

const RFLAGS_TRAP: u64 = 0x100;

/**
 * Turns an exception of user code into a signal of the running thread.
 * @param vector exception number
 * @param address faulting address of a page fault, else 0
 * @param reason for a page fault the FAULT_* value of the address space, else 0
 */
export function userFault(frame: TrapFrame, vector: u32, address: usize, reason: i32): void {
  const thread = currentLinuxThread();
  thread.faultVector = vector;
  thread.faultError = frame.errorCode;
  if (isLogVerbose()) logFault(frame, vector, address);
  if (vector == VECTOR_PAGE_FAULT) {
    thread.faultAddress = address;
    if (reason == FAULT_OOM) endForLackOfMemory();
    else if (reason == FAULT_SIGBUS) raise(SIGBUS, BUS_ADRERR, address);
    else raise(SIGSEGV, reason == FAULT_SIGSEGV_ACCERR ? SEGV_ACCERR : SEGV_MAPERR, address);
    return;
  }
  switch (vector) {
    case VECTOR_DIVIDE:
      raise(SIGFPE, FPE_INTDIV, frame.rip);
      break;
    case VECTOR_DEBUG:
      frame.rflags &= ~RFLAGS_TRAP;
      raise(SIGTRAP, TRAP_TRACE, frame.rip);
      break;
    case VECTOR_BREAKPOINT:
      raise(SIGTRAP, SI_KERNEL, 0);
      break;
    case VECTOR_INVALID_OPCODE:
      raise(SIGILL, ILL_ILLOPN, frame.rip);
      break;
    case VECTOR_SEGMENT_NOT_PRESENT:
    case VECTOR_STACK:
      raise(SIGBUS, SI_KERNEL, 0);
      break;
    case VECTOR_ALIGNMENT:
      raise(SIGBUS, BUS_ADRALN, 0);
      break;
    case VECTOR_X87:
    case VECTOR_SIMD:
      raise(SIGFPE, floatingPointCode(thread.fpuArea, vector), frame.rip);
      break;
    default:
      raise(SIGSEGV, SI_KERNEL, 0);
  }
}

/**
 * The kernel, copying for a system call, touched a page of the program for which there is no memory.
 * The call fails; then the program ends as if it had touched the page itself.
 */
export function noteLackOfMemory(): void {
  const thread = currentLinuxThread();
  thread.lacksMemory = true;
  thread.interruptPending = true;
  requestUserWork();
}

/** A line for the verbose log: which exception, where, what address. */
function logFault(frame: TrapFrame, vector: u32, address: usize): void {
  logText("fault: vector ");
  logDecimal(vector);
  logText(" error ");
  logHexadecimal(frame.errorCode, 4);
  logText(" rip ");
  logHexadecimal(frame.rip);
  logText(" rsp ");
  logHexadecimal(frame.rsp);
  logText(" address ");
  logHexadecimal(address);
  logText("\n");
}

function raise(number: i32, code: i32, address: usize): void {
  const buffer = scratch();
  memory.fill(buffer, 0, SIGINFO_BYTES);
  const info = changetype<SignalInfo>(buffer);
  info.signo = number;
  info.code = code;
  info.first = address;
  forceSignal(buffer);
}

/** si_code from the unmasked exception flags of the x87 or SSE status (SDM vol. 1 §8.5, §11.5). */
function floatingPointCode(area: usize, vector: u32): i32 {
  fpuSave(area);
  let raised: u32;
  if (vector == VECTOR_X87) {
    raised = <u32>load<u16>(area + 2) & ~(<u32>load<u16>(area));
  } else {
    const mxcsr = load<u32>(area + 24);
    raised = mxcsr & ~(mxcsr >> 7);
  }
  if ((raised & 0x01) != 0) return FPE_FLTINV;
  if ((raised & 0x04) != 0) return FPE_FLTDIV;
  if ((raised & 0x08) != 0) return FPE_FLTOVF;
  if ((raised & 0x12) != 0) return FPE_FLTUND;
  if ((raised & 0x20) != 0) return FPE_FLTRES;
  return FPE_FLTINV;
}
