/**
 * Where a system call arrives: reads number and arguments from the registers, calls the handler
 * through the generated switch, stores the result. Calls that nobody serves return ENOSYS and are
 * counted for the report at the end of the program (`machine-end.ts`).
 *
 * Neighbours: `dispatch.gen.ts` (from `syscall-table.ts`), `arch/x86_64/entry.S` (the caller),
 * `signal-delivery` (restarts interrupted calls on the way back to user mode).
 */
import { TrapFrame } from "../arch/x86_64/trapframe";
import { ENOSYS } from "../lib/errno";
import { dispatch, LAST_SYSCALL } from "./dispatch.gen";
import { isTraceWanted, traceEntry, traceResult } from "./trace";

/** Calls per number that ended with ENOSYS; the last slot counts numbers beyond the table. */
const missing = new StaticArray<u32>(LAST_SYSCALL + 2);
const TRACE_UNDECIDED: u32 = 0;
const TRACE_OFF: u32 = 1;
const TRACE_ON: u32 = 2;
let trace: u32 = TRACE_UNDECIDED;

/** Serves the system call whose registers are in `frame`. */
export function systemCall(frame: TrapFrame): void {
  const nr = <u32>frame.errorCode;
  if (trace != TRACE_OFF) {
    tracedCall(nr, frame);
    return;
  }
  const result = dispatch(nr, frame);
  if (result == -ENOSYS) countMissing(nr);
  frame.rax = <u64>result;
}

/** The first call, which finds out whether to trace, and every call of a traced program. */
function tracedCall(nr: u32, frame: TrapFrame): void {
  if (trace == TRACE_UNDECIDED) trace = isTraceWanted() ? TRACE_ON : TRACE_OFF;
  const isOn = trace == TRACE_ON;
  if (isOn) traceEntry(nr, frame);
  const result = dispatch(nr, frame);
  if (isOn) traceResult(nr, frame, result);
  if (result == -ENOSYS) countMissing(nr);
  frame.rax = <u64>result;
}

function countMissing(nr: u32): void {
  const slot = min(nr, LAST_SYSCALL + 1);
  const address = changetype<usize>(missing) + ((<usize>slot) << 2);
  atomic.add<u32>(address, 1);
}

/** How often call `nr` returned ENOSYS; `LAST_SYSCALL + 1` stands for all unknown numbers. */
export function missingCount(nr: u32): u32 {
  return unchecked(missing[min(nr, LAST_SYSCALL + 1)]);
}
