/**
 * Decides what is executed in a tree that does not come from this machine: an image, packages. The
 * rules are those of execvp(3) and execve(2), applied to the tree: a name is looked for in PATH, a
 * script is replaced by its interpreter, and what remains is an ELF program.
 *
 * Neighbours: `../package/launch.ts` does the same for programs of the host.
 */
import { posix } from "node:path";
import { UserError } from "../errors.ts";
import { openContent } from "../image/erofs/content.ts";
import type { FileNode, FsNode, FsTree } from "../image/tree.ts";
import { contentSizeBytes } from "../image/tree.ts";
import { parseShebang } from "../package/program.ts";
import { resolveInTree } from "../package/tree-path.ts";

/** Linux follows four interpreters that are scripts themselves. */
const MAX_SCRIPTS = 5;

/** Enough for a `#!` line, and for the part of an ELF header that says for which machine it is. */
const START_BYTES = 256;

/** e_machine, at byte 18 of every ELF header: elf(5). */
const MACHINE_OFFSET = 18;
const EM_X86_64 = 62;

/** What the guest executes. */
export interface TreeLaunch {
  readonly executable: string;
  readonly argv0: string;
  readonly args: readonly string[];
}

/** Where names are looked up. */
export interface TreeLaunchContext {
  /** Value of PATH. */
  readonly searchPath: string;
  readonly cwd: string;
  /** For messages: what the tree is. */
  readonly what: string;
}

/**
 * Follows a command to the ELF program that is executed for it.
 * @throws UserError with exit status 127 if something is missing, 126 if it cannot be executed
 */
export function launchInTree(
  tree: FsTree,
  argv: readonly string[],
  context: TreeLaunchContext,
): TreeLaunch {
  const [command = "", ...rest] = argv;
  let { path, node } = findInTree(tree, command, context);
  let argv0 = command;
  let args = rest;
  for (let scripts = 0; ; scripts += 1) {
    const start = startOfFile(node);
    if (start.toString("latin1", 0, 4) === "\x7fELF") {
      if (start.readUInt16LE(MACHINE_OFFSET) !== EM_X86_64) {
        throw cannotRun(path, context, "it is a program for another machine than x86-64", 126);
      }
      return { executable: path, argv0, args };
    }
    const shebang = parseShebang(start, path);
    if (shebang === undefined) {
      throw cannotRun(path, context, "it is neither an ELF program nor a script", 126);
    }
    if (scripts === MAX_SCRIPTS) throw cannotRun(path, context, "its interpreters never end", 126);
    const argument = shebang.argument === undefined ? [] : [shebang.argument];
    // The script's path is absolute, as it is for a name that was found in PATH.
    args = [...argument, path, ...args];
    argv0 = shebang.interpreter;
    ({ path, node } = findInTree(tree, shebang.interpreter, context));
  }
}

function findInTree(
  tree: FsTree,
  name: string,
  context: TreeLaunchContext,
): { path: string; node: FileNode } {
  const { searchPath, cwd } = context;
  const candidates = name.includes("/")
    ? [posix.resolve(cwd, name)]
    : searchPath.split(":").map((directory) => posix.resolve(cwd, directory, name));
  let refused: FsNode | undefined;
  for (const path of name === "" ? [] : candidates) {
    const node = resolveInTree(tree, path);
    if (node?.kind === "file" && (node.attributes.mode & 0o111) !== 0) return { path, node };
    refused ??= node;
  }
  if (refused !== undefined) {
    const isFile = refused.kind === "file";
    const why = isFile ? "it has no permission to be executed" : `it is a ${refused.kind}`;
    throw cannotRun(name, context, why, 126);
  }
  const where = name.includes("/") ? "" : ` in its PATH (${searchPath})`;
  throw cannotRun(name, context, `there is no such program${where}`, 127);
}

function cannotRun(
  program: string,
  { what }: TreeLaunchContext,
  why: string,
  exitStatus: number,
): UserError {
  return new UserError({
    code: exitStatus === 127 ? "ProgramNotFound" : "NotExecutable",
    what: `cannot run ${program === "" ? "a program without a name" : program} in ${what}`,
    why,
    fix: "name another program after the source, or replace its entry point with --entrypoint",
    exitStatus,
  });
}

function startOfFile(node: FileNode): Buffer {
  return readNode(node, START_BYTES);
}

/** The contents of a file of a tree, or its first bytes. Throws a UserError if it is unreadable. */
export function readNode(node: FileNode, limitBytes = Number.POSITIVE_INFINITY): Buffer {
  const bytes = Buffer.alloc(Math.min(limitBytes, contentSizeBytes(node.content)));
  const reader = openContent(node.content);
  try {
    reader.read(bytes, 0);
  } finally {
    reader.close();
  }
  return bytes;
}

/** The text of a file of a tree; undefined if there is none at this path. */
export function textInTree(tree: FsTree, path: string): string | undefined {
  const node = resolveInTree(tree, path);
  return node?.kind === "file" ? readNode(node).toString("utf8") : undefined;
}
