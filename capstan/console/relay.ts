/**
 * Moves bytes between the guest's channels and capstan's own standard streams, in order, without
 * loss, at the reader's speed.
 */
import type { Readable, Writable } from "node:stream";
import type { OutputSink } from "./output.ts";

/**
 * Copies a channel to a sink until the channel ends. The next piece is read only when the sink
 * has taken the last one; so a slow reader slows the guest down. When nobody reads any more, the
 * channel is closed and the guest's next write fails with EPIPE.
 * @param onBytes called with every piece before it is written
 */
export async function relayOutput(
  channel: Readable,
  sink: OutputSink,
  onBytes: (bytes: Buffer) => void,
): Promise<void> {
  try {
    for await (const bytes of channel as AsyncIterable<Buffer>) {
      onBytes(bytes);
      if (!(await sink.write(bytes))) return;
    }
  } catch {
    // The VMM died with bytes for it on the way: everything from it has been read by then.
  }
}

/**
 * Copies capstan's input to the guest until the input ends; then the guest reads end of file.
 * @returns a function that stops the copying
 */
export function relayInput(input: Readable, channel: Writable): () => void {
  input.on("error", () => channel.end());
  input.pipe(channel);
  return () => stopInput(input);
}

/** What ends the machine when it is typed in raw mode: Ctrl-]. */
export const escapeByte = 0x1d;

/** The end-of-file character of a terminal in canonical mode: Ctrl-D. */
const endOfFileByte = 0x04;

/**
 * Copies keys to the guest's terminal until the input ends. The guest's own terminal driver turns
 * Ctrl-C into SIGINT; the escape key never reaches the guest.
 * @param onEscape called when the escape key is typed
 * @returns a function that stops the copying
 */
export function relayKeys(input: Readable, channel: Writable, onEscape: () => void): () => void {
  input.on("error", () => {});
  input.on("data", (bytes: Buffer) => {
    const escapeAt = bytes.indexOf(escapeByte);
    const keys = escapeAt < 0 ? bytes : bytes.subarray(0, escapeAt);
    if (keys.length > 0 && !channel.write(keys)) {
      input.pause();
      channel.once("drain", () => input.resume());
    }
    if (escapeAt >= 0) onEscape();
  });
  // Closing the channel would also cut off the terminal's output.
  input.on("end", () => channel.write(Buffer.of(endOfFileByte)));
  return () => stopInput(input);
}

function stopInput(input: Readable): void {
  input.unpipe();
  input.removeAllListeners("data");
  input.pause();
  input.destroy();
}
