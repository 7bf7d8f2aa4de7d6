/**
 * Chooses what to take from a directory of installed Python packages (site-packages).
 *
 * Such a directory may hold gigabytes, of which one program imports little. Starting from the names
 * that the program imports, each module or package of that name is taken as a whole, its sources are
 * looked through for what they import when loaded, and so on. The records of its distribution
 * (`NAME.dist-info`) tell what else belongs to it, such as a directory of shared libraries, and
 * which other distributions it requires.
 *
 * Neighbours: `python-imports.ts` finds imports, `python.ts` is the user.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { importsAtLoad, importsInText } from "./python-imports.ts";
import { isDirectory } from "./recipe.ts";

/** Tests of packages are taken along but not searched: they import the strangest things. */
const NOT_SEARCHED = /^(tests?|_?testing|docs?|examples?|__pycache__)$/;
/** Belongs to no distribution in particular. */
const SHARED = /^(\.\.|__pycache__)$/;
const TEST_FILE = /^(conftest|setup|test_.*|.*_test)\.py$/;

/** All Python sources below a path, which may be a source itself. */
function sourcesBelow(path: string): string[] {
  if (!isDirectory(path)) return path.endsWith(".py") ? [path] : [];
  const sources: string[] = [];
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      if (!NOT_SEARCHED.test(entry.name)) sources.push(...sourcesBelow(join(path, entry.name)));
    } else if (entry.name.endsWith(".py") && !TEST_FILE.test(entry.name)) {
      sources.push(join(path, entry.name));
    }
  }
  return sources;
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The name under which an entry of a search path can be imported. */
function moduleName(entry: string): string | undefined {
  if (/\.(dist-info|egg-info|egg-link|pth)$|^__pycache__$/.test(entry)) return undefined;
  return /^([A-Za-z_]\w*)(\.(py|pyc|so)|\.[\w-]+\.so)?$/.exec(entry)?.[1];
}

/** An installed distribution: its records and what belongs to it. */
interface Distribution {
  /** Name of the directory with its records. */
  readonly info: string;
  /** Entries of the search directory. */
  readonly contents: ReadonlySet<string>;
}

/** Distribution names are compared without case, and `-`, `_` and `.` are the same (PEP 503). */
function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/** One directory on Python's search path. */
class SearchDirectory {
  readonly path: string;
  readonly entries: readonly string[];
  readonly #byName = new Map<string, string[]>();
  #distributions: Distribution[] | undefined;

  constructor(path: string) {
    this.path = path;
    this.entries = readdirSync(path).sort();
    for (const entry of this.entries) {
      const name = moduleName(entry);
      if (name === undefined) continue;
      const known = this.#byName.get(name);
      if (known === undefined) this.#byName.set(name, [entry]);
      else known.push(entry);
    }
  }

  /** Entries that can be imported as `name`. */
  entriesFor(name: string): readonly string[] {
    return this.#byName.get(name) ?? [];
  }

  /** All entries of the distributions that contain an entry. */
  relatives(entry: string): string[] {
    return this.#installed()
      .filter(({ contents }) => contents.has(entry))
      .flatMap(({ info, contents }) => [info, ...contents]);
  }

  /** Names that can be imported from a distribution, given by its name. */
  modulesOf(distribution: string): string[] {
    const wanted = normalName(distribution);
    return this.#installed()
      .filter(({ info }) => normalName(info.replace(/-[^-]*\.dist-info$/, "")) === wanted)
      .flatMap(({ contents }) => [...contents].map(moduleName))
      .filter((name) => name !== undefined);
  }

  /** Names of the distributions that the records in `info` require in any case (PEP 508). */
  requirements(info: string): string[] {
    const text = readIfPresent(join(this.path, info, "METADATA")) ?? "";
    const head = text.split("\n\n", 1)[0] ?? "";
    return [...head.matchAll(/^Requires-Dist:[ \t]*([\w.-]+)(.*)$/gm)]
      .filter(([, , rest]) => !/;.*\bextra\b/.test(rest ?? ""))
      .map(([, name]) => name ?? "");
  }

  #installed(): Distribution[] {
    this.#distributions ??= this.entries
      .filter((name) => name.endsWith(".dist-info"))
      .map((info) => ({ info, contents: this.#recorded(info) }));
    return this.#distributions;
  }

  /** First components of the paths in RECORD, as far as they exist here (PEP 376). */
  #recorded(info: string): Set<string> {
    const contents = new Set<string>();
    const record = readIfPresent(join(this.path, info, "RECORD")) ?? "";
    for (const [, first] of record.matchAll(/^"?([^/,"\n]+)/gm)) {
      if (first !== undefined && !SHARED.test(first)) contents.add(first);
    }
    return contents;
  }
}

/** Chooses from several directories together: what one imports may lie in another. */
export class SiteSelection {
  readonly #directories: readonly SearchDirectory[];
  readonly #seenNames = new Set<string>();
  readonly #chosen = new Set<string>();
  readonly #pause: () => Promise<void>;

  constructor(directories: readonly string[], pause: () => Promise<void>) {
    this.#directories = directories.map((path) => new SearchDirectory(path));
    this.#pause = pause;
  }

  /** Absolute paths of the modules and packages chosen so far. */
  get chosen(): ReadonlySet<string> {
    return this.#chosen;
  }

  /** Names of all modules that were imported somewhere, also of those that are not here. */
  get importedNames(): ReadonlySet<string> {
    return this.#seenNames;
  }

  /**
   * `.pth` files are read at each start: their lines name further directories or are executed if
   * they begin with `import` (site(7) of Python's library). They are chosen, and what they import.
   */
  async addPathFiles(): Promise<void> {
    for (const directory of this.#directories) {
      for (const entry of directory.entries.filter((name) => name.endsWith(".pth"))) {
        const path = join(directory.path, entry);
        this.#chosen.add(path);
        const lines = readFileSync(path, "utf8").split("\n");
        const code = lines.filter((line) => /^import[ \t]/.test(line)).join("\n");
        await this.add(importsInText(code));
      }
    }
  }

  /** Chooses what these names need, and what that needs. */
  async add(names: Iterable<string>): Promise<void> {
    const pending = [...names];
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (this.#seenNames.has(name)) continue;
      this.#seenNames.add(name);
      for (const directory of this.#directories) {
        for (const entry of directory.entriesFor(name)) {
          pending.push(...(await this.#choose(directory, entry)));
        }
      }
    }
  }

  /** Chooses an entry with its relatives; returns what they import. */
  async #choose(directory: SearchDirectory, entry: string): Promise<Set<string>> {
    const imported = new Set<string>();
    for (const name of [entry, ...directory.relatives(entry)]) {
      const path = join(directory.path, name);
      if (this.#chosen.has(path)) continue;
      this.#chosen.add(path);
      if (name.endsWith(".dist-info")) {
        for (const required of directory.requirements(name)) {
          for (const other of this.#directories) {
            for (const module of other.modulesOf(required)) imported.add(module);
          }
        }
        continue;
      }
      for (const source of sourcesBelow(path)) {
        for (const other of importsAtLoad(source)) imported.add(other);
        await this.#pause();
      }
    }
    return imported;
  }
}
