/**
 * What the host tells a guest that runs: signals for its first process, and the size of its
 * terminal. Bytes for the stream `signals`, see `docs/guest-protocol.md`; the kernel's reader is
 * `kernel/linux/host-signals.ts`.
 */

/** Begins a size; no signal has this number. */
const WINDOW_SIZE = 0x80;

/** A signal for the program, by its number on Linux. */
export function signalMessage(signal: number): Uint8Array {
  return Uint8Array.of(signal);
}

/** A new size of the terminal, in characters. */
export function sizeMessage(size: { readonly rows: number; readonly columns: number }): Uint8Array {
  const message = Buffer.alloc(5);
  message.writeUInt8(WINDOW_SIZE);
  message.writeUInt16LE(Math.min(size.columns, 0xffff), 1);
  message.writeUInt16LE(Math.min(size.rows, 0xffff), 3);
  return message;
}
