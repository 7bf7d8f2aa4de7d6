/**
 * The control channel to whoever started the machine: bytes written to the debug console port of
 * QEMU and others, lines of JSON (docs/control-channel.md). Works in any context.
 */
import { inb, outb } from "./hw";

const PORT: u16 = 0xe9;
/** What reading the port yields where the device exists. */
const PRESENT: u8 = 0xe9;

/** Sends one byte. */
export function controlWrite(byte: u8): void {
  outb(PORT, byte);
}

/** Sends text (ASCII). */
export function controlWriteText(text: string): void {
  for (let i = 0, n = text.length; i < n; i++) outb(PORT, <u8>text.charCodeAt(i));
}

/** True if somebody listens. */
export function controlPresent(): bool {
  return inb(PORT) == PRESENT;
}
