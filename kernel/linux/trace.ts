/**
 * System-call trace: with the word `trace` on the kernel command line every call, or with
 * `trace=0-3,257` those with these numbers, is written to the kernel log and to the serial port.
 *
 *     [3] openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC, 0) = 4
 *     [3] read(4, "root:x:0:0"..., 4096) = 1204
 *
 * A call is written up to its first result when it begins, the rest when it ends, so that one
 * that waits can be seen. If another thread's call comes between, the line ends with
 * "<unfinished ...>" and goes on as "<... read resumed>". `lock` guards which thread's line is open,
 * and keeps pieces whole; application memory is read before it is taken.
 *
 * Neighbours: `dispatch.ts`, the only user; `trace-line.ts`; `trace.gen.ts` says how to show what.
 */
import { findOption } from "../arch/bootinfo";
import { SpinLock } from "../arch/spinlock";
import { TrapFrame } from "../arch/x86_64/trapframe";
import { logEchoed } from "../lib/log";
import { currentThread } from "../sched/thread";
import { LAST_SYSCALL, parameterCount, syscallName } from "./dispatch.gen";
import { ARGUMENT_SLOTS, argumentKinds, ERROR_NAMES, nameSet } from "./trace.gen";
import { TraceLine } from "./trace-line";
import { copyIn, userStringLength } from "./user-memory";

// As in generate-trace.ts.
const KIND_NUMBER: u32 = 0;
const KIND_SIGNED: u32 = 1;
const KIND_PATH: u32 = 2;
const KIND_DIRECTORY_FD: u32 = 3;
const KIND_OCTAL: u32 = 4;
const KIND_BYTES_IN: u32 = 5;
const KIND_BYTES_OUT: u32 = 6;
const KIND_STRINGS: u32 = 7;
const KIND_PAIR_OUT: u32 = 8;
const KIND_POINTER: u32 = 9;
const KIND_PATH_OUT: u32 = 10;
const KIND_FIRST_SET: u32 = 32;
const KIND_NARROW: u32 = 128;

const AT_FDCWD: i64 = -100;
const NR_RT_SIGRETURN: u32 = 15;
const NR_EXIT: u32 = 60;
const NR_EXIT_GROUP: u32 = 231;
const PATH_SHOWN: usize = 256;
const BYTES_SHOWN: usize = 32;
const STRINGS_SHOWN: u32 = 8;
/** Numbers from here up are shown as hexadecimal: addresses, sizes of mappings. */
const HEXADECIMAL_FROM: u64 = 0x100000;
/** Results that are errors: -4095 to -1. */
const LOWEST_ERROR: i64 = -4095;

const lock = new SpinLock();
/** Thread whose line is not complete; 0 if the log stands at the start of a line. */
let openThread: i32 = 0;
/** One byte a call number: whether it is traced. The last one stands for unknown numbers. */
const wanted = new StaticArray<u8>(LAST_SYSCALL + 2);

/** True if the command line asks for a trace. */
export function isTraceWanted(): bool {
  const option = findOption("trace");
  if (!option) return false;
  readFilter(option.address, option.length);
  return true;
}

/** Reads `0-3,257`; empty means all. */
function readFilter(text: usize, length: usize): void {
  let first: u32 = 0;
  let number: u32 = 0;
  let isRange = false;
  for (let i: usize = 0; i < length; i++) {
    const byte = load<u8>(text + i);
    if (byte >= 0x30 && byte <= 0x39) number = number * 10 + (byte - 0x30);
    else if (byte == 0x2d) {
      first = number;
      number = 0;
      isRange = true;
      continue;
    }
    const isLast = i + 1 == length;
    if (byte != 0x2c && !isLast) continue;
    want(isRange ? first : number, number);
    number = 0;
    isRange = false;
  }
  if (length == 0) want(0, LAST_SYSCALL + 1);
}

function want(first: u32, last: u32): void {
  for (let nr = first; nr <= min(last, LAST_SYSCALL + 1); nr++) unchecked((wanted[nr] = 1));
}

function isWantedCall(nr: u32): bool {
  return unchecked(wanted[min(nr, LAST_SYSCALL + 1)]) != 0;
}

/** Logs the beginning of the call before it runs; a call that never returns is then the last line. */
export function traceEntry(nr: u32, frame: TrapFrame): void {
  if (!isWantedCall(nr)) return;
  const line = new TraceLine();
  line.byte(0x5b);
  line.decimal(currentThread().id);
  line.text("] ");
  writeName(line, nr);
  line.byte(0x28);
  const end = firstResult(nr);
  for (let i: u32 = 0; i < end; i++) writeArgument(line, nr, frame, i, 0);
  const isLast = nr == NR_EXIT || nr == NR_EXIT_GROUP || nr == NR_RT_SIGRETURN;
  if (isLast) line.text(") = ?\n");
  lock.acquire();
  closeOpenLine();
  logEchoed(line.address, line.length);
  openThread = isLast ? 0 : currentThread().id;
  lock.release();
  line.destroy();
}

/** Logs the rest of the call that `traceEntry` began. */
export function traceResult(nr: u32, frame: TrapFrame, result: i64): void {
  if (!isWantedCall(nr) || nr == NR_RT_SIGRETURN) return;
  const id = currentThread().id;
  const head = new TraceLine();
  head.byte(0x5b);
  head.decimal(id);
  head.text("] <... ");
  writeName(head, nr);
  head.text(" resumed> ");
  const line = new TraceLine();
  const count = parameterCount(nr);
  for (let i = firstResult(nr); i < count; i++) writeArgument(line, nr, frame, i, result);
  line.text(") = ");
  writeResult(line, result);
  line.byte(0x0a);
  lock.acquire();
  if (openThread != id) {
    closeOpenLine();
    logEchoed(head.address, head.length);
  }
  logEchoed(line.address, line.length);
  openThread = 0;
  lock.release();
  head.destroy();
  line.destroy();
}

/** Ends a line that another thread's call has left open. The caller holds `lock`. */
function closeOpenLine(): void {
  if (openThread == 0) return;
  const line = new TraceLine();
  line.text(" <unfinished ...>\n");
  logEchoed(line.address, line.length);
  line.destroy();
}

function writeName(line: TraceLine, nr: u32): void {
  const name = syscallName(nr);
  if (name.length > 0) line.text(name);
  else line.decimal(nr);
}

function kindOf(nr: u32, index: u32): u32 {
  return nr > LAST_SYSCALL ? KIND_NUMBER : unchecked(argumentKinds[nr * ARGUMENT_SLOTS + index]);
}

/** Index of the first argument that the call fills in, or the number of arguments. */
function firstResult(nr: u32): u32 {
  const count = parameterCount(nr);
  for (let i: u32 = 0; i < count; i++) {
    const kind = kindOf(nr, i) & ~KIND_NARROW;
    if (kind == KIND_BYTES_OUT || kind == KIND_PAIR_OUT || kind == KIND_PATH_OUT) return i;
  }
  return count;
}

function writeResult(line: TraceLine, result: i64): void {
  if (result < 0 && result >= LOWEST_ERROR) {
    line.text("-1 ");
    if (line.named(ERROR_NAMES, 0, <u64>-result, false) != 0) line.signed(-result);
  } else if (<u64>result >= HEXADECIMAL_FROM) line.hexadecimal(<u64>result);
  else line.signed(result);
}

function writeArgument(line: TraceLine, nr: u32, frame: TrapFrame, index: u32, result: i64): void {
  if (index != 0) line.text(", ");
  const encoded = kindOf(nr, index);
  const kind = encoded & ~KIND_NARROW;
  let value = argument(frame, index);
  if (encoded & KIND_NARROW) value &= 0xffffffff;
  if (kind >= KIND_FIRST_SET) writeNamed(line, kind - KIND_FIRST_SET, value);
  else if (kind == KIND_SIGNED || kind == KIND_DIRECTORY_FD) {
    const signed = encoded & KIND_NARROW ? <i64>(<i32>value) : <i64>value;
    if (kind == KIND_DIRECTORY_FD && signed == AT_FDCWD) line.text("AT_FDCWD");
    else line.signed(signed);
  } else if (kind == KIND_OCTAL) line.octal(value);
  else if (kind == KIND_PATH) writePath(line, value);
  else if (kind == KIND_BYTES_IN) writeBytes(line, value, argument(frame, index + 1));
  else if (kind == KIND_BYTES_OUT || kind == KIND_PATH_OUT) {
    if (result < 0) writePointer(line, value);
    else writeBytes(line, value, <u64>result);
  } else if (kind == KIND_STRINGS) writeStrings(line, value);
  else if (kind == KIND_PAIR_OUT) writePair(line, value, result);
  else if (kind == KIND_POINTER) writePointer(line, value);
  else if (value >= HEXADECIMAL_FROM) line.hexadecimal(value);
  else line.decimal(value);
}

function writePointer(line: TraceLine, value: u64): void {
  if (value == 0) line.text("NULL");
  else line.hexadecimal(value);
}

function writeNamed(line: TraceLine, set: u32, value: u64): void {
  const names = nameSet(set);
  const isFlags = names.charCodeAt(0) == 0x7c;
  const before = line.length;
  const rest = line.named(names, 1, value, isFlags);
  const isNamed = line.length != before;
  if (isNamed && rest == 0) return;
  if (isNamed) line.byte(0x7c);
  // O_RDONLY, PROT_NONE and F_OK are 0: no bits, no name.
  if (isFlags && rest != 0) line.hexadecimal(rest);
  else line.signed(<i64>(<i32>rest));
}

function writePath(line: TraceLine, address: usize): void {
  const length = userStringLength(address, PATH_SHOWN);
  if (length < 0) writePointer(line, address);
  else writeFrom(line, address, <usize>length, <usize>length == PATH_SHOWN);
}

function writeBytes(line: TraceLine, address: usize, count: u64): void {
  writeFrom(line, address, <usize>min<u64>(count, BYTES_SHOWN), count > BYTES_SHOWN);
}

/** Quotes `length` bytes of the application. */
function writeFrom(line: TraceLine, address: usize, length: usize, isCut: bool): void {
  const buffer = __alloc(PATH_SHOWN);
  if (buffer == 0 || copyIn(buffer, address, length) != 0) writePointer(line, address);
  else {
    line.quoted(buffer, length);
    if (isCut) line.text("...");
  }
  if (buffer != 0) __free(buffer);
}

function writeStrings(line: TraceLine, address: usize): void {
  const slot = __alloc(16);
  line.byte(0x5b);
  for (let i: u32 = 0; ; i++) {
    if (copyIn(slot, address + ((<usize>i) << 3), 8) != 0 || load<u64>(slot) == 0) break;
    if (i != 0) line.text(", ");
    if (i == STRINGS_SHOWN) {
      line.text("...");
      break;
    }
    writePath(line, <usize>load<u64>(slot));
  }
  line.byte(0x5d);
  __free(slot);
}

function writePair(line: TraceLine, address: usize, result: i64): void {
  const slot = __alloc(16);
  if (result < 0 || copyIn(slot, address, 8) != 0) writePointer(line, address);
  else {
    line.byte(0x5b);
    line.signed(load<i32>(slot));
    line.text(", ");
    line.signed(load<i32>(slot + 4));
    line.byte(0x5d);
  }
  __free(slot);
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
