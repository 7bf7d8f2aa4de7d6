/** Where the repository is, and where tests may write. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root folder. */
export const repositoryRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The launcher of the tool under test. */
export const capstanLauncher = join(repositoryRoot, "capstan/bin/capstan.js");

/** A folder for files that tests make and may keep from run to run. */
export function testDataFolder(): string {
  const folder = join(repositoryRoot, "build/test/data");
  mkdirSync(folder, { recursive: true });
  return folder;
}
