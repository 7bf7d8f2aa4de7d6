/**
 * The host's terminal: whether there is one, its size, and raw mode that is always undone.
 */
import type { ReadStream, WriteStream } from "node:tty";

/** Size of a terminal in characters. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** Whether input and output are both a terminal, so that a program can be used interactively. */
export function isInteractive(input: ReadStream, output: WriteStream): boolean {
  return input.isTTY === true && output.isTTY === true;
}

/** The terminal's size; 24 rows of 80 columns when it does not say. */
export function terminalSize(output: WriteStream): TerminalSize {
  return { rows: output.rows || 24, columns: output.columns || 80 };
}

/**
 * Puts a terminal into raw mode: every key goes to the guest. The old mode comes back when the
 * returned function is called, and in any case when capstan ends.
 */
export function enterRawMode(input: ReadStream): () => void {
  let isRaw = true;
  const restore = (): void => {
    if (isRaw) input.setRawMode(false);
    isRaw = false;
  };
  process.once("exit", restore);
  input.setRawMode(true);
  return () => {
    process.removeListener("exit", restore);
    restore();
  };
}
