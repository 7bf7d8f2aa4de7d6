/**
 * Does in a tree what the commands of maintainer scripts would do, as far as that only adds: nothing
 * that is there is replaced, and what a command needs and is not there makes it do nothing.
 *
 * Neighbours: `script-commands.ts` reads the commands; `configure.ts` is the user.
 */
import { posix } from "node:path";
import { UserError } from "../../errors.ts";
import {
  type Attributes,
  type DirectoryNode,
  emptyDirectory,
  type FsNode,
  type FsTree,
  neutralAttributes,
} from "../../image/tree.ts";
import { locateInTree, resolveInTree } from "../../package/tree-path.ts";
import { imageUser } from "../container/users.ts";
import { textInTree } from "../tree-launch.ts";
import type { ScriptCommand } from "./script-commands.ts";

/** Does commands in their order. */
export function applyCommands(tree: FsTree, commands: readonly ScriptCommand[]): void {
  for (const command of commands) apply(tree, command);
}

function apply(tree: FsTree, command: ScriptCommand): void {
  const { path } = command;
  switch (command.does) {
    case "directory":
      directoryAt(tree, path);
      return;
    case "file": {
      const content = { from: "bytes", bytes: new Uint8Array(0) } as const;
      putNew(tree, path, { kind: "file", attributes: neutralAttributes(0o644), content });
      return;
    }
    case "link": {
      const { target } = command;
      // A link to nowhere helps nobody: its branch of the script is one that does not run.
      if (resolveInTree(tree, posix.resolve(posix.dirname(path), target)) === undefined) return;
      putNew(tree, intoDirectory(tree, path, target), {
        kind: "symlink",
        attributes: neutralAttributes(0o777),
        target,
      });
      return;
    }
    case "copy": {
      const source = resolveInTree(tree, command.source);
      if (source?.kind === "file") putNew(tree, intoDirectory(tree, path, command.source), source);
      return;
    }
    case "owner":
      own(tree, command);
      return;
    case "mode":
      change(tree, path, ({ mode: _, ...rest }) => ({ ...rest, mode: command.mode }));
  }
}

/** Where ln and cp put a file when they are given a directory. */
function intoDirectory(tree: FsTree, path: string, source: string): string {
  const isDirectory = resolveInTree(tree, path)?.kind === "directory";
  return isDirectory ? posix.join(path, posix.basename(source)) : path;
}

/** The directory at a path, made with its parents; undefined if something else is in the way. */
function directoryAt(tree: FsTree, path: string): DirectoryNode | undefined {
  const known = resolveInTree(tree, path);
  if (known !== undefined) return known.kind === "directory" ? known : undefined;
  const parent = directoryAt(tree, posix.dirname(path));
  const name = posix.basename(path);
  if (parent === undefined || parent.children.has(name)) return undefined;
  const made = emptyDirectory();
  parent.children.set(name, made);
  return made;
}

/** Puts a node where nothing is, not even a link to nowhere. */
export function putNew(tree: FsTree, path: string, node: FsNode): void {
  const parent = directoryAt(tree, posix.dirname(path));
  const name = posix.basename(path);
  if (parent !== undefined && !parent.children.has(name)) parent.children.set(name, node);
}

function own(tree: FsTree, command: Extract<ScriptCommand, { does: "owner" }>): void {
  const { owner, path, isRecursive } = command;
  let ids: { uid?: number; gid?: number };
  try {
    const { uid, gid } = imageUser(
      owner,
      textInTree(tree, "/etc/passwd"),
      textInTree(tree, "/etc/group"),
    );
    const [user = "", group = ""] = owner.split(/[:.]/);
    ids = { ...(user === "" ? {} : { uid }), ...(group === "" ? {} : { gid }) };
  } catch (error) {
    // A user that no script makes: of another configuration of the package.
    if (error instanceof UserError) return;
    throw error;
  }
  const pending = [path];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    change(tree, at, (attributes) => ({ ...attributes, ...ids }));
    const node = isRecursive ? resolveInTree(tree, at) : undefined;
    if (node?.kind !== "directory") continue;
    for (const [name, child] of node.children) {
      if (child.kind !== "symlink") pending.push(posix.join(at, name));
    }
  }
}

/** Changes the attributes of what a path leads to. */
function change(tree: FsTree, path: string, to: (attributes: Attributes) => Attributes): void {
  const found = locateInTree(tree, path);
  if (found === undefined || found.path === "/") return;
  const { node } = found;
  if (node.kind === "directory") node.attributes = to(node.attributes);
  else tree.set(found.path, { ...node, attributes: to(node.attributes) });
}
