/**
 * Which files and packages a piece of JavaScript loads, by a look at its text.
 *
 * Found are `require("x")`, `import ... from "x"`, `export ... from "x"`, `import "x"` and
 * `import("x")` with a literal name. Names made up at run time are not.
 *
 * Neighbours: `node.ts` is the user.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, resolve } from "node:path";

const LOADS = /\b(?:require|import)\s*\(\s*["'`]([^"'`\n]+)["'`]\s*[,)]/g;
const STATEMENTS = /\b(?:import|export)\b[^"'`;()]*?\bfrom\s*["']([^"'\n]+)["']/g;
const BARE_IMPORTS = /\bimport\s*["']([^"'\n]+)["']/g;

/** The names that a text loads: relative or absolute paths, package names, built-in modules. */
export function specifiersInText(text: string): Set<string> {
  const names = new Set<string>();
  for (const pattern of [LOADS, STATEMENTS, BARE_IMPORTS]) {
    for (const [, name] of text.matchAll(pattern)) if (name !== undefined) names.add(name);
  }
  return names;
}

/** Whether a name belongs to Node itself. */
export function isBuiltIn(specifier: string): boolean {
  return specifier.startsWith("node:") || builtinModules.includes(specifier);
}

/** The package's name in a bare specifier: `a/b` gives `a`, `@a/b/c` gives `@a/b`. */
export function packageOf(specifier: string): string {
  return /^(@[^/]+\/[^/]+|[^/]+)/.exec(specifier)?.[0] ?? specifier;
}

/** The file that a relative or absolute specifier means, with Node's and TypeScript's endings. */
export function resolveFile(specifier: string, from: string): string | undefined {
  const base = resolve(dirname(from), specifier.replace(/^file:\/\//, ""));
  const endings = ["", ".js", ".json", ".node", ".mjs", ".cjs", ".ts", "/index.js", "/index.mjs"];
  return endings
    .map((ending) => base + ending)
    .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}

/** Directories `node_modules` from a directory upwards that have the package. */
export function findPackage(name: string, fromDirectory: string): string | undefined {
  for (let at = fromDirectory; ; at = dirname(at)) {
    const path = join(at, "node_modules", name);
    if (existsSync(path)) return path;
    if (at === dirname(at)) return undefined;
  }
}

/** Names of the packages that a package may load, from its package.json; none if there is none. */
export function dependenciesOf(packageDirectory: string): string[] {
  try {
    const text = readFileSync(join(packageDirectory, "package.json"), "utf8");
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null) return [];
    const fields = ["dependencies", "optionalDependencies", "peerDependencies"];
    return Object.entries(parsed)
      .filter(([key]) => fields.includes(key))
      .flatMap(([, value]) =>
        typeof value === "object" && value !== null ? Object.keys(value) : [],
      );
  } catch {
    return [];
  }
}
