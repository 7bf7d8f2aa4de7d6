/**
 * PostgreSQL: the programs of the installation, which start each other (initdb and pg_ctl run
 * postgres), the modules that the server loads, and the data that initdb reads.
 *
 * Neighbours: `recipe.ts` is the interface.
 */
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../errors.ts";
import { ask } from "../ask.ts";
import { timeZones } from "../companions.ts";
import {
  addProgramTrees,
  isDirectory,
  isExecutable,
  type Recipe,
  type RecipeContext,
} from "./recipe.ts";

/** Programs that people run by themselves. */
const PROGRAMS =
  /^(postgres|initdb|pg_(ctl|isready|dump|dumpall|restore|basebackup)|psql|pgbench|createdb)$/;

/** initdb asks it for the locales of the system. */
const LOCALE = "/usr/bin/locale";

async function collect(context: RecipeContext): Promise<void> {
  const { interpreter, env, cwd, files, libraries } = context;
  const binaries = dirname(realpathSync(interpreter));
  const config = join(binaries, "pg_config");
  const answer = await ask(config, ["--pkglibdir", "--sharedir"], { env, cwd });
  if ("failure" in answer) {
    throw new UserError({
      code: "RuntimeUnclear",
      what: `cannot find the files of ${interpreter}`,
      why: `asking ${config} for them failed: ${answer.failure}`,
      fix: "run the programs of a complete installation of PostgreSQL",
    });
  }
  const directories = answer.text.split("\n").filter((path) => path.startsWith("/"));
  // Debian's PostgreSQL uses the time zones of the system.
  const trees = [binaries, ...directories, timeZones, "/usr/lib/locale/C.utf8"];
  await addProgramTrees(context, trees.filter(isDirectory));
  if (!isExecutable(LOCALE)) return;
  files.add(LOCALE);
  libraries.addObject(LOCALE);
}

/** PostgreSQL's server and clients. */
export const postgresql: Recipe = {
  name: "PostgreSQL",
  recognises: (fileName) => PROGRAMS.test(fileName),
  collect,
};
