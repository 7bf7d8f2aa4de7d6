/**
 * GCC: the programs behind `gcc` (compiler proper, assembler, linker), its own libraries, and the
 * headers and libraries of the C library. Headers and libraries of other packages are for `--add`.
 *
 * Neighbours: `recipe.ts` is the interface.
 */
import { realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { UserError } from "../../errors.ts";
import { ask } from "../ask.ts";
import type { Skip } from "../tree-limits.ts";
import {
  addProgramTrees,
  isDirectory,
  isExecutable,
  type Recipe,
  type RecipeContext,
} from "./recipe.ts";

const HEADERS = "/usr/include";

/** Programs of binutils that gcc and makefiles start. */
const TOOLS = ["as", "ld", "ar", "nm", "ranlib", "strip", "objcopy"];

/** Directories of headers that the C library and the kernel's headers for it have. */
const C_HEADERS =
  /^(arpa|asm|asm-generic|bits|gnu|linux|misc|net|netinet|netpacket|protocols|rpc|scsi|sys|.*-linux-gnu)$/;

/** Start-up objects, archives and linker scripts of the C library. */
const C_LIBRARY =
  /^(\w*crt\w\.o|crt\w+\.o|lib(c|c_nonshared|g|m|m-[\d.]+|mvec|pthread|dl|rt|util|resolv)\.(a|so))$/;

/** Sanitizers, plugins' headers, and for C the compiler of C++. */
function unneeded(isForCpp: boolean): Skip {
  const names = /^(plugin|lib\w*san\.(a|so)|g\+\+-mapper-server)$/;
  const cpp = /^(cc1plus|libstdc\+\+.*|libsupc\+\+.*)$/;
  return {
    name: isForCpp ? "gcc-c++" : "gcc-c",
    leavesOut: (name) => names.test(name) || (!isForCpp && cpp.test(name)),
  };
}

/** Only what a directory has of the C library, and all below that. */
function only(name: string, directory: string, allowed: (entry: string) => boolean): Skip {
  return {
    name,
    leavesOut: (entry, path, isDirectoryEntry) =>
      dirname(path) === directory && (isDirectoryEntry || name === "gcc-libc") && !allowed(entry),
  };
}

/** The file that gcc means by a name: a library's or object's, or a program of its own. */
async function fileOf(context: RecipeContext, option: string): Promise<string> {
  const { interpreter, env, cwd } = context;
  const answer = await ask(interpreter, [option], { env, cwd });
  const path = "failure" in answer ? "" : answer.text.trim();
  if (isAbsolute(path)) return realpathSync(path);
  throw new UserError({
    code: "RuntimeUnclear",
    what: `cannot find the files of ${interpreter}`,
    why: `${interpreter} ${option} said ${"failure" in answer ? answer.failure : `"${path}"`}`,
    fix: "install the compiler as a whole, with the C library's headers (Debian: gcc libc6-dev)",
  });
}

async function collect(context: RecipeContext): Promise<void> {
  const { files, libraries, interpreter, env } = context;
  const isForCpp = basename(interpreter).includes("++");
  const own = dirname(await fileOf(context, "-print-libgcc-file-name"));
  await addProgramTrees(context, [own], { skip: unneeded(isForCpp) });
  const system = dirname(await fileOf(context, "-print-file-name=crt1.o"));
  const library = only("gcc-libc", system, (entry) => C_LIBRARY.test(entry));
  await addProgramTrees(context, [system], { skip: library });
  const isHeader = (entry: string): boolean =>
    C_HEADERS.test(entry) || (isForCpp && entry === "c++");
  const headers = only(isForCpp ? "headers-c++" : "headers-c", HEADERS, isHeader);
  await addProgramTrees(context, [HEADERS].filter(isDirectory), { skip: headers });
  for (const place of (env.PATH ?? "").split(":")) {
    for (const tool of TOOLS.map((name) => join(place, name)).filter(isExecutable)) {
      files.add(tool);
      libraries.addObject(tool);
    }
  }
}

/** The GNU compilers of C and C++. */
export const gcc: Recipe = {
  name: "GCC",
  recognises: (fileName) => /^(.*-linux-gnu-)?(gcc|g\+\+|cc|c\+\+)(-\d+)?$/.test(fileName),
  collect,
};
