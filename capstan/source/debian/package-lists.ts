/**
 * What packages there are: apt's own lists, which `apt-get update` keeps and verifies. They are read
 * through apt's helper, because apt may keep them compressed; nothing of the host's state is changed.
 *
 * Fifty megabytes of text are kept as they are; only the stanzas that are asked for are taken apart.
 * Neighbours: `dependencies.ts` asks, `fetch.ts` gets what it chose.
 */
import { execFile } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemErrorCode, UserError } from "../../errors.ts";
import type { WorkOptions } from "../../work.ts";
import { compareVersions } from "./version.ts";

const run = promisify(execFile);

/** apt's program for scripts. */
export const APT_HELPER = "/usr/lib/apt/apt-helper";

/** What apt's programs are run with: their environment may name another configuration. */
export type AptOptions = Pick<WorkOptions, "host" | "signal">;

/** The same for execFile. */
export function aptSettings({ host, signal }: AptOptions) {
  return { env: host, ...(signal === undefined ? {} : { signal }) };
}

/** Debian's list has 50 MB, those of a few other archives may come on top. */
const MAX_TEXT_BYTES = 1024 ** 3;

/** A list on this machine. */
export interface PackageList {
  /** Absolute path of apt's file. */
  readonly path: string;
  /** Where the archive is: `Filename` in a stanza starts from here. */
  readonly baseUri: string;
}

/** One package, as its stanza describes it. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly uri: string;
  readonly sizeBytes: number;
  /** SHA-256 of the .deb file, hexadecimal. */
  readonly sha256: string;
  /** Text of Pre-Depends and Depends, each as in the stanza. */
  readonly depends: readonly string[];
}

/**
 * The lists that apt has.
 * @throws UserError `NoPackageLists`
 */
export async function findPackageLists(options: AptOptions): Promise<readonly PackageList[]> {
  const format = "$(FILENAME) $(REPO_URI)";
  let text: string;
  try {
    const args = ["indextargets", "--format", format, "Created-By: Packages"];
    text = (await run("apt-get", args, aptSettings(options))).stdout;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (systemErrorCode(error) !== "ENOENT") throw noLists(String(error));
    throw noLists("this machine has no apt-get");
  }
  const lists = text
    .split("\n")
    .map((line) => line.split(" "))
    .map(([path = "", baseUri = ""]) => ({ path, baseUri }))
    .filter(({ path }) => path !== "" && statSync(path, { throwIfNoEntry: false }) !== undefined);
  if (lists.length === 0) throw noLists("apt has no lists of packages yet");
  return lists;
}

function noLists(why: string): UserError {
  return new UserError({
    code: "NoPackageLists",
    what: "cannot look for Debian packages",
    why,
    fix: "on Debian or Ubuntu, run apt-get update; elsewhere, use a container image",
  });
}

/** Where apt keeps its lists, and its sources, unless its configuration says otherwise. */
const APT_DIRECTORIES = ["/var/lib/apt/lists", "/etc/apt/sources.list.d", "/etc/apt"];

/**
 * What changes when the lists do, for the key of a cache; undefined if that cannot be told. Asking apt itself takes longer than all
 * the rest of a cached run.
 */
export function identityOfLists(host: NodeJS.ProcessEnv): string | undefined {
  // Another configuration may name directories that are not known here.
  if (host.APT_CONFIG !== undefined) return undefined;
  const files = APT_DIRECTORIES.flatMap((directory) => {
    try {
      return readdirSync(directory).map((name) => join(directory, name));
    } catch {
      return [];
    }
  });
  return files
    .sort()
    .map((path) => {
      const stats = statSync(path, { throwIfNoEntry: false });
      return `${path} ${stats?.size} ${stats?.mtimeMs}`;
    })
    .join("\n");
}

/** Reads apt's lists. Throws a UserError if that fails. */
export async function readPackageLists(
  lists: readonly PackageList[],
  options: AptOptions,
): Promise<PackageIndex> {
  const index = new PackageIndex();
  for (const { path, baseUri } of lists) {
    try {
      const { stdout } = await run(APT_HELPER, ["cat-file", path], {
        maxBuffer: MAX_TEXT_BYTES,
        encoding: "latin1",
        ...aptSettings(options),
      });
      index.add(stdout, baseUri);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw noLists(error instanceof Error ? error.message : String(error));
    }
  }
  return index;
}

/** Where a stanza stands. */
interface Place {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly baseUri: string;
}

/** Packages by name, and by what they provide. */
export class PackageIndex {
  readonly #places = new Map<string, Place[]>();
  readonly #providers = new Map<string, Set<string>>();

  /** Adds the stanzas of a list (deb822(5)). */
  add(text: string, baseUri: string): void {
    for (let start = 0; start < text.length; ) {
      const found = text.indexOf("\n\n", start);
      const end = found === -1 ? text.length : found;
      const name = /Package: (\S+)/y;
      name.lastIndex = start;
      const [, package_] = name.exec(text) ?? [];
      if (package_ !== undefined) {
        const places = this.#places.get(package_);
        const place = { text, start, end, baseUri };
        if (places === undefined) this.#places.set(package_, [place]);
        else places.push(place);
      }
      start = end + 2;
    }
    for (const match of text.matchAll(/^Provides: (.*)$/gm)) {
      const stanza = text.lastIndexOf("\n\n", match.index);
      const name = /Package: (\S+)/.exec(text.slice(stanza === -1 ? 0 : stanza, match.index))?.[1];
      for (const provided of (match[1] ?? "").split(",")) {
        const [virtual = ""] = provided.trim().split(/[\s:(]/, 1);
        const providers = this.#providers.get(virtual) ?? new Set();
        if (name !== undefined) providers.add(name);
        this.#providers.set(virtual, providers);
      }
    }
  }

  /** The versions of a package, the latest first. */
  versionsOf(name: string): DebianPackage[] {
    const packages = (this.#places.get(name) ?? []).flatMap((place) => {
      const found = packageOf(place);
      return found === undefined ? [] : [found];
    });
    return packages.sort((a, b) => compareVersions(b.version, a.version));
  }

  /** Names of the packages that provide a name, in their alphabetical order. */
  providersOf(name: string): string[] {
    return [...(this.#providers.get(name) ?? [])].sort();
  }

  /** Names that contain a text, for suggestions. */
  namesLike(text: string): string[] {
    return [...this.#places.keys()].filter((name) => name.includes(text)).sort();
  }
}

function packageOf({ text, start, end, baseUri }: Place): DebianPackage | undefined {
  const stanza = text.slice(start, end);
  const field = (name: string): string | undefined => {
    return new RegExp(`^${name}: (.*(?:\\n .*)*)$`, "m").exec(stanza)?.[1]?.replace(/\n\s*/g, " ");
  };
  const [name, version, file, sha256] = ["Package", "Version", "Filename", "SHA256"].map(field);
  if (name === undefined || version === undefined || file === undefined || sha256 === undefined) {
    return undefined;
  }
  return {
    name,
    version,
    uri: `${baseUri.replace(/\/?$/, "/")}${file}`,
    sizeBytes: Number(field("Size") ?? 0),
    sha256,
    depends: [field("Pre-Depends") ?? "", field("Depends") ?? ""].filter((each) => each !== ""),
  };
}
