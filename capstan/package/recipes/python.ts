/**
 * Python: standard library, installed packages, modules beside the script, virtual environments.
 *
 * The interpreter itself is asked where its files are: it knows about virtual environments, pyenv,
 * Debian's dist-packages and PYTHONPATH. Taken along are
 *   - the standard library, without its tests (unless they are imported), IDLE and what only serves to build extensions;
 *   - from site-packages and other directories on the search path, what the program imports; all of
 *     it for a program that comes from standard input or is typed, up to 200 MiB;
 *   - modules and packages beside the script (or in the current directory) that it imports.
 * Modules whose name is made up at run time are not found: `--add` takes them along.
 *
 * Neighbours: `python-imports.ts`, `python-site.ts`; `recipe.ts` is the interface.
 */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../../errors.ts";
import { ask } from "../ask.ts";
import { timeZones } from "../companions.ts";
import type { Skip } from "../tree-limits.ts";
import { importsInText, type PythonStart, pythonStart } from "./python-imports.ts";
import { SiteSelection } from "./python-site.ts";
import {
  addRuntimeTrees,
  isDirectory,
  isRegularFile,
  type Recipe,
  type RecipeContext,
  treeSizeBytes,
} from "./recipe.ts";

/** What an unknown program may get of all installed packages together. */
const MAX_SITE_BYTES = 200 * 1024 ** 2;

/** Works with Python 2.6 and later; one `name=value` a line. */
const QUESTION = `
import os, sys
for name in ("prefix", "base_prefix", "exec_prefix", "executable", "_base_executable"):
    print("%s=%s" % (name, getattr(sys, name, "") or ""))
print("stdlib=%s" % os.path.dirname(os.__file__))
for path in sys.path:
    print("path=%s" % path)
`;

/** Optimised byte code (-O, -OO) doubles the size of a library and is seldom used. */
const OPTIMISED = /\.opt-[12]\.pyc$/;
/** In the standard library: tests, the editor IDLE, demos, and what links the interpreter. */
const UNUSED = /^(test|tests|idlelib|idle_test|turtledemo|ensurepip|site-packages|dist-packages)$/;

const stdlibSkip: Skip = {
  name: "python-stdlib",
  leavesOut: (name, _path, isDirectoryEntry) =>
    isDirectoryEntry ? UNUSED.test(name) || /^config(-|$)/.test(name) : OPTIMISED.test(name),
};

const packageSkip: Skip = {
  name: "python-package",
  leavesOut: (name, _path, isDirectoryEntry) => !isDirectoryEntry && OPTIMISED.test(name),
};

interface Answers {
  readonly stdlib: string;
  readonly searchPath: readonly string[];
  readonly otherFiles: readonly string[];
}

async function askInterpreter(context: RecipeContext): Promise<Answers> {
  const { interpreter, env, cwd } = context;
  // -B: leave no byte code behind on the host.
  const answer = await ask(interpreter, ["-B", "-c", QUESTION], { env, cwd });
  if ("failure" in answer) {
    throw new UserError({
      code: "RuntimeUnclear",
      what: `cannot find the library of ${interpreter}`,
      why: `asking the interpreter for it failed: ${answer.failure}`,
      fix: `check that ${interpreter} -c 'import sys' works on this machine`,
    });
  }
  const values = new Map<string, string[]>();
  for (const line of answer.text.split("\n")) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined || value === "") continue;
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  const first = (name: string): string => values.get(name)?.[0] ?? "";
  const beside = dirname(interpreter);
  return {
    stdlib: first("stdlib"),
    searchPath: values.get("path") ?? [],
    otherFiles: [
      first("executable"),
      first("_base_executable"),
      // A virtual environment is recognised by this file.
      join(beside, "pyvenv.cfg"),
      join(dirname(beside), "pyvenv.cfg"),
    ],
  };
}

/** The directory that Python puts first on its search path, and what starts the program imports. */
function localStart(
  start: PythonStart,
  cwd: string,
): { directory: string; names: ReadonlySet<string> } {
  switch (start.kind) {
    case "script": {
      const path = resolve(cwd, start.path);
      if (isDirectory(path)) return { directory: path, names: new Set(["__main__"]) };
      const text = isRegularFile(path) ? readFileSync(path, "utf8") : "";
      return { directory: dirname(path), names: importsInText(text) };
    }
    case "module":
      return { directory: cwd, names: new Set([start.name.replace(/\..*/, "")]) };
    case "code":
      return { directory: cwd, names: importsInText(start.text) };
    case "unknown":
      return { directory: cwd, names: new Set() };
  }
}

/** Adds all packages if they are few enough, and says so if not. */
async function addEverything(
  context: RecipeContext,
  directories: readonly string[],
): Promise<void> {
  let left = MAX_SITE_BYTES;
  for (const directory of directories) left -= treeSizeBytes(directory, left);
  if (left < 0) {
    context.files.warnings.push(
      "installed Python packages are left out, because they have more than 200 MiB and what the " +
        "program will import is not known; use --add for those that it needs",
    );
    return;
  }
  await addRuntimeTrees(context, directories, { skip: packageSkip });
}

async function collect(context: RecipeContext): Promise<void> {
  const { files, args, cwd } = context;
  const { stdlib, searchPath, otherFiles } = await askInterpreter(context);
  files.addAll(otherFiles.filter((path) => path !== ""));
  const start = pythonStart(args);
  const local = localStart(start, cwd);
  const wantsTests = local.names.has("test");
  await addRuntimeTrees(context, [stdlib], { skip: wantsTests ? packageSkip : stdlibSkip });

  const others: string[] = [];
  for (const path of searchPath) {
    if (path === stdlib) continue;
    if (path.startsWith(`${stdlib}/`) && !/-packages(\/|$)/.test(path)) continue;
    if (isRegularFile(path)) files.add(path);
    else if (isDirectory(path)) others.push(path);
  }
  if (start.kind === "unknown") {
    await addEverything(context, others);
  } else {
    const directories = isDirectory(local.directory) ? [local.directory, ...others] : others;
    const selection = new SiteSelection([...new Set(directories)], () => files.pause());
    await selection.addPathFiles();
    await selection.add(["sitecustomize", "usercustomize", ...local.names]);
    await addRuntimeTrees(context, [...selection.chosen], { skip: packageSkip });
    if (selection.importedNames.has("zoneinfo")) {
      await files.addTree(timeZones, { followLinks: true });
    }
  }
  for (const path of others) files.add(path);
  // Python changes the locale C to C.UTF-8 by itself (PEP 538).
  await files.addTree("/usr/lib/locale/C.utf8");
  files.add("/etc/mime.types");
}

/** CPython 2 and 3, and PyPy. */
export const python: Recipe = {
  name: "Python",
  recognises: (fileName) => /^(python|pypy)[0-9.]*[a-z]*$/.test(fileName),
  collect,
};
