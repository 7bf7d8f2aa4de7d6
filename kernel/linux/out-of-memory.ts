/**
 * No memory is left for a page the program touches: the program ends, and its user is told why and
 * what helps.
 *
 * Neighbours: `faults.ts`, `mm/frames` (figures), `report.ts`.
 */
import { freeFrameCount, totalFrameCount } from "../mm/frames";
import { exitBySignal } from "./exit";
import { LinuxProcess, currentLinuxThread, currentProcess } from "./process";
import {
  beginReport,
  beginString,
  endReport,
  endString,
  reportNumber,
  reportPiece,
  reportPieceBytes,
  reportPieceDecimal,
} from "./report";
import { SIGKILL } from "./signal-numbers";
import { threadNameLength } from "./thread-name";

const PAGE_BYTES: u64 = 4096;
const MIB: u64 = 1 << 20;

/** Ends the running program for lack of memory. Never returns. */
export function endForLackOfMemory(): void {
  const process = currentProcess();
  process.lock.acquire();
  const first = !process.exiting;
  process.lock.release();
  if (first) reportLackOfMemory(process);
  exitBySignal(SIGKILL);
}

function reportLackOfMemory(process: LinuxProcess): void {
  const thread = currentLinuxThread();
  const totalBytes = totalFrameCount() * PAGE_BYTES;
  const freeBytes = freeFrameCount() * PAGE_BYTES;
  const residentBytes = process.addressSpace.residentPages() * PAGE_BYTES;
  const mappedBytes = process.addressSpace.mappedBytes();
  beginReport("oom");
  reportNumber("totalBytes", <i64>totalBytes);
  reportNumber("freeBytes", <i64>freeBytes);
  reportNumber("residentBytes", <i64>residentBytes);
  reportNumber("mappedBytes", <i64>mappedBytes);
  beginString("message");
  reportPieceBytes(thread.commAddress(), threadNameLength(thread));
  reportPiece(" needs more memory than the machine has: it uses ");
  reportPieceDecimal(<i64>(residentBytes / MIB));
  reportPiece(" MiB of ");
  reportPieceDecimal(<i64>(totalBytes / MIB));
  reportPiece(" MiB and no page is free. Give the machine more with -m, for example -m ");
  reportPieceDecimal(<i64>suggestedMib(totalBytes));
  reportPiece("M.");
  endString();
  endReport();
}

/** The next round size that is at least half as large again. */
function suggestedMib(totalBytes: u64): u64 {
  const wanted = (totalBytes + totalBytes / 2) / MIB;
  let size: u64 = 16;
  while (size < wanted) size *= 2;
  return size;
}
