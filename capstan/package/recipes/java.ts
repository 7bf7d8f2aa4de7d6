/**
 * Java: the JDK's directory as a whole, and what the class path names. Its tools (javac, jar, jshell
 * and others) are launchers of the same virtual machine and need the same files.
 *
 * Neighbours: `recipe.ts` is the interface.
 */
import { realpathSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { addRuntimeTrees, isDirectory, type Recipe, type RecipeContext } from "./recipe.ts";

/** Launchers in a JDK's bin that people run by themselves. */
const TOOLS = ["java", "javac", "jar", "javadoc", "javap", "jshell", "jlink", "jmod", "jdeps"];

/** Paths in `-cp`, `-classpath` and `--module-path`, which separate with colons. */
function classPath(args: readonly string[], cwd: string): string[] {
  const at = args.findIndex((arg) => /^(-cp|-classpath|--class-path|-p|--module-path)$/.test(arg));
  if (at === -1) return [];
  const entries = (args[at + 1] ?? "").split(":").filter((entry) => entry !== "");
  return entries.map((entry) => resolve(cwd, entry.replace(/\/\*$/, "")));
}

/** bin/java lies in the directory that holds everything. */
async function collectJava(context: RecipeContext): Promise<void> {
  const { interpreter, args, cwd } = context;
  const home = dirname(dirname(realpathSync(interpreter)));
  const parts = ["lib", "conf", "jre"].map((name) => `${home}/${name}`).filter(isDirectory);
  // Sources, link-time modules and signatures of older versions serve only to build software.
  const isRuntime = basename(realpathSync(interpreter)) === "java";
  const unneeded = isRuntime ? ["src.zip", "ct.sym", "jmods"] : ["src.zip"];
  await addRuntimeTrees(context, [...parts, ...classPath(args, cwd)], {
    skip: { name: isRuntime ? "java" : "javac", leavesOut: (name) => unneeded.includes(name) },
  });
}

export const java: Recipe = {
  name: "Java",
  recognises: (fileName) => TOOLS.includes(fileName),
  collect: collectJava,
};
