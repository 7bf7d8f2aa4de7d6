/**
 * Signals from terminal keys (Ctrl-C, Ctrl-\, Ctrl-Z) and window changes go to the first process.
 *
 * Neighbours: `dev/console/tty` (calls in, from an interrupt), `signal-send.ts`.
 */
import { setTtySignalHandler } from "../dev/console/tty";
import { LinuxProcess } from "./process";
import { sendKernelSignal } from "./signal-send";

let foreground: LinuxProcess | null = null;

/** Makes `process` the receiver of terminal signals. */
export function registerTerminalSignals(process: LinuxProcess): void {
  foreground = process;
  setTtySignalHandler(sendToForeground);
}

function sendToForeground(signal: i32): void {
  const process = foreground;
  if (process && !process.exiting) sendKernelSignal(process, signal);
}
