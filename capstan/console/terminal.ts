/**
 * The host's terminal: whether there is one, its size, and raw mode that is always undone.
 */
import { spawnSync } from "node:child_process";
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
 * Tells the terminal's size now and whenever its window changes (SIGWINCH).
 * @returns a function that ends it
 */
export function followSize(output: WriteStream, onSize: (size: TerminalSize) => void): () => void {
  const tell = (): void => onSize(terminalSize(output));
  output.on("resize", tell);
  tell();
  return () => {
    output.removeListener("resize", tell);
  };
}

/**
 * Puts a terminal into raw mode: every key goes to the guest as it is, and output is not changed,
 * because the guest's own terminal driver already did that. The old mode comes back when the
 * returned function is called, and in any case when capstan ends.
 *
 * stty(1) does it, because Node's raw mode leaves the conversion of line ends on; Node's is used
 * where there is no stty.
 */
export function enterRawMode(input: ReadStream): () => void {
  const undo = enterByStty(input) ?? enterByNode(input);
  let isRaw = true;
  const restore = (): void => {
    if (isRaw) undo();
    isRaw = false;
  };
  process.once("exit", restore);
  return () => {
    process.removeListener("exit", restore);
    restore();
  };
}

function enterByStty(input: ReadStream): (() => void) | null {
  const stty = (...args: string[]) =>
    spawnSync("stty", args, { stdio: [input, "pipe", "ignore"], encoding: "latin1" });
  const before = stty("-g");
  if (before.status !== 0 || stty("raw", "-echo").status !== 0) return null;
  return () => stty(before.stdout.trim());
}

function enterByNode(input: ReadStream): () => void {
  input.setRawMode(true);
  return () => input.setRawMode(false);
}
