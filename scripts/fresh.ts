/**
 * Decides whether a built file is newer than what it is built from, by a digest over path, size
 * and modification time of all its sources, kept beside the file. Used by `build.ts`.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { findFiles } from "./find-files.ts";

/** A file that a command builds from sources. */
export interface Artifact {
  readonly name: string;
  readonly output: string;
  /** Files and folders that the output depends on. */
  readonly sources: readonly string[];
  /** Sources that have no influence on the output. */
  readonly ignores: (path: string) => boolean;
  readonly command: readonly string[];
}

/** Whether the output exists and its sources are those that it was built from. */
export function isFresh(artifact: Artifact): boolean {
  const record = recordPath(artifact);
  if (!existsSync(artifact.output) || !existsSync(record)) return false;
  return readFileSync(record, "utf8") === digest(artifact);
}

/** Remembers that the output was built from the present sources. */
export function recordBuild(artifact: Artifact): void {
  mkdirSync(dirname(recordPath(artifact)), { recursive: true });
  writeFileSync(recordPath(artifact), digest(artifact));
}

function recordPath(artifact: Artifact): string {
  return `${artifact.output}.sources`;
}

function digest(artifact: Artifact): string {
  const hash = createHash("sha256");
  for (const source of artifact.sources) {
    const isFolder = statSync(source).isDirectory();
    const files = isFolder ? findFiles(source, (path) => !artifact.ignores(path)) : [source];
    for (const file of files) {
      const { size, mtimeMs } = statSync(file);
      hash.update(`${file}\n${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest("hex");
}
