/**
 * Signals from terminal keys (Ctrl-C, Ctrl-\\, Ctrl-Z) and window changes go to the terminal's
 * foreground process group; to the first process if that group has no member.
 *
 * Neighbours: `dev/console/tty` (calls in, from an interrupt), `signal-send.ts`, `process-table.ts`.
 */
import { consoleTty, setTtySignalHandler } from "../dev/console/tty";
import { familyLock, initProcess, nextProcess } from "./process-table";
import { LinuxProcess } from "./process";
import { sendKernelSignal } from "./signal-send";

/** Makes the processes receive terminal signals. */
export function registerTerminalSignals(): void {
  setTtySignalHandler(sendToForeground);
}

function sendToForeground(signal: i32): void {
  familyLock.acquire();
  const tty = consoleTty();
  const group = tty ? tty.foregroundGroup : 1;
  let sent = false;
  let process = nextProcess(null);
  while (process) {
    if (process.groupId == group && !process.exiting) {
      sendKernelSignal(process, signal);
      sent = true;
    }
    process = nextProcess(process);
  }
  const first: LinuxProcess = initProcess();
  if (!sent && !first.exiting) sendKernelSignal(first, signal);
  familyLock.release();
}
