/**
 * Remembers which image files were written from what, so that an image of an unchanged application
 * is not written again: the file is still there, or it is copied from where it is.
 *
 *     $CAPSTAN_ROOT/cache/finished/<hash of all inputs>    identity and path of each file
 *
 * The identity covers inode, size, and times, so a file that was touched does not count.
 * Neighbours: `../commands/image-build.ts`; `../image/cache.ts` keeps the file systems.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyWhole } from "../disk/output-file.ts";
import { systemErrorCode } from "../errors.ts";
import { capstanHome } from "../home.ts";
import { identityOf } from "../image/tree.ts";

/** Part of every key: raise it when what is written changes. */
const FORMAT_VERSION = 3;

/** A file that was written. */
interface FinishedFile {
  readonly path: string;
  readonly identity: string;
}

/** A hash over everything that decides what an image contains. */
export function finishedKey(inputs: readonly (string | number)[]): string {
  const text = JSON.stringify([FORMAT_VERSION, ...inputs]);
  return createHash("sha256").update(text).digest("hex");
}

/** Identity of a file; undefined if there is none. */
export function fileIdentity(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${identityOf(stats)}:${stats.size}`;
}

export class FinishedImages {
  readonly #folder: string;

  constructor(env: NodeJS.ProcessEnv) {
    this.#folder = join(capstanHome(env), "cache", "finished");
  }

  /**
   * Sees to it that finished files are at `paths`.
   * @param paths image, then what belongs to it, in the order of `remember`
   * @returns false if there are none, or they have changed: they have to be written
   */
  provide(key: string, paths: readonly string[]): boolean {
    const known = this.#read(key);
    if (known.length !== paths.length) return false;
    if (known.some(({ path, identity }) => fileIdentity(path) !== identity)) return false;
    for (const [index, { path }] of known.entries()) {
      const wanted = paths[index] ?? "";
      if (wanted !== path) copyWhole(path, wanted);
    }
    return true;
  }

  /** Remembers that these files were written. A failure only costs time later. */
  remember(key: string, paths: readonly string[]): void {
    const lines = paths.map((path) => `${fileIdentity(path) ?? ""} ${path}\0`);
    try {
      mkdirSync(this.#folder, { recursive: true });
      writeFileSync(join(this.#folder, key), lines.join(""));
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
    }
  }

  /** A record that is damaged names files or identities that do not exist, and so does not count. */
  #read(key: string): FinishedFile[] {
    let text: string;
    try {
      text = readFileSync(join(this.#folder, key), "utf8");
    } catch {
      return [];
    }
    return text
      .split("\0")
      .slice(0, -1)
      .map((line) => {
        const [identity = "", ...rest] = line.split(" ");
        return { identity, path: rest.join(" ") };
      });
  }
}
