/**
 * execve(2) and execveat(2): another program takes the place of the running one, in the same
 * process.
 *
 * The caller's other threads end once the program is known to be loadable. What the ABI resets (caught signals, close-on-exec files,
 * timers, alternate stack, thread-local storage) is reset only once the new program is loaded.
 *
 * Neighbours: `exec.ts`, `argument-strings.ts` (copies argv and envp), `init.ts`.
 */
import { fpuInitialise, fpuRestore } from "../arch/x86_64/fpu";
import { wrmsr } from "../arch/cpu";
import { RESOLVE_EMPTY, RESOLVE_FOLLOW } from "../fs/path";
import { EINVAL, ENOMEM, isError } from "../lib/errno";
import { free } from "../lib/object";
import { endContexts } from "./aio-context";
import { closeFile } from "./fd-control";
import { copyArgumentStrings, freeProgramStrings } from "./argument-strings";
import { drop } from "./held-file";
import { loadProgram, startRegisters } from "./exec";
import { ProgramStrings } from "./initial-stack";
import { nameThread } from "./init";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  baseDentry,
  dropPath,
  holdBase,
  pathBytes,
  pathLength,
  takePath,
} from "./path-argument";
import { ProgramStart } from "./program-space";
import { LinuxProcess, currentLinuxThread, currentProcess } from "./process";
import { SS_DISABLE } from "./signal-numbers";
import { LinuxThread } from "./thread";

const MSR_FS_BASE: u32 = 0xc0000100;
const MSR_KERNEL_GS_BASE: u32 = 0xc0000102;

/** execve(2). */
export function sysExecve(path: usize, argv: usize, envp: usize): i64 {
  return doExec(AT_FDCWD, path, argv, envp, 0);
}

/** execveat(2). */
export function sysExecveat(fd: i32, path: usize, argv: usize, envp: usize, flags: u32): i64 {
  if ((flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) != 0) return -EINVAL;
  return doExec(fd, path, argv, envp, flags);
}

function doExec(fd: i32, userPath: usize, argv: usize, envp: usize, flags: u32): i64 {
  const path = takePath(userPath, (flags & AT_EMPTY_PATH) != 0);
  if (isError(path)) return <i64>path;
  const base = holdBase(fd, path);
  let result = isError(base) ? <i64>base : 0;
  if (result == 0) {
    const program = new ProgramStrings();
    result = copyArgumentStrings(argv, envp, program);
    if (result == 0) {
      program.path = pathBytes(path);
      program.pathBytes = pathLength(path) + 1;
      result = replaceProgram(base, program, flags);
    }
    freeProgramStrings(program);
    drop(base);
  }
  dropPath(path);
  return result;
}

function replaceProgram(base: usize, program: ProgramStrings, flags: u32): i64 {
  const process = currentProcess();
  const thread = currentLinuxThread();
  if (!ownFiles(process)) return -ENOMEM;
  let resolveFlags: u32 = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : RESOLVE_FOLLOW;
  if ((flags & AT_EMPTY_PATH) != 0) resolveFlags |= RESOLVE_EMPTY;
  const start = new ProgramStart();
  const error = loadProgram(process, baseDentry(base), program, resolveFlags, start);
  if (error == 0) {
    resetProcess(process);
    resetThread(process, thread);
    nameThread(thread, program.path, program.pathBytes - 1);
    startRegisters(thread.frame(), start);
  }
  free(start);
  return error;
}

/** A descriptor table shared with another process (CLONE_FILES) becomes the process's own. */
function ownFiles(process: LinuxProcess): bool {
  const shared = process.files;
  if (shared.referenceCount() == 1) return true;
  const own = shared.duplicate();
  if (!own) return false;
  process.files = own;
  shared.release();
  return true;
}

function resetProcess(process: LinuxProcess): void {
  process.lock.acquire();
  process.signals.resetCaught();
  process.lock.release();
  process.endTimers();
  endContexts(process);
  process.hasExecuted = true;
  process.credentials.executed();
  process.giveSpaceBack();
  process.files.closeOnExec(closeFile);
}

function resetThread(process: LinuxProcess, thread: LinuxThread): void {
  thread.id = process.id; // the thread that calls execve becomes the main one
  thread.alternateStack = 0;
  thread.alternateStackBytes = 0;
  thread.alternateStackFlags = SS_DISABLE;
  // What these pointed to went with the old address space.
  thread.robustList = 0;
  thread.clearChildTid = 0;
  thread.rseqArea = 0;
  thread.toldCpu = -1;
  thread.fsBase = 0;
  thread.gsBase = 0;
  wrmsr(MSR_FS_BASE, 0);
  wrmsr(MSR_KERNEL_GS_BASE, 0);
  fpuInitialise(thread.fpuArea);
  fpuRestore(thread.fpuArea);
}
