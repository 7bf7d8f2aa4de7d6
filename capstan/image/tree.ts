/**
 * An in-memory file-system tree: what an image will contain, before it is written.
 *
 * Nodes describe; they hold no file data unless it was made in memory (`BytesContent`). Host files
 * are named by path and read when the image is written. Two directory entries that refer to the
 * same node object are hard links of each other; the writer counts them.
 *
 * Names are Unicode strings and are stored as UTF-8. A host name that is not valid UTF-8 cannot be
 * represented here; `package/host.ts` reports such names instead of changing them.
 *
 * Neighbours: `erofs/writer.ts` turns a tree into an image, `package/` builds trees.
 */
import type { BigIntStats } from "node:fs";

/** What every kind of node has. */
export interface Attributes {
  /** Permission bits with set-uid, set-gid and sticky (07777). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Modification time, nanoseconds since 1970-01-01 UTC. */
  readonly mtimeNs: bigint;
  /** Extended attributes by full name (`user.x`, `security.capability`). */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

/** The contents of a regular file that lies on the host. */
export interface HostContent {
  readonly from: "host";
  /** Absolute path of a regular file on the host. */
  readonly path: string;
  /** Size when it was looked at; the writer fails if it has changed since. */
  readonly sizeBytes: number;
  /** `identityOf` when it was looked at, an input of the cache key. */
  readonly identity: string;
}

/** Identity of a host file: changes when the file is replaced, written to or touched. */
export function identityOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

/** The contents of a regular file that was made up here. */
export interface BytesContent {
  readonly from: "bytes";
  readonly bytes: Uint8Array;
}

/**
 * Contents that are a part of a host file which never changes once it has its name: a store's.
 * Images made from containers and archives consist of these.
 */
export interface SliceContent {
  readonly from: "slice";
  /** Absolute path on the host. */
  readonly path: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** What the contents are, wherever they lie: an input of the cache key, and of nothing else. */
  readonly identity: string;
}

export type FileContent = HostContent | BytesContent | SliceContent;

export interface FileNode {
  readonly kind: "file";
  readonly attributes: Attributes;
  readonly content: FileContent;
}

export interface SymlinkNode {
  readonly kind: "symlink";
  readonly attributes: Attributes;
  readonly target: string;
}

/** A device special file, FIFO or socket; `major` and `minor` are 0 for the last two. */
export interface SpecialNode {
  readonly kind: "character" | "block" | "fifo" | "socket";
  readonly attributes: Attributes;
  readonly major: number;
  readonly minor: number;
}

export interface DirectoryNode {
  readonly kind: "directory";
  attributes: Attributes;
  /** Children by name, in the order of insertion; writers sort. */
  readonly children: Map<string, FsNode>;
  /**
   * Size that the host shows for the directory, if it counts in blocks. Listings in the guest show
   * the same where that is possible: the entries are spread over as many blocks.
   */
  listedSizeBytes?: number;
}

export type FsNode = FileNode | SymlinkNode | SpecialNode | DirectoryNode;

/**
 * Time stamp of everything that has none of its own: 1980-01-01 00:00:00 UTC, the earliest that
 * archive formats such as ZIP can express, so that no program trips over it.
 */
export const NEUTRAL_MTIME_NS = 315_532_800_000_000_000n;

/** Attributes of a directory or file of root without a history. */
export function neutralAttributes(mode: number): Attributes {
  return { mode, uid: 0, gid: 0, mtimeNs: NEUTRAL_MTIME_NS };
}

/** Splits an absolute or relative guest path into names; `.` and empty names vanish. */
export function splitPath(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** A directory without children. */
export function emptyDirectory(attributes: Attributes = neutralAttributes(0o755)): DirectoryNode {
  return { kind: "directory", attributes, children: new Map() };
}

/** The tree of an image. Paths are absolute guest paths; `..` is not interpreted. */
export class FsTree {
  readonly root: DirectoryNode;

  constructor(root: DirectoryNode = emptyDirectory()) {
    this.root = root;
  }

  /** The node at exactly this path (no symbolic link is followed), or undefined. */
  get(path: string): FsNode | undefined {
    let node: FsNode = this.root;
    for (const name of splitPath(path)) {
      if (node.kind !== "directory") return undefined;
      const child: FsNode | undefined = node.children.get(name);
      if (child === undefined) return undefined;
      node = child;
    }
    return node;
  }

  /**
   * Puts a node at a path, replacing what was there. Missing parents are created as neutral
   * directories. Throws a RangeError if a parent exists and is not a directory, or for `/`.
   */
  set(path: string, node: FsNode): void {
    const names = splitPath(path);
    const last = names.pop();
    if (last === undefined) throw new RangeError("the root directory cannot be replaced");
    this.makeDirectory(names.join("/")).children.set(last, node);
  }

  /**
   * The directory at a path, created with its parents if absent.
   * Throws a RangeError if something on the way exists and is not a directory.
   */
  makeDirectory(path: string, attributes?: Attributes): DirectoryNode {
    let directory = this.root;
    const names = splitPath(path);
    for (const [index, name] of names.entries()) {
      let child = directory.children.get(name);
      if (child === undefined) {
        const isLast = index === names.length - 1;
        child = emptyDirectory(isLast && attributes !== undefined ? attributes : undefined);
        directory.children.set(name, child);
      }
      if (child.kind !== "directory") {
        const where = names.slice(0, index + 1).join("/");
        throw new RangeError(`/${where} is a ${child.kind}, not a directory`);
      }
      directory = child;
    }
    return directory;
  }

  /** Calls `visit` once for every node, also for one that has several names. */
  forEachNode(visit: (node: FsNode) => void): void {
    const seen = new Set<FsNode>([this.root]);
    // A Set's iteration also visits what is added meanwhile.
    for (const node of seen) {
      visit(node);
      if (node.kind !== "directory") continue;
      for (const child of node.children.values()) seen.add(child);
    }
  }

  /** Every node with its absolute path, parents before children; hard links appear repeatedly. */
  *walk(): Generator<[path: string, node: FsNode]> {
    const pending: [string, FsNode][] = [["/", this.root]];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      yield next;
      const [path, node] = next;
      if (node.kind !== "directory") continue;
      const prefix = path === "/" ? "/" : `${path}/`;
      for (const [name, child] of node.children) pending.push([prefix + name, child]);
    }
  }
}

/** Size of a file's contents in bytes. */
export function contentSizeBytes(content: FileContent): number {
  return content.from === "bytes" ? content.bytes.length : content.sizeBytes;
}
