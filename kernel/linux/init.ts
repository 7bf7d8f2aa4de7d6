/**
 * Starts the one program this machine exists for: reads the command line, opens its standard files,
 * loads it and lets it run.
 *
 * Neighbours: `command-line.ts` (decoding), `standard-files.ts`, `exec.ts`, `machine-end.ts`,
 * `kernel/main.ts` (calls in).
 */
import { commandLineAddress, commandLineLength } from "../arch/bootinfo";
import { controlPresent } from "../arch/x86_64/control";
import { Dentry } from "../fs/dentry";
import { rootDentry } from "../fs/namespace";
import { FsContext, RESOLVE_DIRECTORY, RESOLVE_FOLLOW, resolve } from "../fs/path";
import { EACCES, EISDIR, ENOENT, ENOEXEC, ENOMEM, ENOTDIR, isError } from "../lib/errno";
import { free } from "../lib/object";
import { panic } from "../lib/panic";
import { heapAllocate, heapFree } from "../mm/heap";
import { monotonicNs } from "../sched/clock";
import { startThread } from "../sched/switch";
import { AddressSpace } from "../vm/address-space";
import { ProgramCommand } from "./command-line";
import { loadProgram, startRegisters } from "./exec";
import { FdTable } from "./fd-table";
import { listenForHostSignals } from "./host-signals";
import { ProgramStrings } from "./initial-stack";
import {
  STATUS_NOT_EXECUTABLE,
  STATUS_NOT_FOUND,
  beginError,
  endWithError,
  failMachine,
} from "./machine-end";
import { ProgramStart } from "./program-space";
import { LinuxProcess, currentLinuxThread, currentProcess } from "./process";
import { enterProcess, familyLock } from "./process-table";
import { registerProcessFacts } from "./process-facts";
import { beginReport, endReport, reportNumber, reportPiece, reportPieceBytes } from "./report";
import { openStandardFiles } from "./standard-files";
import { LinuxThread } from "./thread";
import { registerTerminalUsers } from "./terminals";
import { setThreadName } from "./thread-name";

/** The first process has the number that programs in containers are used to. */
const FIRST_ID: i32 = 1;

let command: ProgramCommand | null = null;

/** Starts the program named on the kernel command line. Returns once its thread is runnable. */
export function startInit(): void {
  command = readCommand();
  const space = AddressSpace.create();
  if (space == null) {
    failMachine("no memory for the program", STATUS_NOT_EXECUTABLE);
    return;
  }
  const root = rootDentry();
  const process = new LinuxProcess(space, new FsContext(root, root), new FdTable());
  process.id = FIRST_ID;
  process.startNs = monotonicNs();
  const thread = new LinuxThread();
  thread.process = process;
  if (!thread.allocateFpu() || !thread.isComplete()) panic("no memory for the first thread");
  thread.id = FIRST_ID;
  thread.entry = runProgram;
  familyLock.acquire();
  enterProcess(process);
  familyLock.release();
  process.addThread(thread);
  registerProcessFacts();
  registerTerminalUsers();
  listenForHostSignals();
  startThread(thread);
}

/** Decodes the command line. */
function readCommand(): ProgramCommand {
  const text = commandLineAddress();
  const textBytes = commandLineLength();
  const result = new ProgramCommand();
  const buffer = heapAllocate(ProgramCommand.bufferBytes(textBytes));
  if (buffer == 0) panic("no memory for the command line");
  if (!result.parse(text, textBytes, buffer)) {
    failMachine(
      "the kernel command line names no program: it must end with '-- PROGRAM ARGUMENTS'",
      STATUS_NOT_FOUND,
    );
  }
  return result;
}

/** First code of the first thread, in the kernel; it enters user mode when this returns. */
function runProgram(_argument: usize): void {
  const process = currentProcess();
  const given = changetype<ProgramCommand>(command);
  process.credentials.setAll(given.user, given.group);
  process.fsContext.ownerUser = given.user;
  process.fsContext.ownerGroup = given.group;
  changeToDirectory(process, given.cwd);
  openStandardFiles(process);
  const program = ownStrings(given.program);
  const start = new ProgramStart();
  const error = loadProgram(process, null, program, RESOLVE_FOLLOW, start);
  const thread = currentLinuxThread();
  if (error != 0) reportExecError(program, thread.lacksMemory ? -ENOMEM : error);
  nameThread(thread, program.path, program.pathBytes - 1);
  startRegisters(thread.frame(), start);
  free(start);
  heapFree(program.strings);
  reportBoot();
}

/** Tells the host how long the boot took, if somebody listens: each byte is an exit to the host. */
function reportBoot(): void {
  if (!controlPresent()) return;
  beginReport("boot");
  reportNumber("ns", <i64>monotonicNs());
  endReport();
}

/** `loadProgram` may replace the block of strings, so it gets one of its own. */
function ownStrings(program: ProgramStrings): ProgramStrings {
  const block = heapAllocate(program.stringsBytes);
  if (block == 0) panic("no memory for the arguments");
  memory.copy(block, program.strings, program.stringsBytes);
  program.strings = block;
  return program;
}

/** Names a thread after the last component of the program's path. */
export function nameThread(thread: LinuxThread, path: usize, length: usize): void {
  let start = path;
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(path + i) == 0x2f) start = path + i + 1;
  }
  setThreadName(thread, start, path + length - start);
}

function changeToDirectory(process: LinuxProcess, path: usize): void {
  if (path == 0) return;
  let length: usize = 0;
  while (load<u8>(path + length) != 0) length++;
  const flags = RESOLVE_FOLLOW | RESOLVE_DIRECTORY;
  const found = resolve(process.fsContext, null, path, length, flags);
  if (isError(found)) {
    beginError();
    reportPiece("cannot start in ");
    reportPieceBytes(path, length);
    reportPiece(": no such directory in the guest");
    endWithError(STATUS_NOT_EXECUTABLE);
  }
  const dentry = changetype<Dentry>(found);
  process.fsContext.setCwd(dentry);
  dentry.release();
}

/** Tells the host why the program cannot run, and ends the machine with the shells' status. */
function reportExecError(program: ProgramStrings, error: i64): void {
  beginError();
  reportPiece("cannot run ");
  reportPieceBytes(program.path, program.pathBytes - 1);
  reportPiece(": ");
  reportPiece(execErrorText(error));
  const isMissing = error == -ENOENT || error == -ENOTDIR;
  endWithError(isMissing ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

function execErrorText(error: i64): string {
  if (error == -ENOENT) return "it, its interpreter or its loader is not in the guest's files";
  if (error == -ENOTDIR) return "a part of its path is no directory";
  if (error == -EACCES) return "it is no executable file";
  if (error == -EISDIR) return "it is a directory";
  if (error == -ENOEXEC) return "it is no program for this machine, or damaged";
  if (error == -ENOMEM) return "the machine has too little memory; give it more with -m";
  return "the file or its loader could not be read or has a wrong format";
}
