/**
 * Finds the file to execute for a path: scripts lead to their interpreters (execve(2)).
 *
 * Neighbours: `exec.ts`, `executable-file.ts`, `script.ts`.
 */
import { Dentry } from "../fs/dentry";
import { FsContext } from "../fs/path";
import { ELOOP, ENOMEM } from "../lib/errno";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { ExecutableFile, looksLikeScript } from "./executable-file";
import { ProgramStrings } from "./initial-stack";
import { ScriptLine, parseScriptLine, prependInterpreter } from "./script";

/** Scripts whose interpreters are scripts: Linux follows five. */
const MAX_SCRIPT_DEPTH: u32 = 5;

/**
 * Opens the program at `program.path`, going from scripts to their interpreters; the arguments change
 * accordingly.
 * @returns an ExecutableFile that is no script, or -ENOENT, -EACCES, -ENOEXEC, -ELOOP, -ENOMEM …
 */
export function openProgram(
  context: FsContext,
  base: Dentry | null,
  program: ProgramStrings,
  resolveFlags: u32,
): usize {
  let path = program.path;
  let pathBytes = program.pathBytes;
  /** The interpreter's path of the last script, which must outlive the file it was read from. */
  let copiedPath: usize = 0;
  let start = base;
  let error: i64 = -ELOOP;
  for (let depth: u32 = 0; depth < MAX_SCRIPT_DEPTH; depth++) {
    const file = new ExecutableFile();
    error = file.open(context, start, path, pathBytes - 1, resolveFlags);
    if (error == 0 && !looksLikeScript(file)) {
      if (copiedPath != 0) heapFree(copiedPath);
      return changetype<usize>(file);
    }
    if (error == 0) {
      const line = new ScriptLine();
      error = parseScriptLine(file.header, file.headerBytes, line);
      if (error == 0) error = prependInterpreter(program, line, path, pathBytes);
      const next = error == 0 ? copyPath(line.interpreter, line.interpreterLength) : 0;
      if (error == 0 && next == 0) error = -ENOMEM;
      if (copiedPath != 0) heapFree(copiedPath);
      copiedPath = next;
      path = next;
      pathBytes = line.interpreterLength + 1;
      start = null;
      free(line);
    }
    file.destroy();
    if (error != 0) break;
    error = -ELOOP;
  }
  if (copiedPath != 0) heapFree(copiedPath);
  return <usize>error;
}

function copyPath(text: usize, length: usize): usize {
  const copy = heapAllocate(length + 1);
  if (copy == 0) return 0;
  memory.copy(copy, text, length);
  store<u8>(copy + length, 0);
  return copy;
}
