/**
 * Where a system call arrives: reads number and arguments from the registers, calls the handler
 * through the generated switch, stores the result. Calls that nobody serves return ENOSYS and are
 * counted for the report at the end of the program (`machine-end.ts`).
 *
 * Neighbours: `seccomp.ts` (may forbid calls), `dispatch.gen.ts` (from `syscall-table.ts`), `arch/x86_64/entry.S` (the caller),
 * `signal-delivery` (restarts interrupted calls on the way back to user mode).
 */
import { TrapFrame } from "../arch/x86_64/trapframe";
import { ENOSYS } from "../lib/errno";
import { dispatch, LAST_SYSCALL } from "./dispatch.gen";
import { mayCall } from "./seccomp";
import { isTraceWanted, traceEntry, traceResult } from "./trace";

/** Calls per number that ended with ENOSYS; the last slot counts numbers beyond the table. */
const missing = new StaticArray<u32>(LAST_SYSCALL + 2);

/** Whether calls are looked at on their way, by the trace or by seccomp filters: DIRECT, or these bits. */
const DIRECT: u32 = 0;
const UNDECIDED: u32 = 1;
const TRACED: u32 = 2;
const FILTERED: u32 = 4;
let route: u32 = UNDECIDED;

/** Serves the system call whose registers are in `frame`. */
export function systemCall(frame: TrapFrame): void {
  const nr = <u32>frame.errorCode;
  if (route > DIRECT) watchedCall(nr, frame);
  else finish(nr, frame, dispatch(nr, frame));
}

/** Stores what a call returned. */
function finish(nr: u32, frame: TrapFrame, result: i64): void {
  if (result == -ENOSYS) countMissing(nr);
  frame.rax = <u64>result;
}

/** From now on every call is shown to seccomp.ts first. */
export function filterCalls(): void {
  route |= FILTERED;
}

/** The first call, which finds out whether to trace, and every call that is looked at. */
function watchedCall(nr: u32, frame: TrapFrame): void {
  if (route == UNDECIDED) route = isTraceWanted() ? TRACED : DIRECT;
  const isTraced = (route & TRACED) != 0;
  if (isTraced) traceEntry(nr, frame);
  if ((route & FILTERED) != 0 && !mayCall(nr, frame)) {
    if (isTraced) traceResult(nr, frame, <i64>frame.rax);
    return;
  }
  const result = dispatch(nr, frame);
  if (isTraced) traceResult(nr, frame, result);
  finish(nr, frame, result);
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
