/**
 * First step of writing an image: from a tree to a list of inodes with sizes and link counts, but
 * without addresses.
 *
 * The order of the list is the order on the disk: breadth first, names ascending. A directory's
 * children are then neighbours, so that listing or searching it touches few blocks.
 *
 * Neighbours: `layout.ts` gives the inodes addresses.
 */
import { contentSizeBytes, type DirectoryNode, type FsNode, type FsTree } from "../tree.ts";
import { arrangeDirectory, type DirectoryBlocks, type NamedEntry } from "./directory.ts";
import {
  BLOCK_SIZE_BYTES,
  COMPACT_INODE_SIZE_BYTES,
  EXTENDED_INODE_SIZE_BYTES,
  MAX_NAME_BYTES,
  MAX_SYMLINK_BYTES,
} from "./format.ts";
import { encodeXattrs } from "./xattr.ts";

/** An inode to be written; `layout.ts` fills in the addresses. */
export interface PlannedInode {
  readonly node: FsNode;
  readonly ino: number;
  linkCount: number;
  /** Size of the contents: file data, link target, directory blocks; 0 for special files. */
  sizeBytes: number;
  isExtended: boolean;
  readonly xattrs: Uint8Array;
  /** Only directories: sorted entries in blocks, `.` and `..` included. */
  directory: DirectoryBlocks<PlannedInode> | undefined;
  /** Bytes of the contents that lie behind the inode; 0 means FLAT_PLAIN. */
  tailBytes: number;
  /** Data blocks, without the tail. */
  blockCount: number;
  /** First data block; 0 if `blockCount` is 0. */
  startBlock: number;
  /** The data blocks belong to an earlier inode with the same contents. */
  sharesBlocks: boolean;
  nid: number;
}

/** Inode and extended attributes, without a tail. */
export function headSizeBytes(inode: PlannedInode): number {
  const fixed = inode.isExtended ? EXTENDED_INODE_SIZE_BYTES : COMPACT_INODE_SIZE_BYTES;
  return fixed + inode.xattrs.length;
}

function checkName(name: string, where: string): Buffer {
  const bytes = Buffer.from(name);
  const isReserved = name === "" || name === "." || name === "..";
  if (isReserved || /[/\0]/.test(name) || bytes.length > MAX_NAME_BYTES) {
    throw new RangeError(`${JSON.stringify(name)} in ${where} cannot be a file name in an image`);
  }
  return bytes;
}

function contentsSizeBytes(node: FsNode): number {
  if (node.kind === "file") return contentSizeBytes(node.content);
  if (node.kind !== "symlink") return 0;
  const size = Buffer.byteLength(node.target);
  if (size === 0 || size > MAX_SYMLINK_BYTES || node.target.includes("\0")) {
    throw new RangeError(`a symbolic link's target must have 1 to ${MAX_SYMLINK_BYTES} bytes`);
  }
  return size;
}

/** The most frequent modification time (the earliest of equally frequent ones). */
function commonestTime(inodes: readonly PlannedInode[]): bigint {
  const counts = new Map<bigint, number>();
  for (const { node } of inodes) {
    const time = node.attributes.mtimeNs;
    counts.set(time, (counts.get(time) ?? 0) + 1);
  }
  let best = inodes[0]?.node.attributes.mtimeNs ?? 0n;
  for (const [time, count] of counts) {
    const bestCount = counts.get(best) ?? 0;
    if (count > bestCount || (count === bestCount && time < best)) best = time;
  }
  return best;
}

/** What 16-bit identities, 32-bit sizes and no time stamp of its own cannot express. */
function needsExtended(inode: PlannedInode, buildTimeNs: bigint): boolean {
  const { uid, gid, mtimeNs } = inode.node.attributes;
  return (
    mtimeNs !== buildTimeNs ||
    uid > 0xffff ||
    gid > 0xffff ||
    inode.linkCount > 0xffff ||
    inode.sizeBytes > 0xffff_ffff
  );
}

/** The inodes of an image, the root directory first. */
export interface InodeList {
  readonly inodes: readonly PlannedInode[];
  /** Time stamp of all compact inodes: the commonest one, because they save 32 bytes each. */
  readonly buildTimeNs: bigint;
}

/**
 * Lists the inodes of a tree. Throws a RangeError for names, link targets or extended attributes
 * that an image cannot hold, and for a directory that has two names.
 */
export function listInodes(tree: FsTree): InodeList {
  const inodes: PlannedInode[] = [];
  const byNode = new Map<FsNode, PlannedInode>();

  function plan(node: FsNode): PlannedInode {
    const inode: PlannedInode = {
      node,
      ino: inodes.length + 1,
      linkCount: 0,
      sizeBytes: contentsSizeBytes(node),
      isExtended: true,
      xattrs: encodeXattrs(node.attributes.xattrs),
      directory: undefined,
      tailBytes: 0,
      blockCount: 0,
      startBlock: 0,
      sharesBlocks: false,
      nid: 0,
    };
    if (EXTENDED_INODE_SIZE_BYTES + inode.xattrs.length > BLOCK_SIZE_BYTES) {
      throw new RangeError(`${inode.xattrs.length} bytes of extended attributes are too many`);
    }
    inodes.push(inode);
    byNode.set(node, inode);
    return inode;
  }

  const root = plan(tree.root);
  const pending: [directory: DirectoryNode, self: PlannedInode, parent: PlannedInode][] = [
    [tree.root, root, root],
  ];
  for (const [directory, self, parent] of pending) {
    const entries: NamedEntry<PlannedInode>[] = [
      { name: Buffer.from("."), target: self },
      { name: Buffer.from(".."), target: parent },
    ];
    const children = [...directory.children]
      .map(([name, node]) => ({ name: checkName(name, "a directory"), node }))
      .sort((a, b) => Buffer.compare(a.name, b.name));
    self.linkCount += 2;
    for (const { name, node } of children) {
      const known = byNode.get(node);
      if (node.kind === "directory") {
        if (known !== undefined) {
          throw new RangeError(`directory ${name.toString()} has two names in the tree`);
        }
        self.linkCount += 1;
        const child = plan(node);
        pending.push([node, child, self]);
        entries.push({ name, target: child });
        continue;
      }
      const child = known ?? plan(node);
      child.linkCount += 1;
      entries.push({ name, target: child });
    }
    self.directory = arrangeDirectory(entries, directory.listedSizeBytes);
    self.sizeBytes = self.directory.sizeBytes;
  }

  const buildTimeNs = commonestTime(inodes);
  for (const inode of inodes) inode.isExtended = needsExtended(inode, buildTimeNs);
  return { inodes, buildTimeNs };
}
