/**
 * What a runtime recipe is: it knows which files an interpreter needs beside its libraries.
 *
 * Neighbours: one file for each runtime; `index.ts` lists them; `../collect.ts` picks and runs them.
 */
import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AddTreeOptions, GuestFiles } from "../guest-files.ts";
import type { LibraryClosure } from "../libraries.ts";

/** What a recipe works with. */
export interface RecipeContext {
  readonly files: GuestFiles;
  readonly libraries: LibraryClosure;
  /** The interpreter as it is executed; symbolic links not resolved. */
  readonly interpreter: string;
  /** What the interpreter gets: its own options, script, the script's arguments. */
  readonly args: readonly string[];
  /** The guest's environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** A runtime and how to take it along. */
export interface Recipe {
  /** Name of the runtime, for messages. */
  readonly name: string;
  /** Whether a program with this file name (symbolic links resolved) is the runtime. */
  recognises(fileName: string): boolean;
  /** Whether the runtime is started by a shell script of its own, which bears its name. */
  readonly startsByScript?: boolean;
  /** Adds what the runtime needs. Throws a UserError if that cannot be found out. */
  collect(context: RecipeContext): Promise<void>;
}

/** Whether a file may be a module that the runtime loads with dlopen(3). */
export function isModuleName(path: string): boolean {
  return /\.(so(\.[\d.]+)?|node)$/.test(path);
}

/**
 * Adds directories of a runtime: symbolic links that lead out of them are followed, and the
 * libraries that native modules in them need come along. A module whose libraries the host lacks
 * cannot be loaded there either, so nothing is said about it.
 */
export async function addRuntimeTrees(
  context: RecipeContext,
  paths: readonly string[],
  options: AddTreeOptions = {},
): Promise<void> {
  const { files, libraries } = context;
  const modules: string[] = [];
  for (const path of paths) {
    await files.addTree(path, {
      followLinks: true,
      ...options,
      onFile: (file) => {
        options.onFile?.(file);
        if (isModuleName(file)) modules.push(file);
      },
    });
  }
  for (const module of modules) libraries.addObject(module);
}

/**
 * As `addRuntimeTrees`, for installations of several programs that start each other: the libraries
 * of every executable come along too.
 */
export async function addProgramTrees(
  context: RecipeContext,
  paths: readonly string[],
  options: AddTreeOptions = {},
): Promise<void> {
  const programs: string[] = [];
  const onFile = (path: string): void => {
    if (isExecutable(path)) programs.push(path);
  };
  await addRuntimeTrees(context, paths, { ...options, onFile });
  for (const program of programs) context.libraries.addObject(program);
}

/** Whether this process could execute a file. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The sum of the file sizes below a directory, in bytes; stops counting beyond `limitBytes`. */
export function treeSizeBytes(path: string, limitBytes: number): number {
  let sum = 0;
  const pending = [path];
  for (let next = pending.pop(); next !== undefined && sum <= limitBytes; next = pending.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      const child = join(next, entry.name);
      if (entry.isDirectory()) pending.push(child);
      else if (entry.isFile()) sum += statSync(child, { throwIfNoEntry: false })?.size ?? 0;
    }
  }
  return sum;
}

/** Whether a path is an existing directory. */
export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Whether a path is an existing regular file. */
export function isRegularFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
