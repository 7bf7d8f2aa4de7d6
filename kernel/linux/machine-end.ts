/**
 * The end of the machine: tells the host how the program ended and which system calls it missed,
 * lets the consoles finish, switches off.
 *
 * Neighbours: `report.ts` (control channel), `dispatch.ts` (missing calls), `dev/console/ports`.
 */
import { powerOff } from "../arch/power";
import { drainConsoles } from "../dev/console/ports";
import { missingCount } from "./dispatch";
import { LAST_SYSCALL, syscallName } from "./dispatch.gen";
import { LinuxProcess } from "./process";
import {
  beginReport,
  beginString,
  endReport,
  endString,
  reportKey,
  reportNumber,
  reportPiece,
  reportRaw,
  reportRawDecimal,
} from "./report";

/** Exit status of a program that could not be executed, and of one not found (as shells have it). */
export const STATUS_NOT_EXECUTABLE: i32 = 126;
export const STATUS_NOT_FOUND: i32 = 127;

/** Reports the status of the first process and switches the machine off. Never returns. */
export function endMachine(process: LinuxProcess): void {
  drainConsoles();
  reportMissingCalls();
  beginReport("exit");
  const signal = process.exitStatus & 0x7f;
  if (signal != 0) reportNumber("signal", signal);
  else reportNumber("status", (process.exitStatus >> 8) & 0xff);
  endReport();
  powerOff();
}

/** Lists the system calls that ended with ENOSYS, if there were any. */
function reportMissingCalls(): void {
  let listed = false;
  for (let nr: u32 = 0; nr <= LAST_SYSCALL + 1; nr++) {
    const count = missingCount(nr);
    if (count == 0) continue;
    if (!listed) {
      beginReport("enosys");
      reportKey("calls");
    }
    reportRaw(listed ? "," : "[");
    reportRaw('{"nr":');
    reportRawDecimal(nr);
    reportRaw(',"name":"');
    reportRaw(nr <= LAST_SYSCALL ? syscallName(nr) : "(unknown)");
    reportRaw('","count":');
    reportRawDecimal(count);
    reportRaw("}");
    listed = true;
  }
  if (!listed) return;
  reportRaw("]");
  endReport();
}

/** Opens an error message to the host; add pieces (`report.ts`), then call `endWithError`. */
export function beginError(): void {
  beginReport("error");
  beginString("message");
}

/** Closes the message of `beginError`, reports `status` and switches the machine off. */
export function endWithError(status: i32): void {
  endString();
  endReport();
  endWithStatus(status);
}

/** Reports `status` and switches the machine off. Never returns. */
export function endWithStatus(status: i32): void {
  drainConsoles();
  beginReport("exit");
  reportNumber("status", status);
  endReport();
  powerOff();
}

/** Ends the machine with one line of text. */
export function failMachine(message: string, status: i32): void {
  beginError();
  reportPiece(message);
  endWithError(status);
}
