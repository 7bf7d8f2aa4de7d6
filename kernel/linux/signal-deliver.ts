/**
 * What happens between the kernel and the return to user mode: pending signals are turned into
 * handler frames or default actions, exceptions into signals.
 *
 * Neighbours: `kernel/trap.ts` (calls in), `signal-state.ts`, `signal-frame.ts`.
 */
import { TrapFrame } from "../arch/x86_64/trapframe";

/** Called before every return to user mode for which the thread has work: signals, exit. */
export function returnToUser(frame: TrapFrame): void {
  abort("unwritten");
}

/**
 * Turns an exception of user code into a signal of the running thread.
 * @param vector exception number (Intel SDM vol. 3 §6.15)
 * @param address faulting address of a page fault, else 0
 * @param reason for a page fault the FAULT_* value of the address space, else 0
 */
export function userFault(frame: TrapFrame, vector: u32, address: usize, reason: i32): void {
  abort("unwritten");
}
