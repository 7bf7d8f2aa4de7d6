/**
 * What can be wrong with a file that should be an x86-64 ELF program or library.
 *
 * Neighbours: `elf.ts` throws these errors; `libraries.ts` passes over libraries of other machines.
 */
import { UserError } from "../errors.ts";

export type ElfErrorCode =
  /** No ELF magic. */
  | "NotElf"
  /** The file ends before something that its headers promise. */
  | "Truncated"
  /** For another processor, word size or byte order. */
  | "WrongMachine"
  /** An object file or a core dump: valid ELF that cannot be run or loaded. */
  | "NotExecutable"
  /** Headers that contradict each other or point nowhere. */
  | "Malformed";

/** How to fix it, for each code. */
const fixes: Readonly<Record<ElfErrorCode, string>> = {
  NotElf: "name a Linux program for x86-64, or a script that starts with #!",
  Truncated: "copy, download or build the file again: the rest of it is missing",
  WrongMachine: "use a build of the program for x86-64 (amd64) Linux",
  NotExecutable: "name a program; an object file or a library has to be linked into one first",
  Malformed: "copy, download or build the file again: its headers are damaged",
};

/** A file that cannot be run or loaded, and why. Exit status 126, as in shells. */
export class ElfError extends UserError {
  readonly elfCode: ElfErrorCode;

  constructor(path: string, code: ElfErrorCode, why: string) {
    super({ code, what: `cannot run ${path}`, why, fix: fixes[code], exitStatus: 126 });
    this.name = "ElfError";
    this.elfCode = code;
  }
}
