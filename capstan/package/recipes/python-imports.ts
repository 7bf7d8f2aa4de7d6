/**
 * Which modules a piece of Python imports, by a look at its text.
 *
 * This is not a parser: it finds import statements at the start of lines, wherever they stand, and
 * imports by name with a literal string. Too many names do no harm, they only take space.
 *
 * Neighbours: `python-site.ts` and `python.ts` add the modules.
 */
import { readFileSync } from "node:fs";

const STATEMENT =
  /^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w.]+(?:[ \t]+as[ \t]+\w+)?(?:[ \t]*,[ \t]*[\w.]+(?:[ \t]+as[ \t]+\w+)?)*))/gm;
/** The same without indentation, or directly behind a `try:` without indentation. */
const AT_LOAD =
  /^(?:try:[ \t]*(?:#.*)?\n[ \t]+)?(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w.]+(?:[ \t]+as[ \t]+\w+)?(?:[ \t]*,[ \t]*[\w.]+(?:[ \t]+as[ \t]+\w+)?)*))/gm;
const BY_NAME = /\b(?:__import__|import_module)\(\s*["']([\w.]+)["']/g;

function topLevel(name: string): string {
  return name.replace(/\..*/, "");
}

function addStatements(names: Set<string>, text: string, pattern: RegExp): void {
  for (const [, from, list] of text.matchAll(pattern)) {
    for (const item of (from ?? list ?? "").split(",")) {
      const name = topLevel(item.trim().replace(/[ \t].*/, ""));
      if (name !== "") names.add(name);
    }
  }
}

/** The top-level names of the modules that a text imports; relative imports are not among them. */
export function importsInText(text: string): Set<string> {
  const names = new Set<string>();
  // Statements that share a line, as in `python -c "import a; import b"`.
  const lines = text.replace(/;/g, "\n");
  addStatements(names, lines, STATEMENT);
  for (const [, name] of lines.matchAll(BY_NAME)) names.add(topLevel(name ?? ""));
  return names;
}

/**
 * What a file of a package imports when it is loaded; nothing for a file that cannot be read.
 * Imports within functions are left out: there they are nearly always of optional packages, and
 * packages import each other that way until everything that is installed has been reached.
 */
export function importsAtLoad(path: string): Set<string> {
  const names = new Set<string>();
  try {
    addStatements(names, readFileSync(path, "utf8"), AT_LOAD);
  } catch {
    // It cannot be imported either.
  }
  return names;
}

/** What the interpreter is told to run, as far as imports are concerned. */
export type PythonStart =
  | { readonly kind: "script"; readonly path: string }
  | { readonly kind: "module"; readonly name: string }
  | { readonly kind: "code"; readonly text: string }
  /** Standard input or the interactive prompt: anything may be imported. */
  | { readonly kind: "unknown" };

/** Options of python(1) that take the next argument as their value. */
const WITH_VALUE = new Set(["-W", "-X", "--check-hash-based-pycs"]);

/** Understands the interpreter's command line. */
export function pythonStart(args: readonly string[]): PythonStart {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (WITH_VALUE.has(arg)) {
      index += 1;
      continue;
    }
    if (!arg.startsWith("-") || arg === "-") {
      return arg === "-" ? { kind: "unknown" } : { kind: "script", path: arg };
    }
    if (arg.startsWith("--")) continue;
    // -c and -m end the options; they may stand at the end of a group such as -Bc, and their value
    // may follow directly.
    const group = /^-[bBdEhiIOPqsSuvVx?]*([cm])(.*)$/s.exec(arg);
    if (group === null) continue;
    const value = group[2] !== undefined && group[2] !== "" ? group[2] : (args[index + 1] ?? "");
    return group[1] === "c" ? { kind: "code", text: value } : { kind: "module", name: value };
  }
  return { kind: "unknown" };
}
