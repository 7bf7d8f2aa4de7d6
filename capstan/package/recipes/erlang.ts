/**
 * Erlang/OTP: its directory as a whole, with the programs that the start script calls.
 *
 * `erl` is a shell script that ends in the loader of the virtual machine, which in turn executes
 * beam.smp and, for ports, erl_child_setup: several ELF files, whose libraries all come along.
 *
 * Neighbours: `recipe.ts` is the interface.
 */
import { accessSync, constants, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../errors.ts";
import { addRuntimeTrees, isDirectory, type Recipe, type RecipeContext } from "./recipe.ts";

/** What Erlang's start scripts call, and the shell that runs them. */
const SCRIPT_TOOLS = ["/bin/sh", "/usr/bin/dirname", "/usr/bin/basename", "/usr/bin/sed"];

/** The root of the installation, by erl(1) `code:root_dir()`: the one that has the releases. */
function rootOf(program: string): string {
  for (let at = dirname(realpathSync(program)); at !== "/"; at = dirname(at)) {
    if (isDirectory(join(at, "releases")) && isDirectory(join(at, "lib"))) return at;
  }
  throw new UserError({
    code: "RuntimeUnclear",
    what: `cannot find the library of ${program}`,
    why: "no directory above it has Erlang's directories releases and lib",
    fix: "run the erl of a complete installation of Erlang/OTP",
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function collect(context: RecipeContext): Promise<void> {
  const programs: string[] = [];
  await addRuntimeTrees(context, [rootOf(context.interpreter)], {
    // Headers and sources serve only to build software.
    skip: { name: "erlang", leavesOut: (name) => name === "src" || name === "include" },
    onFile: (path) => {
      if (isExecutable(path)) programs.push(path);
    },
  });
  // escript finds erl in PATH, where it stands beside it.
  const beside = join(dirname(context.interpreter), "erl");
  programs.push(...[...SCRIPT_TOOLS, beside].filter(isExecutable));
  context.files.addAll(programs);
  for (const program of programs) context.libraries.addObject(program);
}

/** Erlang/OTP. */
export const erlang: Recipe = {
  name: "Erlang",
  recognises: (fileName) => ["erl", "erlc", "escript"].includes(fileName),
  startsByScript: true,
  collect,
};
