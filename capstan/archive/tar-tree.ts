/**
 * Lays a tar archive over a tree: a layer of a container image over those below it, the contents of
 * a package over what is there.
 *
 * Whiteouts (OCI image specification, "Image Layer Filesystem Changeset"): an empty file `.wh.NAME`
 * removes NAME, `.wh..wh..opq` all that the directory had; both only reach what lies below, so they
 * are applied before the layer's own entries.
 *
 * Neighbours: `tar-reader.ts` reads; `../source/` is the user.
 */
import { posix } from "node:path";
import { Pacer } from "../image/erofs/pacer.ts";
import {
  type Attributes,
  type DirectoryNode,
  emptyDirectory,
  type FsNode,
  type FsTree,
  splitPath,
} from "../image/tree.ts";
import { resolveInTree } from "../package/tree-path.ts";
import type { ByteRange } from "./byte-range.ts";
import { readTar, type TarEntry, TarError } from "./tar-reader.ts";

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/** How an archive is laid over a tree. */
export interface OverlayOptions {
  /** What the archive's bytes are: its digest. Part of the identity of every file. */
  readonly identity: string;
  /** Whether `.wh.` names remove what lies below. */
  readonly hasWhiteouts: boolean;
  /**
   * Whether a directory leaves a symbolic link to a directory as it is, as dpkg(1) does for /lib,
   * or takes its place, as in layers.
   */
  readonly keepsDirectoryLinks: boolean;
  /** Leaves entries out; gets the path without a leading slash. */
  readonly skips?: (path: string) => boolean;
  readonly signal?: AbortSignal;
}

/**
 * Lays an archive over a tree.
 * @throws TarError for a damaged archive and for names that lead out of the tree
 */
export async function overlayTar(
  tree: FsTree,
  range: ByteRange,
  options: OverlayOptions,
): Promise<void> {
  const pacer = new Pacer(options.signal);
  const entries: TarEntry[] = [];
  for (const entry of readTar(range)) {
    await pacer.pause();
    if (options.hasWhiteouts && applyWhiteout(tree, entry)) continue;
    entries.push(entry);
  }
  for (const entry of entries) {
    await pacer.pause();
    const names = namesOf(entry.path, range);
    if (options.skips?.(names.join("/")) !== true) addEntry(tree, entry, names, range, options);
  }
}

/** Removes what a whiteout names; false if the entry is none. */
function applyWhiteout(tree: FsTree, entry: TarEntry): boolean {
  const name = posix.basename(entry.path);
  if (!name.startsWith(WHITEOUT)) return false;
  const parent = resolveInTree(tree, posix.dirname(entry.path));
  if (parent?.kind === "directory") {
    if (name === OPAQUE) parent.children.clear();
    else parent.children.delete(name.slice(WHITEOUT.length));
  }
  return true;
}

function addEntry(
  tree: FsTree,
  entry: TarEntry,
  names: readonly string[],
  range: ByteRange,
  options: OverlayOptions,
): void {
  const { mode, uid, gid, mtimeNs, xattrs } = entry;
  const attributes: Attributes = {
    mode,
    uid,
    gid,
    mtimeNs,
    ...(xattrs.size === 0 ? {} : { xattrs }),
  };
  const name = names.at(-1);
  if (name === undefined) {
    tree.root.attributes = attributes;
    return;
  }
  const parent = parentDirectory(tree, names.slice(0, -1), range);
  const known = parent.children.get(name);
  if (entry.kind === "directory") {
    const seen =
      known?.kind === "symlink" && options.keepsDirectoryLinks
        ? resolveInTree(tree, `/${names.join("/")}`)
        : known;
    if (seen?.kind === "directory") seen.attributes = attributes;
    else parent.children.set(name, emptyDirectory(attributes));
    return;
  }
  parent.children.set(name, nodeOf(tree, entry, attributes, range, options));
}

function nodeOf(
  tree: FsTree,
  entry: TarEntry,
  attributes: Attributes,
  range: ByteRange,
  options: OverlayOptions,
): FsNode {
  switch (entry.kind) {
    case "link": {
      const target = namesOf(entry.target, range);
      const parent = parentDirectory(tree, target.slice(0, -1), range);
      const node = parent.children.get(target.at(-1) ?? "");
      if (node === undefined || node.kind === "directory") {
        const why = `${entry.path} is another name of ${entry.target}, which is not there`;
        throw new TarError(range.path, range.offsetBytes + entry.offsetBytes, why);
      }
      return node;
    }
    case "symlink":
      return { kind: "symlink", attributes, target: entry.target };
    case "file": {
      const { offsetBytes, sizeBytes } = entry;
      if (sizeBytes === 0) {
        return { kind: "file", attributes, content: { from: "bytes", bytes: new Uint8Array(0) } };
      }
      const content = {
        from: "slice",
        path: range.path,
        offsetBytes: range.offsetBytes + offsetBytes,
        sizeBytes,
        identity: `${options.identity}+${offsetBytes}`,
      } as const;
      return { kind: "file", attributes, content };
    }
    case "directory":
      return emptyDirectory(attributes);
    default:
      return { kind: entry.kind, attributes, major: entry.major, minor: entry.minor };
  }
}

/** The directory in which an entry lies; parents without an entry of their own are made. */
function parentDirectory(tree: FsTree, names: readonly string[], range: ByteRange): DirectoryNode {
  let directory = tree.root;
  for (const [index, name] of names.entries()) {
    let child = directory.children.get(name);
    if (child?.kind === "symlink") {
      child = resolveInTree(tree, `/${names.slice(0, index + 1).join("/")}`);
    }
    if (child?.kind !== "directory") {
      if (child !== undefined) {
        throw new TarError(range.path, range.offsetBytes, `/${names.join("/")} is no directory`);
      }
      child = emptyDirectory();
      directory.children.set(name, child);
    }
    directory = child;
  }
  return directory;
}

function namesOf(path: string, range: ByteRange): string[] {
  const names = splitPath(path);
  if (!names.includes("..") && !path.includes("\0")) return names;
  throw new TarError(range.path, range.offsetBytes, `the name ${path} leads out of the image`);
}
