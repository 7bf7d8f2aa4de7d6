/**
 * System-call trace: with the word `trace` on the kernel command line every call is written to the
 * kernel log with its arguments and result (and so to the serial port with `verbose`).
 *
 *     [3] openat(ffffff9c 7fff0a10 80000 0 0 0) "/etc/passwd" = 4
 *
 * Neighbour: `dispatch.ts`, the only user.
 */
import { BootOption, findOption } from "../arch/bootinfo";
import { TrapFrame } from "../arch/x86_64/trapframe";
import { free } from "../lib/object";
import { logByte, logBytes, logDecimal, logHexadecimal, logText } from "../lib/log";
import { currentThread } from "../sched/thread";
import { parameterCount, pathParameter, syscallName } from "./dispatch.gen";
import { copyIn, userStringLength } from "./user-memory";

/** Results from here up are addresses rather than counts. */
const ADDRESS_FROM: i64 = 0x10000;
const PATH_SHOWN: usize = 96;

const shown = new StaticArray<u8>(<i32>PATH_SHOWN);

/** True if the command line asks for a trace. */
export function isTraceWanted(): bool {
  const option = new BootOption();
  const isWanted = findOption("trace", option);
  free(option);
  return isWanted;
}

/** Logs the call before it runs; a call that never returns is then the last line. */
export function traceEntry(nr: u32, frame: TrapFrame): void {
  logByte(0x5b);
  logDecimal(currentThread().id);
  logText("] ");
  const name = syscallName(nr);
  if (name.length > 0) logText(name);
  else logDecimal(nr);
  logByte(0x28);
  const count = parameterCount(nr);
  for (let i: u32 = 0; i < count; i++) {
    if (i != 0) logByte(0x20);
    const value = argument(frame, i);
    logHexadecimal(value, digitsOf(value));
  }
  logByte(0x29);
  const path = pathParameter(nr);
  if (path >= 0) tracePath(argument(frame, path));
}

/** Logs the result of the call that `traceEntry` began. */
export function traceResult(result: i64): void {
  logText(" = ");
  if (result >= ADDRESS_FROM) logHexadecimal(<u64>result, digitsOf(<u64>result));
  else {
    if (result < 0) logByte(0x2d);
    logDecimal(<u64>(result < 0 ? -result : result));
  }
  logByte(0x0a);
}

function tracePath(address: usize): void {
  const length = userStringLength(address, PATH_SHOWN);
  if (length < 0) return;
  const buffer = changetype<usize>(shown);
  if (copyIn(buffer, address, <usize>length) != 0) return;
  logText(' "');
  logBytes(buffer, <usize>length);
  logByte(0x22);
}

function argument(frame: TrapFrame, index: u32): u64 {
  switch (index) {
    case 0:
      return frame.rdi;
    case 1:
      return frame.rsi;
    case 2:
      return frame.rdx;
    case 3:
      return frame.r10;
    case 4:
      return frame.r8;
    default:
      return frame.r9;
  }
}

function digitsOf(value: u64): u32 {
  return value == 0 ? 1 : <u32>((67 - clz(value)) >> 2);
}
