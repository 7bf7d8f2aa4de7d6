/**
 * Copies a host directory with everything below it into an image tree.
 *
 * Neighbours: `guest-files.ts` decides where it goes; `tree-limits.ts` has limits and exceptions.
 */
import type { BigIntStats } from "node:fs";
import { systemErrorCode } from "../errors.ts";
import type { DirectoryNode, FsNode } from "../image/tree.ts";
import { completeDirectory, listDirectory, lookAt } from "./host.ts";
import type { Skip, TreeLimit } from "./tree-limits.ts";

export interface CopyOptions {
  /** Names or paths to leave out, see `Skip`. */
  readonly skip?: Skip;
  /** Counts what is added, and stops when it is too much. */
  readonly limit?: TreeLimit;
  /** Told about every regular file, with its host path. */
  readonly onFile?: (path: string) => void;
}

/** What the copier needs from the collection that it works for. */
export interface CopyHooks {
  /** Makes the node of a file, the same one for all names of a file. */
  nodeFor(path: string, stats: BigIntStats): FsNode;
  /** Whether this host path may be taken along at all. */
  isWanted(path: string): boolean;
  /** The directory of the guest that the symbolic link in a host path's place leads to, if any. */
  directoryBehindLink(path: string): DirectoryNode | undefined;
  /** Told about every directory; the answer tells whether to look into it. */
  onDirectory(path: string, node: DirectoryNode): boolean;
  pause(): Promise<void>;
}

/** What came up on the way. */
export interface CopyResult {
  /** Files and directories that this process cannot read; they are left out. */
  readonly unreadable: readonly string[];
  /** What was listed but is not there any more, or is something else; left out. */
  readonly vanished: readonly string[];
  /** Number of names that are not valid UTF-8; they are left out. */
  readonly undecodable: number;
  /** Host paths of the symbolic links, and what they say. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
}

const ownUid = process.getuid?.() ?? 0;

/** Whether this process may read a file, judged by its mode; root may read everything. */
function isReadable(stats: BigIntStats): boolean {
  const uid = ownUid;
  if (uid === 0) return true;
  if (Number(stats.uid) === uid) return (stats.mode & 0o400n) !== 0n;
  const groups = [process.getgid?.() ?? -1, ...(process.getgroups?.() ?? [])];
  if (groups.includes(Number(stats.gid))) return (stats.mode & 0o040n) !== 0n;
  return (stats.mode & 0o004n) !== 0n;
}

/** Collects what could not be taken along. */
class LeftOut {
  readonly unreadable: string[] = [];
  readonly vanished: string[] = [];

  /**
   * The answer of `ask` about the host's `path`, or undefined, and a note, if the host refuses it.
   * Other programs may change the directory while it is walked. Other errors are passed on.
   */
  attempt<T>(path: string, ask: () => T): T | undefined {
    try {
      return ask();
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      // EINVAL: no symbolic link any more, readlink(2); ESTALE: removed on an NFS server.
      const isGone = ["ENOENT", "ENOTDIR", "EINVAL", "ESTALE"].includes(code);
      (isGone ? this.vanished : this.unreadable).push(path);
      return undefined;
    }
  }
}

/**
 * Fills `directory` with what is in the host directory `start`, keeping what is there already unless
 * the host has something of that name. Directories are merged, also through symbolic links of the guest.
 */
export async function copyDirectory(
  start: string,
  directory: DirectoryNode,
  options: CopyOptions,
  hooks: CopyHooks,
): Promise<CopyResult> {
  const leftOut = new LeftOut();
  const links: { path: string; target: string }[] = [];
  let undecodable = 0;
  const pending: [path: string, node: DirectoryNode][] = [[start, directory]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [path, parent] = next;
    await hooks.pause();
    const listed = leftOut.attempt(path, () => listDirectory(path));
    if (listed === undefined) continue;
    undecodable += listed.undecodable;
    const prefix = path === "/" ? "/" : `${path}/`;
    for (const name of listed.names) {
      const child = prefix + name;
      // The kernel's directories are children of the root.
      if (path === "/" && !hooks.isWanted(child)) continue;
      const stats = leftOut.attempt(child, () => lookAt(child));
      // Removed since its directory was listed: as if it had not been there.
      if (stats === undefined) continue;
      const isDirectory = stats.isDirectory();
      if (options.skip?.leavesOut(name, child, isDirectory) === true) continue;
      if (!isDirectory && stats.isFile() && !isReadable(stats)) {
        leftOut.unreadable.push(child);
        continue;
      }
      const known = parent.children.get(name);
      // A base with /bin -> usr/bin keeps its link when a real /bin is copied over it.
      const behind = known?.kind === "symlink" ? hooks.directoryBehindLink(child) : known;
      const keeps = behind?.kind === "directory" && isDirectory;
      const node = keeps ? behind : leftOut.attempt(child, () => hooks.nodeFor(child, stats));
      if (node === undefined) continue;
      if (!keeps) parent.children.set(name, node);
      options.limit?.count(node);
      if (node.kind === "directory") {
        completeDirectory(node, stats);
        if (hooks.onDirectory(child, node)) pending.push([child, node]);
      } else if (node.kind === "file") {
        options.onFile?.(child);
      } else if (node.kind === "symlink") {
        links.push({ path: child, target: node.target });
      }
    }
  }
  return { unreadable: leftOut.unreadable, vanished: leftOut.vanished, undecodable, links };
}
