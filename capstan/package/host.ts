/**
 * Reads host files and directories into an image tree.
 *
 * Neighbours: `collect.ts` and `recipes/` call it through `guest-files.ts`; `image/tree.ts` is what
 * it fills.
 */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { decodeDevice } from "../image/erofs/format.ts";
import type { Attributes, DirectoryNode, FsNode } from "../image/tree.ts";
import { emptyDirectory, identityOf, NEUTRAL_MTIME_NS } from "../image/tree.ts";

/** The attributes of a host file, as they will be in the image. */
export function attributesOf(stats: BigIntStats): Attributes {
  return {
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtimeNs: stats.mtimeNs,
  };
}

/**
 * Attributes of a host directory of which only a part is in the image. Its time stamp is neutral:
 * it changes with every file on the host, also with those that are not in the image.
 */
export function partialDirectoryAttributes(stats: BigIntStats): Attributes {
  return { ...attributesOf(stats), mtimeNs: NEUTRAL_MTIME_NS };
}

/** Takes over what listings show of a directory that is in the image as a whole. */
export function completeDirectory(node: DirectoryNode, stats: BigIntStats): void {
  node.attributes = attributesOf(stats);
  // ext4 and its like count directories in blocks; others have sizes of their own kind.
  if (stats.size > 0n && stats.size % 4096n === 0n) node.listedSizeBytes = Number(stats.size);
}

/**
 * A node for the host file at `path` (no symbolic link is followed); a directory comes without its
 * children. Throws Node's system errors.
 */
export function hostNode(path: string, stats: BigIntStats): FsNode {
  const attributes = attributesOf(stats);
  // Most are files; the questions cost more than the rest of this function.
  if (stats.isFile()) {
    const sizeBytes = Number(stats.size);
    const content = { from: "host", path, sizeBytes, identity: identityOf(stats) } as const;
    return { kind: "file", attributes, content };
  }
  if (stats.isDirectory()) return emptyDirectory(attributes);
  if (stats.isSymbolicLink()) return { kind: "symlink", attributes, target: readlinkSync(path) };
  const { major, minor } = decodeDevice(Number(stats.rdev));
  if (stats.isCharacterDevice()) return { kind: "character", attributes, major, minor };
  if (stats.isBlockDevice()) return { kind: "block", attributes, major, minor };
  return { kind: stats.isFIFO() ? "fifo" : "socket", attributes, major: 0, minor: 0 };
}

/** `lstat` with nanoseconds, or undefined if there is nothing at `path`. */
export function lookAt(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** The names in a host directory, and how many were left out because they are not UTF-8. */
export function listDirectory(path: string): { names: string[]; undecodable: number } {
  const names: string[] = [];
  let undecodable = 0;
  for (const raw of readdirSync(path, { encoding: "buffer" })) {
    const name = raw.toString("utf8");
    if (Buffer.from(name).equals(raw)) names.push(name);
    else undecodable += 1;
  }
  names.sort();
  return { names, undecodable };
}
