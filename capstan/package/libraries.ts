/**
 * All shared libraries that a program needs, found without running it.
 *
 * Breadth first, as the loaders do: a name that is already loaded (under the name it was asked for
 * or its DT_SONAME) is not searched again, whatever the search paths of the next object say.
 *
 * Neighbours: `library-search.ts` knows where loaders look; `collect.ts` and `recipes/` add the
 * result to an image.
 */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import type { ElfFile } from "./elf.ts";
import { ElfError } from "./elf-error.ts";
import {
  configuredDirectories,
  type Libc,
  LibrarySearch,
  type LoadedObject,
} from "./library-search.ts";
import { hostObjects, type ObjectFiles } from "./object-files.ts";

/** A library that was asked for and not found. */
export interface MissingLibrary {
  readonly name: string;
  readonly neededBy: string;
}

/** Which C library a loader belongs to; programs without a loader count as glibc's. */
export function libcOf(interpreter: string | undefined): Libc {
  return interpreter !== undefined && basename(interpreter).startsWith("ld-musl")
    ? "musl"
    : "glibc";
}

/**
 * Follows the dependencies of one program, and of objects that it loads while it runs (extension
 * modules and the like).
 */
export class LibraryClosure {
  readonly #objects: ObjectFiles;
  readonly #search: LibrarySearch;
  readonly #program: LoadedObject;
  readonly #loadedNames = new Set<string>();
  readonly #examined = new Set<string>();
  readonly #files = new Set<string>();
  readonly #names = new Set<string>();

  /**
   * Starts with a program; nothing is resolved yet.
   * @param objects where libraries are looked for: this machine unless it is said otherwise
   */
  constructor(
    program: ElfFile,
    ldLibraryPath: string | undefined,
    cwd: string,
    objects = hostObjects,
  ) {
    this.#objects = objects;
    this.#search = new LibrarySearch(libcOf(program.interpreter), ldLibraryPath, cwd, objects);
    // The loader takes the program's own place from /proc/self/exe, which has no symbolic links.
    const origin = dirname(objects.realPath(program.path));
    this.#program = { elf: program, origin, loadedBy: undefined };
  }

  /** Absolute paths of all libraries found so far, under the names the loader uses. */
  get files(): ReadonlySet<string> {
    return this.#files;
  }

  /** Names of all libraries found so far, such as `libssl.so.3`. */
  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** Resolves the program's own dependencies; returns those that are missing. */
  addProgram(): MissingLibrary[] {
    return this.#walk([this.#program]);
  }

  /**
   * Resolves what an object needs that the program opens by path (a module). Files that are not
   * ELF for x86-64 are passed over, as a program could not load them either.
   */
  addObject(path: string): MissingLibrary[] {
    if (this.#examined.has(path)) return [];
    this.#examined.add(path);
    try {
      const elf = this.#objects.readElf(path);
      return this.#walk([{ elf, origin: dirname(path), loadedBy: this.#program }]);
    } catch (error) {
      if (error instanceof ElfError) return [];
      throw error;
    }
  }

  /** Resolves a library that the program opens by name; false if there is none on the host. */
  addByName(name: string): boolean {
    const loaded: LoadedObject[] = [];
    if (!this.#load(name, this.#program, loaded)) return false;
    this.#walk(loaded);
    return true;
  }

  #walk(start: LoadedObject[]): MissingLibrary[] {
    const missing: MissingLibrary[] = [];
    const queue = [...start];
    for (const object of queue) {
      for (const name of object.elf.needed) {
        if (!this.#load(name, object, queue)) {
          missing.push({ name, neededBy: object.elf.path });
        }
      }
    }
    return missing;
  }

  /** Finds one library and queues it; true also if it is there already. */
  #load(name: string, neededBy: LoadedObject, queue: LoadedObject[]): boolean {
    if (this.#loadedNames.has(name) || this.#search.isBuiltIn(name)) return true;
    const read = new Map<string, ElfFile>();
    const accepts = (path: string): boolean => {
      try {
        read.set(path, this.#objects.readElf(path));
        return true;
      } catch (error) {
        if (error instanceof ElfError) return false;
        throw error;
      }
    };
    const paths = this.#search.find(name, neededBy, accepts);
    if (paths.length === 0) return false;
    this.#loadedNames.add(name);
    this.#names.add(name);
    for (const path of paths) {
      const elf = read.get(path) ?? this.#objects.readElf(path);
      if (elf.soname !== undefined) this.#loadedNames.add(elf.soname);
      this.#files.add(path);
      queue.push({ elf, origin: dirname(path), loadedBy: neededBy });
    }
    return true;
  }
}

/** Why a library was not found although the file is on the host, if so. */
function hintFor(name: string): string | undefined {
  const path = configuredDirectories()
    .map((directory) => join(directory, name))
    .find((candidate) => existsSync(candidate));
  return path === undefined
    ? undefined
    : `${path} exists but is not in the loader's cache: run ldconfig as root`;
}

/** One error that names all missing libraries at once. Exit status 127, as ld.so ends with. */
export function missingLibrariesError(
  program: string,
  missing: readonly MissingLibrary[],
): UserError {
  const lines = missing.map(({ name, neededBy }) => `${name} (needed by ${neededBy})`);
  const hints = missing.map(({ name }) => hintFor(name)).filter((hint) => hint !== undefined);
  return new UserError({
    code: "LibraryMissing",
    what: `cannot run ${program}`,
    why: `the machine lacks ${lines.length === 1 ? "a library" : "libraries"}: ${lines.join(", ")}`,
    fix:
      hints[0] ??
      "install the packages that contain them, or set --env LD_LIBRARY_PATH=DIRECTORY if they are elsewhere",
    exitStatus: 127,
  });
}
