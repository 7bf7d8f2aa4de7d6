/**
 * Programs that begin with `#!`: the rest of the line names an interpreter and at most one argument
 * (execve(2), "Interpreter scripts").
 *
 *     #! /usr/bin/env -S python3 -u        interpreter "/usr/bin/env", argument "-S python3 -u"
 *
 * Pure: works on bytes in kernel memory.
 * Neighbours: `exec.ts`, `initial-stack.ts`.
 */
import { E2BIG, ENOEXEC, ENOMEM } from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { ProgramStrings } from "./initial-stack";

const BLANK: u8 = 0x20;
const TAB: u8 = 0x09;
const NEWLINE: u8 = 0x0a;

/** Linux reads 256 bytes of the first line; a longer interpreter path is an error. */
const LINE_LIMIT: usize = 256;
/** Longest argument and environment strings together (2 MiB, as `exec.ts`). */
export const ARGUMENTS_LIMIT: usize = 2 << 20;

/** The interpreter line, taken apart: addresses inside the file's first bytes. */
export class ScriptLine {
  interpreter: usize = 0;
  interpreterLength: usize = 0;
  argument: usize = 0;
  argumentLength: usize = 0;
}

/**
 * Takes the first line apart.
 * @param text first bytes of the file, starting with `#!`
 * @returns 0 or -ENOEXEC (no interpreter, or its path is cut off)
 */
export function parseScriptLine(text: usize, textBytes: usize, out: ScriptLine): i64 {
  const limit = text + min(textBytes, LINE_LIMIT);
  let end = text + 2;
  while (end < limit && load<u8>(end) != NEWLINE && load<u8>(end) != 0) end++;
  const isCut = end == limit && textBytes >= LINE_LIMIT;
  while (end > text + 2 && isBlank(load<u8>(end - 1))) end--;
  let position = text + 2;
  while (position < end && isBlank(load<u8>(position))) position++;
  if (position == end) return -ENOEXEC;
  out.interpreter = position;
  while (position < end && !isBlank(load<u8>(position))) position++;
  if (position == end && isCut) return -ENOEXEC;
  out.interpreterLength = position - out.interpreter;
  while (position < end && isBlank(load<u8>(position))) position++;
  out.argument = position;
  out.argumentLength = end - position;
  return 0;
}

function isBlank(byte: u8): bool {
  return byte == BLANK || byte == TAB;
}

/**
 * Changes the arguments of a script into those of its interpreter: `argv[0]` gives way to
 * interpreter, its argument if there is one, and the script's path. `program.strings` is replaced by
 * a new block (the old one is freed); `program.path` stays, AT_EXECFN names the script.
 * @param scriptPath zero-terminated
 * @returns 0, -ENOMEM, -E2BIG
 */
export function prependInterpreter(
  program: ProgramStrings,
  line: ScriptLine,
  scriptPath: usize,
  scriptPathBytes: usize,
): i64 {
  let skipped: usize = 0;
  if (program.argumentCount > 0) {
    while (load<u8>(program.strings + skipped) != 0) skipped++;
    skipped++;
  }
  const argumentBytes = line.argumentLength == 0 ? 0 : line.argumentLength + 1;
  const kept = program.stringsBytes - skipped;
  const bytes = line.interpreterLength + 1 + argumentBytes + scriptPathBytes + kept;
  if (bytes > ARGUMENTS_LIMIT) return -E2BIG;
  const block = heapAllocate(bytes);
  if (block == 0) return -ENOMEM;
  let out = append(block, line.interpreter, line.interpreterLength);
  if (argumentBytes != 0) out = append(out, line.argument, line.argumentLength);
  memory.copy(out, scriptPath, scriptPathBytes);
  out += scriptPathBytes;
  memory.copy(out, program.strings + skipped, kept);
  heapFree(program.strings);
  program.strings = block;
  program.stringsBytes = bytes;
  program.argumentCount += (argumentBytes != 0 ? 2 : 1) + (skipped == 0 ? 1 : 0);
  return 0;
}

/** Copies text and a terminating zero; returns the address behind. */
function append(out: usize, text: usize, length: usize): usize {
  memory.copy(out, text, length);
  store<u8>(out + length, 0);
  return out + length + 1;
}
