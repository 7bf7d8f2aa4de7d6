/** What `script.test.ts` calls. */
import { ProgramStrings } from "./initial-stack";
import { ScriptLine, parseScriptLine, prependInterpreter } from "./script";

const line = new ScriptLine();
const program = new ProgramStrings();

export function parse(text: usize, textBytes: usize): i64 {
  return parseScriptLine(text, textBytes, line);
}
export function interpreter(): usize {
  return line.interpreter;
}
export function interpreterLength(): usize {
  return line.interpreterLength;
}
export function argument(): usize {
  return line.argument;
}
export function argumentLength(): usize {
  return line.argumentLength;
}

/** `strings` must be a heap block. */
export function prepend(
  strings: usize,
  bytes: usize,
  argc: u32,
  path: usize,
  pathBytes: usize,
): i64 {
  program.strings = strings;
  program.stringsBytes = bytes;
  program.argumentCount = argc;
  return prependInterpreter(program, line, path, pathBytes);
}
export function strings(): usize {
  return program.strings;
}
export function stringsBytes(): usize {
  return program.stringsBytes;
}
export function argumentCount(): u32 {
  return program.argumentCount;
}
