/**
 * Where the loaders of glibc and musl look for a shared library.
 *
 * glibc, ld.so(8), for a name without a slash:
 *   1. DT_RPATH of the object that needs it and of those that caused it to be loaded, up to the
 *      program; an object that has a DT_RUNPATH contributes none;
 *   2. LD_LIBRARY_PATH;
 *   3. DT_RUNPATH of the object that needs it (only that one);
 *   4. /etc/ld.so.cache;
 *   5. the default directories. 4 and 5 not for objects linked with `-z nodefaultlib`.
 * In every directory, the variants for newer processors (glibc-hwcaps/x86-64-v2 ...) come first. The
 * guest's processor need not be the host's, so all variants of the place that wins are wanted.
 *
 * musl, musl's manual, "Dynamic linker": LD_LIBRARY_PATH, then the run paths of the object and of
 * those that caused it to be loaded (DT_RPATH and DT_RUNPATH alike), then the directories listed in
 * /etc/ld-musl-x86_64.path, or /lib, /usr/local/lib and /usr/lib.
 *
 * Neighbours: `libraries.ts` walks the dependencies and calls this for each.
 */
import { readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { ElfFile } from "./elf.ts";
import { lookUpLdCache, parseLdCache } from "./ld-cache.ts";
import { hostObjects, type ObjectFiles } from "./object-files.ts";

export type Libc = "glibc" | "musl";

/** An object and the one that caused it to be loaded. */
export interface LoadedObject {
  readonly elf: ElfFile;
  /** Directory of the object's file, for $ORIGIN. */
  readonly origin: string;
  readonly loadedBy: LoadedObject | undefined;
}

const GLIBC_LIB = "lib/x86_64-linux-gnu";
/** Compiled into glibc; distributions differ, so all of theirs are listed. */
const glibcDirectories = [
  `/${GLIBC_LIB}`,
  `/usr/${GLIBC_LIB}`,
  "/lib64",
  "/usr/lib64",
  "/lib",
  "/usr/lib",
];
const muslDirectories = ["/lib", "/usr/local/lib", "/usr/lib"];
const hardwareVariants = ["x86-64-v2", "x86-64-v3", "x86-64-v4"];

/** Expands the tokens of ld.so(8), "Dynamic string tokens". */
function expand(text: string, origin: string): string {
  return text
    .replace(/\$(ORIGIN\b|\{ORIGIN\})/g, () => origin)
    .replace(/\$(LIB\b|\{LIB\})/g, () => GLIBC_LIB)
    .replace(/\$(PLATFORM\b|\{PLATFORM\})/g, () => "x86_64");
}

/** Finds libraries. One instance serves one program. */
export class LibrarySearch {
  readonly #libc: Libc;
  readonly #libraryPath: readonly string[];
  readonly #cwd: string;
  readonly #files: ObjectFiles;
  readonly #isFile: (path: string) => boolean;
  #cache: Map<string, string[]> | undefined;
  #muslPath: readonly string[] | undefined;

  /**
   * `ldLibraryPath` is the variable LD_LIBRARY_PATH that the program will see; relative entries are
   * understood from `cwd`.
   */
  constructor(libc: Libc, ldLibraryPath: string | undefined, cwd: string, files = hostObjects) {
    this.#files = files;
    this.#isFile = (path) => files.isFile(path);
    this.#libc = libc;
    this.#cwd = cwd;
    this.#libraryPath = (ldLibraryPath ?? "").split(/[:;]/).filter((entry) => entry !== "");
  }

  /** Whether the loader provides this library itself. */
  isBuiltIn(name: string): boolean {
    if (this.#libc === "glibc") return false;
    return /^lib(c|pthread|rt|m|dl|util|xnet)\.so$|^libc\.musl-|^ld-musl-/.test(name);
  }

  /**
   * All files that the loader may open for `name`, the preferred one first; empty if there is none.
   * `accepts` tells whether a candidate is for this machine: loaders pass over others.
   */
  find(name: string, neededBy: LoadedObject, accepts: (path: string) => boolean): string[] {
    if (name.includes("/")) {
      const file = resolve(this.#cwd, expand(name, neededBy.origin));
      return this.#isFile(file) ? [file] : [];
    }
    for (const directory of this.#directories(neededBy)) {
      const found = this.#inDirectory(directory, name).filter(accepts);
      if (found.length > 0) return found;
    }
    if (this.#libc === "musl") return [];
    if (neededBy.elf.ignoresDefaultDirectories) return [];
    const cached = (this.#glibcCache().get(name) ?? []).filter(this.#isFile).filter(accepts);
    if (cached.length > 0) return cached;
    for (const directory of glibcDirectories) {
      const found = this.#inDirectory(directory, name).filter(accepts);
      if (found.length > 0) return found;
    }
    return [];
  }

  *#directories(neededBy: LoadedObject): Generator<string> {
    if (this.#libc === "musl") {
      yield* this.#libraryPath;
      for (let at: LoadedObject | undefined = neededBy; at !== undefined; at = at.loadedBy) {
        yield* this.#runPath(at.elf.runpath.length > 0 ? at.elf.runpath : at.elf.rpath, at.origin);
      }
      yield* this.#muslDirectories();
      return;
    }
    if (neededBy.elf.runpath.length === 0) {
      for (let at: LoadedObject | undefined = neededBy; at !== undefined; at = at.loadedBy) {
        if (at.elf.runpath.length === 0) yield* this.#runPath(at.elf.rpath, at.origin);
      }
    }
    yield* this.#libraryPath;
    yield* this.#runPath(neededBy.elf.runpath, neededBy.origin);
  }

  #runPath(entries: readonly string[], origin: string): string[] {
    return entries.filter((entry) => entry !== "").map((entry) => expand(entry, origin));
  }

  #inDirectory(directory: string, name: string): string[] {
    const absolute = resolve(this.#cwd, directory);
    const plain = join(absolute, name);
    if (this.#libc === "musl") return this.#isFile(plain) ? [plain] : [];
    const variants = hardwareVariants.map((level) => join(absolute, "glibc-hwcaps", level, name));
    return [plain, ...variants].filter(this.#isFile);
  }

  #glibcCache(): Map<string, string[]> {
    if (this.#cache === undefined) {
      const bytes = this.#files.read("/etc/ld.so.cache");
      this.#cache = lookUpLdCache(bytes === undefined ? [] : parseLdCache(bytes));
    }
    return this.#cache;
  }

  #muslDirectories(): readonly string[] {
    if (this.#muslPath === undefined) {
      const text = this.#files.read("/etc/ld-musl-x86_64.path")?.toString();
      const listed = text?.split(/[:\n]/).filter((entry) => entry !== "");
      this.#muslPath = listed ?? muslDirectories;
    }
    return this.#muslPath;
  }
}

/** Files that match a pattern whose last component may contain `*`, in order. */
function matchingFiles(pattern: string): string[] {
  const directory = dirname(pattern);
  const parts = basename(pattern)
    .split("*")
    .map((part) => part.replace(/[^\w-]/g, "\\$&"));
  const matcher = new RegExp(`^${parts.join(".*")}$`);
  try {
    const names = readdirSync(directory).filter((name) => matcher.test(name));
    return names.sort().map((name) => join(directory, name));
  } catch {
    return [];
  }
}

/**
 * The directories that `ldconfig` would scan: /etc/ld.so.conf with the files that it includes. ld.so
 * itself never reads them; they help to explain why a library is not found.
 */
export function configuredDirectories(confPath = "/etc/ld.so.conf"): string[] {
  const seen = new Set<string>();
  const directories: string[] = [];
  const read = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const raw of (hostObjects.read(path)?.toString() ?? "").split("\n")) {
      const line = raw.replace(/#.*/, "").trim();
      const pattern = /^include\s+(\S+)/.exec(line)?.[1];
      if (pattern !== undefined) {
        for (const included of matchingFiles(resolve(dirname(path), pattern))) read(included);
      } else if (line.startsWith("/")) {
        directories.push(line.replace(/=.*/, "").replace(/\/+$/, ""));
      }
    }
  };
  read(confPath);
  return directories;
}
