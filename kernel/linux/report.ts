/**
 * The guest's messages to its host: one JSON object a line on the control channel (an I/O port of
 * the machine monitor). `capstan` reads them; see `docs/protocol.md`.
 *
 * Usable in any context: nothing here allocates, locks or sleeps. Lines of two CPUs could mix; the
 * callers are at the end of the program, where one CPU is left.
 *
 * Neighbours: `exit.ts`, `dispatch.ts` (list of missing system calls), `kernel/panic-screen.ts`.
 */
import { controlWrite } from "../arch/x86_64/control";

/** Begins a message: `{"event":"<name>"`. */
export function beginReport(event: string): void {
  reportText('{"event":"');
  reportText(event);
  reportText('"');
}

/** Adds `,"key":value` with a decimal number. */
export function reportNumber(key: string, value: i64): void {
  reportKey(key);
  reportDecimal(value);
}

/** Adds `,"key":"text"`. */
export function reportString(key: string, text: string): void {
  reportKey(key);
  reportText('"');
  for (let i = 0; i < text.length; i++) reportEscaped(<u8>text.charCodeAt(i));
  reportText('"');
}

/** Opens `,"key":"`; add pieces with `reportPiece…` and close it with `endString`. */
export function beginString(key: string): void {
  reportKey(key);
  reportText('"');
}

/** Adds literal text inside an open string. */
export function reportPiece(text: string): void {
  for (let i = 0; i < text.length; i++) reportEscaped(<u8>text.charCodeAt(i));
}

/** Adds bytes inside an open string, escaped; bytes above ASCII pass as they are (UTF-8). */
export function reportPieceBytes(address: usize, length: usize): void {
  for (let i: usize = 0; i < length; i++) reportEscaped(load<u8>(address + i));
}

/** Adds a decimal number inside an open string. */
export function reportPieceDecimal(value: i64): void {
  reportDecimal(value);
}

/** Closes a string opened by `beginString`. */
export function endString(): void {
  reportText('"');
}

/** Adds `,"key":` and nothing else; the value follows by `reportRaw`. */
export function reportKey(key: string): void {
  reportText(',"');
  reportText(key);
  reportText('":');
}

/** Adds JSON text as it is. */
export function reportRaw(text: string): void {
  reportText(text);
}

/** Adds a decimal number as it is. */
export function reportRawDecimal(value: i64): void {
  reportDecimal(value);
}

/** Ends the message and its line. */
export function endReport(): void {
  reportText("}\n");
}

function reportDecimal(value: i64): void {
  if (value < 0) {
    controlWrite(0x2d);
    reportDigits(<u64>-value);
  } else reportDigits(<u64>value);
}

function reportDigits(value: u64): void {
  if (value >= 10) reportDigits(value / 10);
  controlWrite(0x30 + <u8>(value % 10));
}

function reportEscaped(byte: u8): void {
  if (byte == 0x22 || byte == 0x5c) {
    controlWrite(0x5c);
    controlWrite(byte);
  } else if (byte < 0x20) {
    reportText("\\u00");
    controlWrite(byte >= 16 ? 0x31 : 0x30);
    const low = byte & 15;
    controlWrite(low < 10 ? 0x30 + low : 0x57 + low);
  } else controlWrite(byte);
}

function reportText(text: string): void {
  for (let i = 0; i < text.length; i++) controlWrite(<u8>text.charCodeAt(i));
}
