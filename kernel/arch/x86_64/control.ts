/**
 * The control channel to whoever started the machine: lines of JSON (docs/guest-protocol.md), as
 * bytes written to the debug console port of QEMU and Cloud Hypervisor. Machine monitors without
 * that port get them on the serial line, among the program's output: there each line begins with
 * the record separator of RFC 7464 (JSON text sequences). Works in any context.
 */
import { inb, outb } from "./hw";

const PORT: u16 = 0xe9;
/** What reading the port yields where the device exists. */
const PRESENT: u8 = 0xe9;
const RECORD_SEPARATOR: u8 = 0x1e;
const LINE_FEED: u8 = 0x0a;

let serialSink: ((byte: u8) => void) | null = null;
let atStartOfRecord: bool = true;

/** Sends everything through `sink`, the serial line, from now on. */
export function setControlSink(sink: (byte: u8) => void): void {
  serialSink = sink;
}

/** Sends one byte. */
export function controlWrite(byte: u8): void {
  const sink = serialSink;
  if (sink == null) {
    outb(PORT, byte);
    return;
  }
  if (atStartOfRecord) sink(RECORD_SEPARATOR);
  sink(byte);
  atStartOfRecord = byte == LINE_FEED;
}

/** Sends text (ASCII). */
export function controlWriteText(text: string): void {
  for (let i = 0, n = text.length; i < n; i++) controlWrite(<u8>text.charCodeAt(i));
}

/** True if somebody listens. */
export function controlPresent(): bool {
  return serialSink != null || inb(PORT) == PRESENT;
}
