/**
 * Finds files by suffix below folders of the repository. Used to list test files and the sources
 * of a build.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";

const skipped = new Set(["node_modules", "build", "dist", ".git"]);

/**
 * All files below a folder that a predicate accepts, sorted by path.
 * @param folder where to look; a folder that does not exist holds no files
 * @param accepts decides by the file's path
 */
export function findFiles(folder: string, accepts: (path: string) => boolean): string[] {
  let entries: ReturnType<typeof list>;
  try {
    entries = list(folder);
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : findFiles(path, accepts);
    return accepts(path) ? [path] : [];
  });
}

function list(folder: string) {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}
