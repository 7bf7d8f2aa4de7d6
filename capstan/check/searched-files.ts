/**
 * Chooses the files of an image in which system calls are searched.
 *
 * What was collected on this machine is there because it is needed: all of it counts. An image or
 * packages bring a whole system along, most of which never runs. Of those count
 *
 *     the program, and programs that its arguments or its shell script name
 *     modules in directories that bear such a program's name  (/usr/lib/nginx/modules)
 *     the libraries and loaders of all these
 *
 * Neighbours: `examine.ts` is the user; `tree-objects.ts` reads the tree.
 */
import { basename, dirname, posix } from "node:path";
import type { FileNode, FsTree } from "../image/tree.ts";
import { ElfError } from "../package/elf-error.ts";
import type { ElfPlace } from "../package/elf-header.ts";
import { LibraryClosure, type MissingLibrary } from "../package/libraries.ts";
import type { Launch } from "../source/source.ts";
import { readNode } from "../source/tree-launch.ts";
import { fileInTree, isElfNode, placeOf, treeObjects } from "./tree-objects.ts";

/** Scripts that are larger are programs in a language of their own. */
const LARGEST_SCRIPT_BYTES = 256 * 1024;

const shells = /^(ba|da|a|k|z)?sh$|^busybox/;

/** What was chosen. */
export interface SearchedFiles {
  /** Places by path in the guest; the program comes first. */
  readonly places: ReadonlyMap<string, ElfPlace>;
  /** Libraries that the program is linked with. */
  readonly libraries: readonly string[];
  readonly missingLibraries: readonly MissingLibrary[];
  /** Libraries that other programs lack. */
  readonly warnings: readonly string[];
}

/** Chooses the files of a tree whose program is in it. */
export function searchedFiles(tree: FsTree, launch: Launch): SearchedFiles {
  const objects = treeObjects(tree);
  const program = objects.realPath(launch.executable);
  const elfFiles = new Map<string, FileNode>();
  for (const [path, node] of tree.walk()) {
    if (node.kind === "file" && isElfNode(node)) elfFiles.set(path, node);
  }
  const programs = new Set([program, ...namedPrograms(tree, launch)]);
  const collected = [...elfFiles].filter(([, { content }]) => content.from === "host");
  const modules = [...elfFiles.keys()].filter((path) => isModuleOf(path, programs));

  const chosen = new Set<string>();
  const warnings: string[] = [];
  const closureOf = (path: string): { closure?: LibraryClosure; missing: MissingLibrary[] } => {
    chosen.add(path);
    try {
      const elf = objects.readElf(path);
      const { LD_LIBRARY_PATH } = launch.env;
      const closure = new LibraryClosure(elf, LD_LIBRARY_PATH, launch.cwd, objects);
      const missing = closure.addProgram();
      for (const file of closure.files) chosen.add(objects.realPath(file));
      if (elf.interpreter !== undefined) chosen.add(objects.realPath(elf.interpreter));
      return { closure, missing };
    } catch (error) {
      // The search says why it could not read the file.
      if (error instanceof ElfError) return { missing: [] };
      throw error;
    }
  };
  const { closure, missing: missingLibraries } = closureOf(program);
  const libraries = [...(closure?.files ?? [])];
  for (const path of [...programs].slice(1)) {
    for (const { name, neededBy } of closureOf(path).missing) {
      warnings.push(`${neededBy} needs the library ${name}, which is not in the image`);
    }
  }
  // A module finds what the program has loaded already; what it lacks need never be missed.
  for (const path of modules) {
    chosen.add(path);
    closure?.addObject(path);
  }
  for (const file of closure?.files ?? []) chosen.add(objects.realPath(file));
  for (const [path] of collected) chosen.add(path);
  const places = new Map<string, ElfPlace>();
  for (const path of chosen) {
    const node = elfFiles.get(path);
    const place = node === undefined ? undefined : placeOf(node);
    if (place !== undefined) places.set(path, place);
  }
  return { places, libraries, missingLibraries, warnings };
}

/** A library in a directory with a name like a program's: python3.11, nginx, postgresql. */
function isModuleOf(path: string, programs: ReadonlySet<string>): boolean {
  if (!/\.(so|node)(\.|$)/.test(path)) return false;
  const directory = dirname(path);
  return [...programs].some((program) => {
    const name = basename(program).replace(/[\d.-].*$/, "");
    return name.length > 2 && directory.includes(name);
  });
}

/**
 * ELF programs that the arguments name, and the shell scripts among them, and the scripts in those.
 * A word of a script counts if a program in PATH is called so.
 */
function namedPrograms(tree: FsTree, { executable, args, cwd, env }: Launch): Set<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const isShell = shells.test(basename(executable));
  const pending = isShell ? args.flatMap(wordsOf) : [...args];
  for (let word = pending.pop(); word !== undefined; word = pending.pop()) {
    if (seen.has(word)) continue;
    seen.add(word);
    const candidates = word.includes("/")
      ? [word]
      : (env.PATH ?? "").split(":").map((directory) => posix.join(directory, word ?? ""));
    const file = candidates
      .map((path) => fileInTree(tree, posix.resolve(cwd, path)))
      .find((each) => each !== undefined);
    if (file === undefined) continue;
    const { path, node } = file;
    if (isElfNode(node)) {
      if ((node.attributes.mode & 0o111) !== 0) found.add(path);
      continue;
    }
    if (node.content.from !== "bytes" && node.content.sizeBytes > LARGEST_SCRIPT_BYTES) continue;
    const text = readNode(node).toString("latin1");
    const interpreter = /^#!\s*(?:\S*\/env\s+)?(\S+)/.exec(text)?.[1] ?? "";
    if (shells.test(basename(interpreter))) pending.push(...wordsOf(text));
  }
  return found;
}

/** The words of a shell script that may be commands; comments do not count. */
function wordsOf(text: string): string[] {
  return text
    .replace(/^\s*#.*$/gm, "")
    .split(/[^\w./+-]+/)
    .filter((word) => /\w/.test(word) && !word.startsWith("-"));
}
