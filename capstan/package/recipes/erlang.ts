/**
 * Erlang/OTP: its directory as a whole, with the programs that the start script calls.
 *
 * `erl` is a shell script that ends in the loader of the virtual machine, which in turn executes
 * beam.smp and, for ports, erl_child_setup: several ELF files, whose libraries all come along.
 *
 * Neighbours: `recipe.ts` is the interface.
 */
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../errors.ts";
import {
  addProgramTrees,
  isDirectory,
  isExecutable,
  type Recipe,
  type RecipeContext,
} from "./recipe.ts";

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

async function collect(context: RecipeContext): Promise<void> {
  await addProgramTrees(context, [rootOf(context.interpreter)], {
    // Headers and sources serve only to build software.
    skip: { name: "erlang", leavesOut: (name) => name === "src" || name === "include" },
  });
  // escript finds erl in PATH, where it stands beside it.
  const beside = join(dirname(context.interpreter), "erl");
  const programs = [...SCRIPT_TOOLS, beside].filter(isExecutable);
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
