/**
 * Perl: the directories of @INC, as the interpreter itself reports them, and modules beside a script.
 *
 * Taken as a whole: they are a few dozen megabytes at most, and modules load each other by names
 * made up at run time too often for a choice.
 *
 * Neighbours: `recipe.ts` is the interface.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { UserError } from "../../errors.ts";
import { ask } from "../ask.ts";
import { timeZones } from "../companions.ts";
import {
  addRuntimeTrees,
  isDirectory,
  isRegularFile,
  type Recipe,
  type RecipeContext,
} from "./recipe.ts";

/** Directories that options and `use lib` lines name. */
function extraDirectories(args: readonly string[], cwd: string): string[] {
  const found: string[] = [];
  for (const [index, arg] of args.entries()) {
    const inline = /^-I(.*)$/.exec(arg)?.[1];
    if (inline !== undefined) {
      found.push(resolve(cwd, inline === "" ? (args[index + 1] ?? "") : inline));
    }
    const path = resolve(cwd, arg);
    if (arg.startsWith("-") || arg === "" || !isRegularFile(path)) continue;
    const text = readFileSync(path, "latin1");
    for (const [, list] of text.matchAll(/(?:^|;)\s*use\s+lib\s+(.+?);/gm)) {
      for (const [, quoted] of (list ?? "").matchAll(
        /["'(\s]((?:\$FindBin::Bin|[\w./])[\w./-]*)/g,
      )) {
        const name = (quoted ?? "").replace("$FindBin::Bin", dirname(path));
        found.push(resolve(name.startsWith("/") ? "/" : cwd, name));
      }
    }
    // Only the first file is the script; the others are its arguments.
    break;
  }
  return found.filter(isDirectory);
}

async function collect(context: RecipeContext): Promise<void> {
  const { interpreter, env, cwd, args, files } = context;
  const answer = await ask(interpreter, ["-e", 'print map { "$_\\n" } @INC'], { env, cwd });
  if ("failure" in answer) {
    throw new UserError({
      code: "RuntimeUnclear",
      what: `cannot find the library of ${interpreter}`,
      why: `asking the interpreter for it failed: ${answer.failure}`,
      fix: `check that ${interpreter} -e 1 works on this machine`,
    });
  }
  const directories = answer.text.split("\n").filter((path) => path.startsWith("/"));
  await addRuntimeTrees(context, [...directories, timeZones].filter(isDirectory));
  await addRuntimeTrees(context, extraDirectories(args, cwd));
  for (const path of directories) files.add(path);
}

/** Perl 5. */
export const perl: Recipe = {
  name: "Perl",
  recognises: (fileName) => /^perl[0-9.]*(-[\w-]+)?$/.test(fileName),
  collect,
};
