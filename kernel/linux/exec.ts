/**
 * Replaces what a process runs: finds the file, understands `#!` and ELF, maps the program and its
 * interpreter, builds the initial stack.
 *
 * Neighbours: `elf.ts` (headers), `initial-stack.ts`, `init.ts` (first program), `process.ts`.
 */
import { LinuxProcess } from "./process";

/** The strings of a new program in kernel memory, each zero-terminated, in one heap block. */
export class ProgramArguments {
  /** Block holding all argument strings back to back, then all environment strings. */
  strings: usize = 0;
  stringsBytes: usize = 0;
  argumentCount: u32 = 0;
  environmentCount: u32 = 0;
}

/** Where a loaded program starts. */
@unmanaged
export class EntryPoint {
  /** First instruction. */
  rip: usize;
  /** Stack pointer: address of argc. */
  rsp: usize;
}

/**
 * Loads the program at `path` into `process`, replacing its address space.
 * @returns 0, or a negative errno (-ENOENT, -EACCES, -ENOEXEC, -ENOMEM, -ELIBBAD …); the process is
 *   unchanged then
 */
export function loadProgram(
  process: LinuxProcess,
  path: usize,
  pathLength: usize,
  program: ProgramArguments,
  entryOut: EntryPoint,
): i64 {
  abort("unwritten");
  return 0;
}
