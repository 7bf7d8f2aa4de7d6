/**
 * Node.js: the program is nearly all in one file; scripts bring modules and packages.
 *
 * From the script (or the text of -e) on, files that are loaded by relative paths are taken along
 * one by one, packages as a whole with the packages that their package.json names.
 *
 * Neighbours: `node-imports.ts` finds what a file loads; `recipe.ts` is the interface.
 */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { certificatePaths } from "../companions.ts";
import {
  dependenciesOf,
  findPackage,
  isBuiltIn,
  packageOf,
  resolveFile,
  specifiersInText,
} from "./node-imports.ts";
import { addRuntimeTrees, isRegularFile, type Recipe, type RecipeContext } from "./recipe.ts";

/** Debian builds Node with parts of it as files here. */
const DEBIAN_PARTS = ["acorn", "acorn-walk", "cjs-module-lexer", "undici", "corepack"].map(
  (name) => `/usr/share/nodejs/${name}`,
);

/** Options whose value is the next argument, node(1). */
const WITH_VALUE = new Set([
  "-C",
  "--conditions",
  "--env-file",
  "--title",
  "--stack-trace-limit",
  "--input-type",
]);
const LOADS_MODULE = new Set(["-r", "--require", "--import", "--loader", "--experimental-loader"]);
const HAS_CODE = new Set(["-e", "--eval", "-p", "--print", "-pe"]);

/** What Node is told to run. */
export interface NodeStart {
  /** Script, or undefined for code and for standard input. */
  readonly script: string | undefined;
  readonly code: string;
  /** Modules to load before. */
  readonly preloads: readonly string[];
}

/** Understands Node's command line. */
export function nodeStart(args: readonly string[]): NodeStart {
  const preloads: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    const [option = "", ...rest] = arg.split("=");
    const value = rest.length > 0 ? rest.join("=") : (args[index + 1] ?? "");
    if (!arg.startsWith("-") || arg === "-") {
      return { script: arg === "-" ? undefined : arg, code: "", preloads };
    }
    if (arg === "--") return { script: args[index + 1], code: "", preloads };
    if (HAS_CODE.has(option)) return { script: undefined, code: value, preloads };
    if (LOADS_MODULE.has(option)) preloads.push(value);
    if ((LOADS_MODULE.has(option) || WITH_VALUE.has(option)) && rest.length === 0) index += 1;
  }
  return { script: undefined, code: "", preloads };
}

/** Walks over files and packages, starting with what is loaded from one place. */
class ModuleWalk {
  readonly #context: RecipeContext;
  readonly #files = new Set<string>();
  readonly #packages = new Set<string>();

  constructor(context: RecipeContext) {
    this.#context = context;
  }

  /** Takes a source file along with all that it loads. */
  async addFile(path: string): Promise<void> {
    const pending = [path];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (this.#files.has(next)) continue;
      this.#files.add(next);
      this.#context.files.add(next);
      this.#addPackageFiles(dirname(realpathSync(next)));
      if (/\.node$/.test(next)) this.#context.libraries.addObject(next);
      if (!/\.([cm]?[jt]sx?)$|\/[^./]+$/.test(next)) continue;
      pending.push(...(await this.addText(readFileSync(next, "utf8"), realpathSync(next))));
      await this.#context.files.pause();
    }
  }

  /** Takes along the packages that a text loads; returns the files. */
  async addText(text: string, from: string): Promise<string[]> {
    const found: string[] = [];
    for (const specifier of specifiersInText(text)) {
      if (isBuiltIn(specifier)) continue;
      if (/^(\.{1,2}(\/|$)|\/|file:)/.test(specifier)) {
        const path = resolveFile(specifier, from);
        if (path !== undefined) found.push(path);
      } else {
        await this.addPackage(packageOf(specifier), dirname(from));
      }
    }
    return found;
  }

  /** Takes a package along with all packages that it depends on. */
  async addPackage(name: string, fromDirectory: string): Promise<void> {
    const pending = [[name, fromDirectory] as const];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const path = findPackage(next[0], next[1]);
      if (path === undefined || this.#packages.has(path)) continue;
      this.#packages.add(path);
      await addRuntimeTrees(this.#context, [path]);
      const real = realpathSync(path);
      for (const dependency of dependenciesOf(real)) pending.push([dependency, real]);
    }
  }

  /** package.json decides whether a .js file is a module; the nearest one counts. */
  #addPackageFiles(directory: string): void {
    for (let at = directory; ; at = dirname(at)) {
      const path = join(at, "package.json");
      if (existsSync(path)) {
        this.#context.files.add(path);
        return;
      }
      if (at === dirname(at)) return;
    }
  }
}

async function collect(context: RecipeContext): Promise<void> {
  const { args, cwd, files } = context;
  await addRuntimeTrees(
    context,
    DEBIAN_PARTS.filter((path) => existsSync(path)),
  );
  files.addAll(certificatePaths);
  const start = nodeStart(args);
  const walk = new ModuleWalk(context);
  for (const preload of start.preloads) {
    for (const path of await walk.addText(`require("${preload}")`, join(cwd, "[eval]"))) {
      await walk.addFile(path);
    }
  }
  for (const path of await walk.addText(start.code, join(cwd, "[eval]"))) await walk.addFile(path);
  if (start.script === undefined) return;
  const script = resolveFile(resolve(cwd, start.script), join(cwd, "[script]"));
  if (script !== undefined && isRegularFile(script)) await walk.addFile(script);
}

/** Node.js. */
export const node: Recipe = {
  name: "Node.js",
  recognises: (fileName) => /^node(js)?[0-9]*$/.test(fileName),
  collect,
};
