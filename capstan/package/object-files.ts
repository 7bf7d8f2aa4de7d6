/**
 * Where the search for libraries looks: this machine, or the tree of an image.
 *
 * Neighbours: `library-search.ts` and `libraries.ts` search; `../check/tree-objects.ts` is the tree.
 */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { type ElfFile, readElf } from "./elf.ts";

/** What a loader asks of a file system. Paths are absolute. */
export interface ObjectFiles {
  /** Whether the path leads to a regular file, perhaps through symbolic links. */
  isFile(path: string): boolean;
  /** A whole file; undefined if it is not there or not readable. */
  read(path: string): Buffer | undefined;
  /** Reads an ELF file. Throws an ElfError if it is none for x86-64 Linux, and system errors. */
  readElf(path: string): ElfFile;
  /** The path without symbolic links. The file exists. */
  realPath(path: string): string;
}

/** The files of this machine. */
export const hostObjects: ObjectFiles = {
  isFile: (path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true,
  read(path) {
    try {
      return readFileSync(path);
    } catch {
      return undefined;
    }
  },
  readElf: (path) => readElf(path),
  realPath: (path) => realpathSync(path),
};
