/**
 * A directory of plain archives (layers of images, contents of packages), named after the SHA-256 of
 * their bytes or of the compressed file they came from. Images refer to parts of them.
 *
 *     $CAPSTAN_ROOT/cache/layers/
 *         <sha-256>.tar                        complete and verified
 *         <sha-256>.<host>.<process id>.tmp    being written
 *
 * Everything here can be made again, so the directory may be deleted at any time. Neighbours:
 * `decompress.ts` writes; `../source/` asks.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { systemErrorCode } from "../errors.ts";
import { capstanHome } from "../home.ts";
import type { WorkOptions } from "../work.ts";
import { type ByteRange, wholeFile } from "./byte-range.ts";
import { decompressTo, type Expected, writeError } from "./decompress.ts";

/** What the directory may take before archives that were not used for long are removed. */
const LIMIT_BYTES = 10 * 1024 ** 3;

/** Archives that were used within this time stay: an image may be being built from them. */
const PROTECTED_MS = 60 * 60 * 1000;

/** The directory of plain archives. */
export class PlainCache {
  readonly #directory: string;
  readonly #options: Pick<WorkOptions, "progress" | "signal">;

  /** Throws a UserError if the directory cannot be made. */
  constructor(options: WorkOptions) {
    this.#directory = join(capstanHome(options.host), "cache", "layers");
    this.#options = options;
    try {
      mkdirSync(this.#directory, { recursive: true });
    } catch (error) {
      throw writeError(this.#directory, error);
    }
  }

  /** The archive with this key, or undefined. */
  find(key: string): ByteRange | undefined {
    const path = this.#pathOf(key);
    try {
      const now = new Date();
      utimesSync(path, now, now);
      return wholeFile(path);
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /**
   * The archive with this key; unpacked from `compressed` if it is not here.
   * @throws UserError for damaged data and a full disk
   */
  async get(
    key: string,
    compressed: () => ByteRange | Promise<ByteRange>,
    expected: Expected,
  ): Promise<ByteRange> {
    const known = this.find(key);
    if (known !== undefined) return known;
    this.#tidy();
    const { progress, signal } = this.#options;
    const range = await compressed();
    const task = progress.start(`unpacking ${expected.what}`, range.sizeBytes);
    const path = this.#pathOf(key);
    const temporary = join(this.#directory, `${key}.${hostname()}.${process.pid}.tmp`);
    rmSync(temporary, { force: true });
    await decompressTo(range, temporary, expected, (bytes) => task.advance(bytes), signal);
    renameSync(temporary, path);
    task.end("unpacked");
    return wholeFile(path);
  }

  #pathOf(key: string): string {
    return join(this.#directory, `${key}.tar`);
  }

  /** Removes what killed processes left behind, and the longest unused archives beyond the limit. */
  #tidy(): void {
    const archives: { path: string; sizeBytes: number; usedMs: number }[] = [];
    for (const name of readdirSync(this.#directory)) {
      const path = join(this.#directory, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats === undefined) continue;
      const isOld = Date.now() - stats.mtimeMs > PROTECTED_MS;
      if (name.endsWith(".tmp")) {
        if (isOld) rmSync(path, { force: true });
      } else {
        archives.push({ path, sizeBytes: stats.size, usedMs: stats.mtimeMs });
      }
    }
    archives.sort((a, b) => a.usedMs - b.usedMs);
    let sum = archives.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
    for (const { path, sizeBytes, usedMs } of archives) {
      if (sum <= LIMIT_BYTES || Date.now() - usedMs < PROTECTED_MS) break;
      rmSync(path, { force: true });
      sum -= sizeBytes;
    }
  }
}
