/**
 * Searches all ELF files of an image for system calls, and says which file makes which call.
 *
 * The C library counts with the functions that the other files import (`libc-calls.ts`), every
 * other file with all its code: what it does not use of itself cannot be told from outside.
 *
 * Neighbours: `examine.ts` hands over the files; `judge.ts` compares the result with the table.
 */
import { basename } from "node:path";
import { readElf } from "../package/elf.ts";
import { ElfError } from "../package/elf-error.ts";
import type { ElfPlace } from "../package/elf-header.ts";
import { type CodeFile, readCodeFile } from "./code-file.ts";
import { LibcCalls } from "./libc-calls.ts";
import { findSyscallFunctionCalls, findSyscalls } from "./syscall-sites.ts";

/** Functions of the C library that start other programs or processes. */
const forkingFunctions: ReadonlySet<string> = new Set(
  (
    "fork _Fork vfork posix_spawn posix_spawnp system popen forkpty daemon wordexp " +
    "execve execv execvp execvpe execl execlp execle fexecve execveat"
  ).split(" "),
);

/** What the search found. */
export interface FoundCalls {
  /** Files by the number of the call that they make, in the order of the search. */
  readonly calls: ReadonlyMap<number, readonly string[]>;
  /** Files with `syscall` instructions whose number is computed, and how many. */
  readonly computed: ReadonlyMap<string, number>;
  /** Functions imported that start processes or programs, with the files that import them. */
  readonly forking: ReadonlyMap<string, readonly string[]>;
  /** Which of the files are programs, not libraries. */
  readonly programs: ReadonlySet<string>;
  /** Files that could not be searched, with the reason. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[];
}

/** True for the C library itself: glibc's or musl's, which is also musl's loader. */
function isLibc(path: string): boolean {
  return /^(libc\.so\.6|libc-2\.\d+\.so|ld-musl-.*|libc\.musl-.*)$/.test(basename(path));
}

function appendTo<K>(map: Map<K, string[]>, key: K, path: string): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [path]);
  else if (!list.includes(path)) list.push(path);
}

/**
 * Searches files.
 * @param files paths in the guest, and where they lie; the program first, so that it is named first
 */
export function findCalls(files: ReadonlyMap<string, ElfPlace>): FoundCalls {
  const calls = new Map<number, string[]>();
  const computed = new Map<string, number>();
  const forking = new Map<string, string[]>();
  const skipped: { path: string; why: string }[] = [];
  const libraries: LibcCalls[] = [];
  const programs = new Set<string>();
  const importsByFile = new Map<string, ReadonlySet<string>>();
  for (const [path, place] of files) {
    let file: CodeFile;
    try {
      file = readCodeFile(path, place);
    } catch (error) {
      const why = error instanceof ElfError ? error.why : String(error);
      skipped.push({ path, why });
      continue;
    }
    if (isLibc(path)) {
      libraries.push(new LibcCalls(file));
      continue;
    }
    importsByFile.set(path, file.imports);
    if (readElf(path, place).linkage !== "library") programs.add(path);
    for (const name of file.imports) if (forkingFunctions.has(name)) appendTo(forking, name, path);
    const wrapped = file.imports.has("syscall") ? findSyscallFunctionCalls(file) : [];
    for (const { number } of [...file.code.flatMap(findSyscalls), ...wrapped]) {
      if (number === undefined) computed.set(path, (computed.get(path) ?? 0) + 1);
      else appendTo(calls, number, path);
    }
  }
  for (const [path, imports] of importsByFile) {
    for (const library of libraries) {
      for (const number of library.reachedFrom(imports)) appendTo(calls, number, path);
    }
  }
  return { calls, computed, forking, programs, skipped };
}
