/**
 * What a person sees when the kernel breaks: the reason, the registers, the way there in TypeScript
 * functions and lines, the last log lines. Then the machine goes off with a status that capstan
 * reports. Nothing here allocates or sleeps.
 */
import {
  cli,
  controlWriteText,
  cpuId,
  framePointer,
  hlt,
  readCr2,
  readCr3,
  tripleFault,
} from "./arch/cpu";
import { powerOff } from "./arch/power";
import { __text_end, __text_start } from "./arch/x86_64/sym";
import { TrapFrame } from "./arch/x86_64/trapframe";
import { serialWriteByte } from "./dev/console/serial";
import { SymbolInfo, symbolise } from "./lib/ksyms";
import {
  logBytes,
  isLogVerbose,
  logAt,
  logDecimal,
  logHexadecimal,
  logText,
  logWritten,
  setLogSink,
  setLogVerbose,
} from "./lib/log";
import { setPanicHook } from "./lib/panic";

const EXCEPTION_NAMES: StaticArray<string> = [
  "divide error",
  "debug",
  "non-maskable interrupt",
  "breakpoint",
  "overflow",
  "bound range",
  "invalid opcode",
  "device not available",
  "double fault",
  "coprocessor segment",
  "invalid task state",
  "segment not present",
  "stack segment",
  "general protection",
  "page fault",
  "reserved",
  "x87 error",
  "alignment check",
  "machine check",
  "SIMD error",
];
const MAX_BACKTRACE: u32 = 40;
const LOG_TAIL_BYTES: u64 = 1500;
const KERNEL_HALF: usize = 0xffff800000000000;

/** 1 + the number of the processor that reports; 0 while all is well. */
const reporter = memory.data(4, 4);
const symbol = new SymbolInfo();

/** Makes `panic` and failed assertions end here. */
export function initPanic(): void {
  setPanicHook(panicMessage);
}

function panicMessage(message: string): void {
  begin();
  logText(message);
  logText("\n");
  tellControl(message);
  backtrace(framePointer());
  finish();
}

/** Reports a failed `assert` or bounds check of a known source position. */
export function panicAssertion(message: string | null, file: string | null, line: u32): void {
  begin();
  const text = message ? message : "assertion failed";
  logText(text);
  logText(" at ");
  if (file) logText(file);
  logText(":");
  logDecimal(line);
  logText("\n");
  tellControl(text);
  backtrace(framePointer());
  finish();
}

/** Reports an exception in kernel code. */
export function panicAt(frame: TrapFrame, address: usize): void {
  begin();
  const vector = <u32>frame.vector;
  const name =
    vector < <u32>EXCEPTION_NAMES.length ? EXCEPTION_NAMES[vector] : "unexpected exception";
  logText(name);
  logText(" in the kernel, error ");
  logHexadecimal(frame.errorCode, 4);
  logText(", address ");
  logHexadecimal(address);
  logText("\n");
  tellControl(name);
  registers(frame);
  // Not a return address: the instruction itself.
  line(frame.rip + 1);
  backtrace(frame.rbp);
  finish();
}

function begin(): void {
  cli();
  const before = atomic.cmpxchg<u32>(reporter, 0, cpuId() + 1);
  if (before == cpuId() + 1) tripleFault(); // the report itself fails
  while (before != 0) hlt(); // another processor reports and ends the machine
  const logged = logWritten();
  setLogSink(serialWriteByte);
  let from = logged > LOG_TAIL_BYTES ? logged - LOG_TAIL_BYTES : 0;
  // A verbose boot has shown the log already.
  if (!isLogVerbose()) for (; from < logged; from++) serialWriteByte(logAt(from));
  setLogVerbose(true);
  logText("\nKERNEL PANIC: ");
}

function finish(): void {
  logText("the machine stops here\n");
  powerOff();
}

function tellControl(message: string): void {
  controlWriteText('{"event":"panic","message":"');
  controlWriteText(message);
  controlWriteText('"}\n');
}

function registers(frame: TrapFrame): void {
  register("rip", frame.rip);
  register("rsp", frame.rsp);
  register("rbp", frame.rbp);
  register("flags", frame.rflags);
  logText("\n");
  register("rax", frame.rax);
  register("rbx", frame.rbx);
  register("rcx", frame.rcx);
  register("rdx", frame.rdx);
  logText("\n");
  register("rsi", frame.rsi);
  register("rdi", frame.rdi);
  register("r8", frame.r8);
  register("r9", frame.r9);
  logText("\n");
  register("r10", frame.r10);
  register("r11", frame.r11);
  register("r12", frame.r12);
  register("r13", frame.r13);
  logText("\n");
  register("r14", frame.r14);
  register("r15", frame.r15);
  register("cr2", readCr2());
  register("cr3", readCr3());
  logText("\n");
}

function register(name: string, value: u64): void {
  logText("  ");
  logText(name);
  logText(" ");
  logHexadecimal(value);
}

/** Follows the chain of frame pointers: [rbp] is the caller's, [rbp + 8] the return address. */
function backtrace(start: usize): void {
  let frame = start;
  for (let depth: u32 = 0; depth < MAX_BACKTRACE; depth++) {
    if (frame < KERNEL_HALF || (frame & 7) != 0) break;
    const returnAddress = load<usize>(frame + 8);
    if (returnAddress < __text_start() || returnAddress >= __text_end()) break;
    line(returnAddress);
    const next = load<usize>(frame);
    if (next <= frame) break;
    frame = next;
  }
}

function line(address: usize): void {
  logText("    at ");
  if (symbolise(address, symbol)) {
    logBytes(symbol.functionName, symbol.functionNameLength);
    logText(" (");
    logBytes(symbol.fileName, symbol.fileNameLength);
    logText(":");
    logDecimal(symbol.line);
    logText(")");
  } else {
    logHexadecimal(address);
  }
  logText("\n");
}
