/**
 * What belongs to one processor: a block of 256 bytes that GS points to while the kernel runs.
 *
 * The offsets are shared with boot.S and entry.S. Fields are read and written by one instruction
 * each, so they need no lock on their own processor.
 */
import { gsLoad32, gsLoad64, gsStore32, gsStore64, gsSubtract32 } from "./hw";

const SELF: u32 = 0;
const KERNEL_STACK: u32 = 8;
const CURRENT_THREAD: u32 = 24;
const CPU_ID: u32 = 32;
const LOCK_STATE: u32 = 36;
const USER_WORK: u32 = 44;
const IDLE_THREAD: u32 = 48;
const RUN_QUEUE: u32 = 56;
const FPU_OWNER: u32 = 64;
const TASK_STATE: u32 = 72;
const PREVIOUS_THREAD: u32 = 80;
const INTERRUPT_DEPTH: u32 = 88;
const TIMER_QUEUE: u32 = 96;
const APIC_ID: u32 = 104;

/** Size of the block in bytes. */
export const CPU_BLOCK_BYTES: usize = 256;

/** Address of this processor's block. */
export function cpuBlock(): usize {
  return gsLoad64(SELF);
}

/** Number of this processor, from 0. */
export function cpuId(): u32 {
  return gsLoad32(CPU_ID);
}

/**
 * Prepares the zeroed block at `block` for a processor that has not started; GS is not involved.
 * @param id number of the processor
 */
export function prepareCpuBlock(block: usize, id: u32, apicId: u32): void {
  store<u64>(block + SELF, block);
  store<u32>(block + CPU_ID, id);
  store<u32>(block + APIC_ID, apicId);
}

/** The idle thread of the processor with this block; set before it starts. */
export function prepareIdleThread(block: usize, thread: usize): void {
  store<u64>(block + IDLE_THREAD, thread);
  store<u64>(block + CURRENT_THREAD, thread);
}

/** Sets the stack that system calls enter on. */
export function setKernelStack(top: usize): void {
  gsStore64(KERNEL_STACK, top);
}

/** Address of the running thread's object; 0 before scheduling starts. */
export function currentThreadAddress(): usize {
  return gsLoad64(CURRENT_THREAD);
}

export function setCurrentThreadAddress(address: usize): void {
  gsStore64(CURRENT_THREAD, address);
}

/** In a lock state: interrupts were off when the first of the held spin locks was taken. */
export const LOCK_WAS_OFF: u32 = 1;
/** In a lock state: one spin lock that this processor holds. */
export const LOCK_ONE: u32 = 2;

/** How many spin locks this processor holds, and what was before; see LOCK_ONE, LOCK_WAS_OFF. */
export function lockState(): u32 {
  return gsLoad32(LOCK_STATE);
}

export function setLockState(state: u32): void {
  gsStore32(LOCK_STATE, state);
}

/** Takes one lock off the state; true if none is left and interrupts were on before the first. */
export function dropLock(): bool {
  return gsSubtract32(LOCK_STATE, LOCK_ONE);
}

/** Whether interrupts were on when the first of the held spin locks was taken. */
export function interruptsBefore(): bool {
  return (gsLoad32(LOCK_STATE) & LOCK_WAS_OFF) == 0;
}

export function setInterruptsBefore(on: bool): void {
  gsStore32(LOCK_STATE, (gsLoad32(LOCK_STATE) & ~LOCK_WAS_OFF) | (on ? 0 : LOCK_WAS_OFF));
}

/** Whether something must be done before the next return to user mode (entry.S tests it). */
export function userWork(): bool {
  return gsLoad32(USER_WORK) != 0;
}

export function setUserWork(on: bool): void {
  gsStore32(USER_WORK, on ? 1 : 0);
}

export function idleThreadAddress(): usize {
  return gsLoad64(IDLE_THREAD);
}

export function setIdleThreadAddress(address: usize): void {
  gsStore64(IDLE_THREAD, address);
}

export function runQueueAddress(): usize {
  return gsLoad64(RUN_QUEUE);
}

export function setRunQueueAddress(address: usize): void {
  gsStore64(RUN_QUEUE, address);
}

/** The thread whose FPU state this processor's registers hold. */
export function fpuOwnerAddress(): usize {
  return gsLoad64(FPU_OWNER);
}

export function setFpuOwnerAddress(address: usize): void {
  gsStore64(FPU_OWNER, address);
}

/** Address of this processor's task state segment. */
export function taskStateAddress(): usize {
  return gsLoad64(TASK_STATE);
}

export function setTaskStateAddress(address: usize): void {
  gsStore64(TASK_STATE, address);
}

/** The thread that ran before the one just switched to. */
export function previousThreadAddress(): usize {
  return gsLoad64(PREVIOUS_THREAD);
}

export function setPreviousThreadAddress(address: usize): void {
  gsStore64(PREVIOUS_THREAD, address);
}

/** Nesting of interrupt handlers; 0 in thread context. */
export function interruptDepth(): u32 {
  return gsLoad32(INTERRUPT_DEPTH);
}

export function setInterruptDepth(depth: u32): void {
  gsStore32(INTERRUPT_DEPTH, depth);
}

/** Address of this processor's timer queue. */
export function timerQueueAddress(): usize {
  return gsLoad64(TIMER_QUEUE);
}

export function setTimerQueueAddress(address: usize): void {
  gsStore64(TIMER_QUEUE, address);
}
