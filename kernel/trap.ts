/**
 * Exceptions and interrupts, sorted out: device and timer interrupts go to their handlers, page
 * faults to the address space, faults of the application become signals, faults of the kernel a
 * panic. Entered from arch/x86_64/entry.S.
 *
 * Neighbours: arch/irq (devices), vm/ (page faults), linux/ (signals), panic-screen.ts.
 */
import { interruptDepth, readCr2, setInterruptDepth, setUserWork, sti, cli } from "./arch/cpu";
import { dispatchInterrupt } from "./arch/irq";
import { serveFlush } from "./arch/shootdown";
import {
  VECTOR_FLUSH,
  VECTOR_RESCHEDULE,
  VECTOR_SPURIOUS,
  VECTOR_TIMER,
  endOfInterrupt,
} from "./arch/x86_64/apic";
import { userCopyEnd, userCopyFault, userCopyStart } from "./arch/x86_64/sym";
import { TrapFrame, isUserFrame } from "./arch/x86_64/trapframe";
import { currentProcess } from "./linux/process";
import { rseqAfterSwitch, rseqTellCpu } from "./linux/rseq";
import { noteLackOfMemory, returnToUser, userFault } from "./linux/signal-deliver";
import { USER_END } from "./mm/layout";
import { panicAt } from "./panic-screen";
import { runQueue, yieldNow } from "./sched/switch";
import { currentThread } from "./sched/thread";
import { runTimers } from "./sched/timer";
import { FAULT_OOM } from "./vm/flags";

const VECTOR_PAGE_FAULT: u32 = 14;
const FIRST_INTERRUPT: u32 = 32;

/** Page-fault error code bits (Intel SDM vol. 3 §4.7). */
const FAULT_WRITE: u64 = 2;
const FAULT_USER: u64 = 4;
const FAULT_RESERVED_BIT: u64 = 8;
const FAULT_FETCH: u64 = 16;

const RFLAGS_IF: u64 = 0x200;

/** Handles one exception or interrupt. Interrupts are off on entry. */
export function trapEntry(frame: TrapFrame): void {
  const vector = <u32>frame.vector;
  if (vector >= FIRST_INTERRUPT) {
    handleInterrupt(vector);
    return;
  }
  if (vector == VECTOR_PAGE_FAULT) {
    handlePageFault(frame);
    return;
  }
  if (!isUserFrame(frame)) {
    panicAt(frame, 0);
    return;
  }
  sti();
  userFault(frame, vector, 0, 0);
}

/**
 * Reports what ends the machine wherever it comes from: a double fault (of a kernel stack that is
 * full, as a rule), a machine check, a non-maskable interrupt (somebody asks what the machine does).
 */
export function trapFatalEntry(frame: TrapFrame): void {
  panicAt(frame, readCr2());
}

function handleInterrupt(vector: u32): void {
  setInterruptDepth(interruptDepth() + 1);
  if (vector == VECTOR_TIMER) {
    endOfInterrupt();
    runTimers();
  } else if (vector == VECTOR_FLUSH) {
    endOfInterrupt();
    serveFlush();
  } else if (vector == VECTOR_RESCHEDULE) {
    endOfInterrupt();
    setUserWork(true);
    if (!runQueue().isEmpty()) runQueue().limitSlice();
  } else if (vector != VECTOR_SPURIOUS) {
    dispatchInterrupt(vector);
  }
  setInterruptDepth(interruptDepth() - 1);
}

function handlePageFault(frame: TrapFrame): void {
  const address = readCr2();
  const error = frame.errorCode;
  const fromUser = isUserFrame(frame);
  const inCopy = !fromUser && frame.rip >= userCopyStart() && frame.rip < userCopyEnd();
  if (address >= USER_END || (error & FAULT_RESERVED_BIT) != 0 || (!fromUser && !inCopy)) {
    if (fromUser) {
      sti();
      userFault(frame, VECTOR_PAGE_FAULT, address, 1);
    } else if (inCopy) {
      frame.rip = userCopyFault();
    } else {
      panicAt(frame, address);
    }
    return;
  }
  // A copy with interrupts off holds a spin lock: it may not sleep here.
  if (inCopy && (frame.rflags & RFLAGS_IF) == 0) {
    panicAt(frame, address);
    return;
  }
  sti();
  const thread = currentThread();
  const switches = thread.sleeps + thread.preemptions;
  const reason = currentProcess().addressSpace.handleFault(
    address,
    (error & FAULT_WRITE) != 0,
    (error & FAULT_FETCH) != 0,
    fromUser,
  );
  if (reason != 0) {
    if (fromUser) userFault(frame, VECTOR_PAGE_FAULT, address, reason);
    else {
      if (reason == FAULT_OOM) noteLackOfMemory();
      frame.rip = userCopyFault();
    }
  }
  if (fromUser && thread.sleeps + thread.preemptions != switches) rseqAfterSwitch(frame);
  cli();
}

/**
 * Called before a return to user mode when there is work: gives the CPU away at the end of a time
 * slice, delivers signals. Returns with interrupts off and nothing left to do.
 */
export function userReturn(frame: TrapFrame): void {
  const thread = currentThread();
  while (true) {
    setUserWork(false);
    if (runQueue().reschedule) {
      runQueue().reschedule = false;
      yieldNow();
      rseqAfterSwitch(frame);
    }
    if (thread.isMisinformed()) {
      rseqTellCpu();
      continue; // the copy may have switched threads
    }
    if (!thread.interruptPending) break;
    sti();
    returnToUser(frame);
    cli();
  }
}
