/** What `command-line.test.ts` calls. */
import { ProgramCommand } from "./command-line";

let command = new ProgramCommand();

export function bufferBytes(textBytes: usize): usize {
  return ProgramCommand.bufferBytes(textBytes);
}
export function parse(text: usize, textBytes: usize, buffer: usize): bool {
  command = new ProgramCommand();
  return command.parse(text, textBytes, buffer);
}
export function cwd(): usize {
  return command.cwd;
}
export function user(): u32 {
  return command.user;
}
export function group(): u32 {
  return command.group;
}
export function path(): usize {
  return command.program.path;
}
export function pathBytes(): usize {
  return command.program.pathBytes;
}
export function strings(): usize {
  return command.program.strings;
}
export function stringsBytes(): usize {
  return command.program.stringsBytes;
}
export function argumentCount(): u32 {
  return command.program.argumentCount;
}
export function environmentCount(): u32 {
  return command.program.environmentCount;
}
