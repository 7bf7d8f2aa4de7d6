/**
 * The kernel log: a ring of the last bytes logged, kept for panics and /dev/kmsg, echoed to a sink
 * (the serial port) when the boot is verbose.
 *
 * Neighbours: `dev/console/serial` registers the sink, `lib/panic` prints the tail.
 */

const RING_BYTES: u32 = 16384;

/** The ring; a power of two long, `written` counts every byte ever logged. */
const ring = new StaticArray<u8>(RING_BYTES);
let written: u64 = 0;
let verbose: bool = false;
let isEchoForced: bool = false;
let sink: ((byte: u8) => void) | null = null;
let clockNs: (() => u64) | null = null;
let atLineStart: bool = true;

/** Sets where log bytes are echoed to and whether they are. */
export function setLogSink(write: (byte: u8) => void): void {
  sink = write;
}

/** Turns the echo of the log on or off (`verbose` on the kernel command line). */
export function setLogVerbose(on: bool): void {
  verbose = on;
}

/** True if the log is echoed; lets callers skip the formatting of chatty lines. */
export function isLogVerbose(): bool {
  return verbose;
}

/** Makes every line start with the time since boot, read by `nowNs`. */
export function setLogClock(nowNs: () => u64): void {
  clockNs = nowNs;
}

/** Appends one byte; the first of a line is preceded by the time, once there is a clock. */
export function logByte(byte: u8): void {
  const now = clockNs;
  if (atLineStart && now) {
    atLineStart = false;
    logTime(now());
  }
  atLineStart = byte == 0x0a;
  put(byte);
}

/** Appends `length` bytes from `address` and echoes them, verbose or not: the user asked for them. */
export function logEchoed(address: usize, length: usize): void {
  isEchoForced = true;
  logBytes(address, length);
  isEchoForced = false;
}

/** Appends "[seconds.microseconds] ", as dmesg(1) shows it. */
function logTime(ns: u64): void {
  put(0x5b);
  const microseconds = ns / 1000;
  logDecimal(microseconds / 1000000);
  put(0x2e);
  logDigits(microseconds, 100000);
  put(0x5d);
  put(0x20);
}

function put(byte: u8): void {
  unchecked((ring[<u32>written & (RING_BYTES - 1)] = byte));
  written++;
  if (verbose || isEchoForced) {
    const write = sink;
    if (write) write(byte);
  }
}

/** Appends `length` raw bytes from `address`. */
export function logBytes(address: usize, length: usize): void {
  for (let i: usize = 0; i < length; i++) logByte(load<u8>(address + i));
}

/** Appends text without a line end. ASCII only. */
export function logText(text: string): void {
  for (let i = 0, n = text.length; i < n; i++) logByte(<u8>text.charCodeAt(i));
}

/** Appends one line. */
export function log(message: string): void {
  logText(message);
  logByte(0x0a);
}

/** Appends an unsigned decimal number. */
export function logDecimal(value: u64): void {
  let unit: u64 = 1;
  while (value / unit >= 10) unit *= 10;
  logDigits(value, unit);
}

/** Appends the decimal digits from the one of `unit`, a power of ten, on. */
function logDigits(value: u64, unit: u64): void {
  for (; unit != 0; unit /= 10) logByte(0x30 + <u8>((value / unit) % 10));
}

/** Appends a hexadecimal number of `digits` digits. */
export function logHexadecimal(value: u64, digits: u32 = 16): void {
  for (let shift = <i32>digits * 4 - 4; shift >= 0; shift -= 4) {
    const nibble = <u8>((value >> shift) & 15);
    logByte(nibble < 10 ? 0x30 + nibble : 0x57 + nibble);
  }
}

/** Appends a line `label value` with the value in hexadecimal. */
export function logHex(label: string, value: u64): void {
  logText(label);
  logText(" 0x");
  logHexadecimal(value);
  logByte(0x0a);
}

/** Appends a line `label value` with the value in decimal. */
export function logDec(label: string, value: u64): void {
  logText(label);
  logByte(0x20);
  logDecimal(value);
  logByte(0x0a);
}

/** Number of bytes ever logged; the ring holds the last `logCapacity()` of them. */
export function logWritten(): u64 {
  return written;
}

/** Size of the ring in bytes. */
export function logCapacity(): u32 {
  return RING_BYTES;
}

/** The byte logged at position `index` (counted from boot); it must still be in the ring. */
export function logAt(index: u64): u8 {
  return unchecked(ring[<u32>index & (RING_BYTES - 1)]);
}
