/**
 * What of a project's directory stays out of its image: the patterns of `.capstanignore`, written
 * like those of gitignore(5), and what is never of use there.
 *
 * Neighbours: `directory.ts` and `../package/` are the users.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ignore from "ignore";
import type { Skip } from "../../package/tree-limits.ts";

/** As in Capstan; packages keep their metadata to themselves. */
const ALWAYS = ["/meta", "/mpm-pkg", "/.git", "/.capstanignore", "/.gitignore", "/volumes"];

/** A rule for what to leave out below a directory. */
export function ignoreRules(directory: string): Skip {
  const path = join(directory, ".capstanignore");
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const rules = ignore().add(ALWAYS).add(text);
  return {
    name: `ignore ${directory}`,
    leavesOut(_name, path, isDirectory) {
      const inside = relative(directory, path);
      if (inside === "" || inside.startsWith("..")) return false;
      return rules.ignores(isDirectory ? `${inside}/` : inside);
    },
  };
}
