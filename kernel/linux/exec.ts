/**
 * Replaces what a process runs: finds the file, understands `#!` and ELF, maps the program and its
 * interpreter into a new address space, builds the initial stack, sets the registers.
 *
 * Until the new address space is complete the old one is kept: a failing execve(2) leaves the caller
 * as it was.
 *
 * Neighbours: `find-program.ts`, `program-space.ts` (fills the address space), `exec-call.ts` (the
 * system calls), `init.ts` (the first program).
 */
import { USER_CODE, USER_DATA } from "../arch/x86_64/descriptors";
import { TrapFrame, VECTOR_MODIFIED } from "../arch/x86_64/trapframe";
import { Dentry } from "../fs/dentry";
import { FsContext, RESOLVE_FOLLOW } from "../fs/path";
import { ENOEXEC, ENOMEM, isError } from "../lib/errno";
import { heapFree } from "../mm/heap";
import { AddressSpace } from "../vm/address-space";
import { becomeOnlyThread, exitBySignal } from "./exit";
import { ExecutableFile, looksLikeElf } from "./executable-file";
import { releaseRobustFutexes } from "./futex-exit";
import { leavePiFutexes } from "./futex-pi";
import { ProgramStrings } from "./initial-stack";
import { openProgram } from "./find-program";
import { LinuxProcess, currentLinuxThread } from "./process";
import { ProgramStart, fillSpace } from "./program-space";
import { SIGKILL } from "./signal-numbers";

/** Interrupts on, and the bit that is always set. */
const INITIAL_FLAGS: u64 = 0x202;

/**
 * Loads the program at `program.path` into `process`: a new address space takes the place of the old
 * program's, which is destroyed. Runs on a thread of that process, its only one.
 * @param program strings in kernel memory; `strings` is a heap block and may be replaced
 * @returns 0, or -ENOENT, -EACCES, -ENOEXEC, -ELIBBAD, -ENOMEM, -E2BIG, -ELOOP, -ETXTBSY, -EIO; the process is
 *   unchanged then, but if it had no program yet
 */
export function loadProgram(
  process: LinuxProcess,
  base: Dentry | null,
  program: ProgramStrings,
  resolveFlags: u32,
  out: ProgramStart,
): i64 {
  const file = openProgram(process.fsContext, base, program, resolveFlags);
  if (isError(file)) return <i64>file;
  const executable = changetype<ExecutableFile>(file);
  const result = loadOpened(process, executable, program, out);
  if (result == 0) process.setExecutable(executable.dentry());
  executable.destroy();
  return result;
}

function loadOpened(
  process: LinuxProcess,
  file: ExecutableFile,
  program: ProgramStrings,
  out: ProgramStart,
): i64 {
  if (!looksLikeElf(file)) return -ENOEXEC;
  let error = file.readElf(false);
  if (error != 0) return error;
  const interpreter = openInterpreter(process.fsContext, file);
  if (isError(interpreter)) return <i64>interpreter;
  const loader = changetype<ExecutableFile | null>(interpreter);
  // What can be known beforehand is in order: from here on the other threads are gone.
  const wasAlone = process.threadCount == 1;
  becomeOnlyThread(process);
  // The machine's first program takes the space that its process began with: nothing is in it.
  const isFirst = process.executable == null;
  error = isFirst
    ? fillSpace(process, process.addressSpace, file, loader, program, out)
    : fillNewSpace(process, file, loader, program, out);
  if (loader) loader.destroy();
  // Without its other threads the old program cannot go on.
  if (error != 0 && !wasAlone) exitBySignal(SIGKILL);
  return error;
}

/** Fills a new address space; the old one is destroyed, or active again after an error. */
function fillNewSpace(
  process: LinuxProcess,
  file: ExecutableFile,
  loader: ExecutableFile | null,
  program: ProgramStrings,
  out: ProgramStart,
): i64 {
  const space = AddressSpace.create();
  if (!space) return -ENOMEM;
  const previous = process.switchAddressSpace(space);
  space.hasSmallPagesOnly = previous.hasSmallPagesOnly;
  const error = fillSpace(process, space, file, loader, program, out);
  if (error == 0) leaveSpace(process, previous);
  else process.switchAddressSpace(previous).release();
  return error;
}

/** Lets go of the old program's space, in which the thread may hold mutexes shared with others. */
function leaveSpace(process: LinuxProcess, previous: AddressSpace): void {
  const thread = currentLinuxThread();
  if (thread.robustList != 0) {
    const space = process.switchAddressSpace(previous);
    releaseRobustFutexes(thread);
    process.switchAddressSpace(space);
  }
  leavePiFutexes(thread);
  previous.release();
}

/** The program's interpreter, opened and checked: 0 if it needs none, or a negative error. */
function openInterpreter(context: FsContext, program: ExecutableFile): usize {
  const path = program.interpreterPath();
  if (path == 0 || isError(path)) return path;
  const file = new ExecutableFile();
  let error = file.open(context, null, path, program.layout.interpreterBytes - 1, RESOLVE_FOLLOW);
  if (error == 0) error = file.readElf(true);
  heapFree(path);
  if (error == 0) return changetype<usize>(file);
  file.destroy();
  return <usize>error;
}

/** Sets the registers of a program at its first instruction (System V ABI, AMD64 §3.4.1). */
export function startRegisters(frame: TrapFrame, start: ProgramStart): void {
  memory.fill(changetype<usize>(frame), 0, offsetof<TrapFrame>());
  frame.rip = start.rip;
  frame.rsp = start.rsp;
  frame.cs = USER_CODE;
  frame.ss = USER_DATA;
  frame.rflags = INITIAL_FLAGS;
  frame.vector = VECTOR_MODIFIED;
}
