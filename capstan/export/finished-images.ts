/**
 * Remembers which image files were written from what, so that an image of an unchanged application
 * is not written again: the file is still there, or it is copied from where it is.
 *
 *     $CAPSTAN_ROOT/cache/finished/<hash of all inputs>.json    path and identity of the file
 *
 * The identity covers inode, size, and times, so a file that was touched does not count.
 * Neighbours: `../commands/image-build.ts`; `../image/cache.ts` keeps the file systems.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { copyWhole } from "../disk/output-file.ts";
import { systemErrorCode } from "../errors.ts";
import { capstanHome } from "../home.ts";
import { identityOf } from "../image/tree.ts";

/** Part of every key: raise it when what is written changes. */
const FORMAT_VERSION = 2;

const recordSchema = z.strictObject({
  files: z.array(z.strictObject({ path: z.string(), identity: z.string() })),
});

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
    if (known === undefined || known.files.length !== paths.length) return false;
    if (known.files.some(({ path, identity }) => fileIdentity(path) !== identity)) return false;
    for (const [index, { path }] of known.files.entries()) {
      const wanted = paths[index] ?? "";
      if (wanted !== path) copyWhole(path, wanted);
    }
    return true;
  }

  /** Remembers that these files were written. A failure only costs time later. */
  remember(key: string, paths: readonly string[]): void {
    const files = paths.map((path) => ({ path, identity: fileIdentity(path) ?? "" }));
    try {
      mkdirSync(this.#folder, { recursive: true });
      writeFileSync(join(this.#folder, `${key}.json`), JSON.stringify({ files }));
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
    }
  }

  #read(key: string): z.infer<typeof recordSchema> | undefined {
    try {
      return recordSchema.parse(
        JSON.parse(readFileSync(join(this.#folder, `${key}.json`), "utf8")),
      );
    } catch {
      return undefined;
    }
  }
}
