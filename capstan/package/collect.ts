/**
 * Collects everything that a program of the host needs into an image tree.
 *
 *     what was typed
 *       -> program.ts    the file in PATH, its #! line, the interpreter behind a stand-in
 *       -> elf.ts, libraries.ts   loader and shared libraries
 *       -> recipes/      the runtime's own files
 *       -> arguments.ts  files named by arguments and by --add
 *       -> literals.ts   files named in code
 *       -> companions.ts data that libraries open
 *       -> baseline.ts   what every guest has
 *
 * Nothing is written here; `image/build.ts` makes an image from the result.
 *
 * Neighbours: `types.ts` has the types of request and result.
 */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../errors.ts";
import { contentSizeBytes, neutralAttributes } from "../image/tree.ts";
import { addAddition, addArguments, parseAddition } from "./arguments.ts";
import { addBaseline } from "./baseline.ts";
import { addCompanions, certificatePaths, timeZones } from "./companions.ts";
import { type ElfFile, hasElfMagic, readElf } from "./elf.ts";
import { ElfError } from "./elf-error.ts";
import { GuestFiles, isKernelPath } from "./guest-files.ts";
import { type Launch, planLaunch } from "./launch.ts";
import { encodeLdCache, parseLdCache } from "./ld-cache.ts";
import { LibraryClosure, missingLibrariesError } from "./libraries.ts";
import { addLiterals, commandsInText, isShell, scriptText } from "./literals.ts";
import { recipeFor, recogniseRuntime } from "./recipes/index.ts";
import { isExecutable, isModuleName, type Recipe, type RecipeContext } from "./recipes/recipe.ts";
import {
  type CollectedProgram,
  DEFAULT_CONTENT_LIMIT_BYTES,
  type ProgramRequest,
  type ProjectTree,
} from "./types.ts";

const LD_CACHE = "/etc/ld.so.cache";
/** What system(3), popen(3) and the like of every runtime start. */
const SYSTEM_SHELL = "/bin/sh";

/** Adds an interpreter or program with its loader and libraries. */
function addProgram(
  files: GuestFiles,
  path: string,
  elf: ElfFile,
  request: ProgramRequest,
): LibraryClosure {
  files.add(path);
  const libraries = new LibraryClosure(elf, request.env.LD_LIBRARY_PATH, request.cwd);
  if (elf.interpreter !== undefined) {
    if (files.add(elf.interpreter) === undefined) {
      throw new UserError({
        code: "LoaderMissing",
        what: `cannot run ${path}`,
        why: `its loader ${elf.interpreter} is not on this machine`,
        fix: elf.interpreter.includes("musl")
          ? "install the package musl"
          : "install the C library that the program was built for",
        exitStatus: 127,
      });
    }
    files.add("/etc/ld-musl-x86_64.path");
  }
  const missing = libraries.addProgram();
  if (missing.length > 0) throw missingLibrariesError(path, missing);
  // A list separated by spaces or colons, ld.so(8). The loader only warns about missing ones.
  for (const preload of (request.env.LD_PRELOAD ?? "").split(/[ :]+/)) {
    if (preload !== "") libraries.addByName(preload);
  }
  return libraries;
}

/** Whether a file that the user named may be a program or a library. */
function mayBeObject(path: string): boolean {
  try {
    return (isModuleName(path) || isExecutable(path)) && hasElfMagic(path);
  } catch {
    // Unreadable files are reported when the image is written.
    return false;
  }
}

/** A program that another one starts needs its loader, which a static program does not bring. */
function addLoader(files: GuestFiles, path: string): void {
  try {
    const { interpreter } = readElf(path);
    if (interpreter !== undefined) files.add(interpreter);
  } catch (error) {
    // For another machine: of no use here nor there.
    if (!(error instanceof ElfError)) throw error;
  }
}

/** Programs and libraries among the files that the user named bring the libraries they need. */
function addNamedObjects(
  files: GuestFiles,
  libraries: LibraryClosure,
  paths: readonly string[],
): void {
  const objects = paths.filter(mayBeObject);
  const missing = objects.flatMap((path) => libraries.addObject(path));
  for (const path of objects) addLoader(files, path);
  for (const { name, neededBy } of missing) {
    files.warnings.push(`${neededBy} needs the library ${name}, which this machine lacks`);
  }
}

/** Adds directories of the user's; returns the host paths of the files in them. */
async function addProjects(files: GuestFiles, projects: readonly ProjectTree[]): Promise<string[]> {
  const found: string[] = [];
  for (const { path, guest, skip } of projects) {
    const options = {
      followLinks: true,
      onFile: (file: string): void => {
        found.push(file);
      },
      ...(skip === undefined ? {} : { skip }),
    };
    if (guest === undefined) await files.addTree(path, options);
    else await files.copyTo(path, guest, options);
  }
  return found;
}

/**
 * Files that code names: arguments that are code, and the script that an interpreter runs.
 * @returns the programs among them that shell code runs
 */
function addNamedInCode(
  files: GuestFiles,
  launch: Launch,
  hasRecipe: boolean,
  { cwd, env }: ProgramRequest,
): string[] {
  const commands: string[] = [];
  const runsCommands = isShell(launch.executable);
  if (!hasRecipe && !runsCommands) return commands;
  const addFrom = (text: string): void => {
    addLiterals(files, text, cwd);
    if (!runsCommands) return;
    const isProgram = (path: string): boolean => isFile(path) && mayBeObject(path);
    for (const path of commandsInText(text, env.PATH ?? "", isProgram)) {
      files.addReadable(path);
      commands.push(path);
    }
  };
  const isFile = (path: string): boolean => {
    try {
      return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
    } catch {
      return false; // code may be longer than any name
    }
  };
  for (const arg of launch.args) {
    if (/[\s"'(]/.test(arg)) addFrom(arg);
  }
  const script = launch.args.find((arg) => !arg.startsWith("-") && isFile(resolve(cwd, arg)));
  if (script !== undefined) addFrom(scriptText(resolve(cwd, script)));
  return commands;
}

/** Programs that another one starts bring the files of their runtimes as well. */
async function addRuntimesOf(
  programs: readonly string[],
  context: Omit<RecipeContext, "interpreter" | "args">,
  known: Recipe | undefined,
): Promise<void> {
  for (const interpreter of new Set(programs)) {
    const recipe = recipeFor(interpreter);
    if (recipe === undefined || recipe === known) continue;
    await recipe.collect({ ...context, interpreter, args: [] });
  }
}

/** A loader cache with only the libraries that the image has. */
function addLoaderCache(files: GuestFiles): void {
  if (files.resolve(LD_CACHE) !== undefined || files.resolve("/lib64") === undefined) return;
  let bytes: Buffer;
  try {
    bytes = readFileSync(LD_CACHE);
  } catch {
    return;
  }
  const present = parseLdCache(bytes).filter(
    (entry) => entry.hardware === 0n && files.resolve(entry.path)?.kind === "file",
  );
  const content = { from: "bytes", bytes: encodeLdCache(present) } as const;
  files.addMissing(LD_CACHE, { kind: "file", attributes: neutralAttributes(0o644), content });
}

function checkContentSize(files: GuestFiles, limitBytes: number): void {
  let sum = 0;
  files.tree.forEachNode((node) => {
    if (node.kind === "file") sum += contentSizeBytes(node.content);
  });
  if (sum <= limitBytes) return;
  let largest = { path: "", sizeBytes: 0 };
  for (const [path, node] of files.tree.walk()) {
    const sizeBytes = node.kind === "file" ? contentSizeBytes(node.content) : 0;
    if (sizeBytes > largest.sizeBytes) largest = { path, sizeBytes };
  }
  throw new UserError({
    code: "ImageTooLarge",
    what: "cannot build the image",
    why: `the files have ${sum} bytes, the limit is ${limitBytes}; the largest is ${largest.path} with ${largest.sizeBytes}`,
    fix: "add fewer or smaller files",
  });
}

/** The directory in which the guest starts: the current one, unless the guest has its own there. */
function addWorkingDirectory(files: GuestFiles, cwd: string): string {
  if (isKernelPath(cwd)) {
    files.warnings.push(`the program starts in /, because ${cwd} belongs to the host's kernel`);
    return "/";
  }
  return files.add(cwd)?.node.kind === "directory" ? cwd : "/";
}

/**
 * Collects a program with everything it needs.
 *
 * Throws a UserError for a missing program, a directory, a text file without `#!`, a program for
 * another machine, a truncated one, missing permission, missing libraries, and too many files.
 */
export async function collectProgram(request: ProgramRequest): Promise<CollectedProgram> {
  const { args, cwd, env } = request;
  const launch = await planLaunch(request);
  const files = new GuestFiles(request.signal);
  files.addAll(launch.scripts);
  const libraries = addProgram(files, launch.executable, launch.elf, request);
  const runtime = recogniseRuntime(launch.executable, launch.scripts);
  const context = { files, libraries, env, cwd };
  await runtime?.recipe.collect({
    ...context,
    interpreter: runtime.interpreter,
    args: launch.args,
  });

  const projects = await addProjects(files, request.projects ?? []);
  const named = await addArguments(files, args, cwd);
  const startsCommands = runtime !== undefined || isShell(launch.executable);
  if (startsCommands && files.add(SYSTEM_SHELL) !== undefined) named.push(SYSTEM_SHELL);
  const commands = addNamedInCode(files, launch, runtime !== undefined, request);
  named.push(...projects, ...commands);
  const additions = request.add.map((text) => parseAddition(text, cwd));
  // Those with a place of their own come last: they may replace what lies there.
  additions.sort((a, b) => Number(a.guestPath !== undefined) - Number(b.guestPath !== undefined));
  for (const addition of additions) {
    await addAddition(files, addition, (path) => named.push(path));
  }
  const added = additions.map(({ hostPath }) => hostPath);
  await addRuntimesOf([...commands, ...added.filter(isExecutable)], context, runtime?.recipe);
  addNamedObjects(files, libraries, named);

  await addCompanions(files, libraries, env);
  // Go programs speak TLS and know time zones without any library.
  if (launch.elf.noteOwners.has("Go")) {
    files.addAll(certificatePaths);
    await files.addTree(timeZones, { followLinks: true });
  }
  files.addAll(libraries.files);
  const guestCwd = addWorkingDirectory(files, cwd);
  addLoaderCache(files);
  addBaseline(files);
  checkContentSize(files, request.contentLimitBytes ?? DEFAULT_CONTENT_LIMIT_BYTES);
  return {
    tree: files.tree,
    executable: launch.executable,
    argv0: launch.argv0,
    args: launch.args,
    cwd: guestCwd,
    env: {},
    warnings: files.warnings,
  };
}
