/** What `initial-stack.test.ts` calls. */
import {
  InitialStack,
  ProgramStrings,
  buildInitialStack,
  initialStackBytes,
} from "./initial-stack";

const program = new ProgramStrings();
let auxiliary = new StaticArray<u64>(0);
let entries: u32 = 0;
const stack = new InitialStack();

export function setProgram(
  strings: usize,
  stringsBytes: usize,
  argc: u32,
  envc: u32,
  path: usize,
  pathBytes: usize,
  auxiliaryCount: i32,
): usize {
  program.strings = strings;
  program.stringsBytes = stringsBytes;
  program.argumentCount = argc;
  program.environmentCount = envc;
  program.path = path;
  program.pathBytes = pathBytes;
  auxiliary = new StaticArray<u64>(2 * auxiliaryCount);
  entries = 0;
  return initialStackBytes(program, auxiliary);
}

export function addAuxiliary(type: u64, value: u64): void {
  auxiliary[entries++] = type;
  auxiliary[entries++] = value;
}

export function build(buffer: usize, bytes: usize, top: usize, random: usize): usize {
  buildInitialStack(buffer, bytes, top, program, random, auxiliary, stack);
  return stack.rsp;
}

export function argumentsStart(): usize {
  return stack.argumentsStart;
}
export function argumentsEnd(): usize {
  return stack.argumentsEnd;
}
export function environmentEnd(): usize {
  return stack.environmentEnd;
}
export function auxiliaryAddress(): usize {
  return stack.auxiliary;
}
