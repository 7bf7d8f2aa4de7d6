/**
 * The overlay: a tmpfs over a read-only image, so that programs can write anywhere. Files of the
 * image show through until they are changed; changes stay in memory.
 *
 * For each file of the image in use there is one node of tmpfs above it, found by the image vnode's
 * `attachment`; so hard links stay one file, and an open file sees what others write. Data is copied
 * up page by page, on the first write to each page.
 *
 * Lock: `attachmentLock` guards the tie between lower vnode and node. Neighbours: `overlay-directory`,
 * `overlay-file`, `overlay-other`; `tmpfs/node` keeps changed nodes alive.
 */
import { free } from "../../lib/object";
import { FileSystem, Vnode } from "../vnode";
import { FileSystemStat, Stat } from "../stat";
import { S_IFDIR, S_IFMT, S_IFREG } from "../constants";
import { TmpfsFileSystem } from "../tmpfs/file-system";
import { TmpfsNode, attachmentLock } from "../tmpfs/node";
import { retainIfAlive } from "../weak";
import { OverlayDirectory } from "./overlay-directory";
import { OverlayFile } from "./overlay-file";
import { OverlayOther } from "./overlay-other";

const OVERLAY_MAGIC: u64 = 0x794c7630;
const NS_PER_SECOND: i64 = 1_000_000_000;

export class OverlayFileSystem extends TmpfsFileSystem {
  /** @param lowerFs the image below; its files keep their inode numbers */
  constructor(lowerFs: FileSystem) {
    super();
    const lowerRoot = lowerFs.root();
    lowerRoot.retain();
    const root = nodeAbove(this, lowerRoot, lowerRoot.inode);
    root.changed();
    this.setRoot(root);
  }

  typeName(): string {
    return "overlay";
  }

  statistics(out: FileSystemStat): void {
    super.statistics(out);
    out.type = OVERLAY_MAGIC;
  }
}

/**
 * The node above a file of the image, with a reference. Takes over the reference of `lower`.
 * @param parentInode inode number of the directory it was found in
 */
export function nodeAbove(fs: TmpfsFileSystem, lower: Vnode, parentInode: u64): TmpfsNode {
  const known = findAbove(lower);
  if (known) {
    lower.release();
    return known;
  }
  const made = makeAbove(fs, lower, parentInode);
  attachmentLock.acquire();
  const other = changetype<TmpfsNode | null>(lower.attachment);
  const isTaken = other ? retainIfAlive(other) : false;
  if (!isTaken) lower.attachment = changetype<usize>(made);
  attachmentLock.release();
  if (!isTaken) return made;
  made.release();
  return changetype<TmpfsNode>(changetype<usize>(other));
}

function findAbove(lower: Vnode): TmpfsNode | null {
  attachmentLock.acquire();
  const node = changetype<TmpfsNode | null>(lower.attachment);
  const isAlive = node ? retainIfAlive(node) : false;
  attachmentLock.release();
  return isAlive ? node : null;
}

function makeAbove(fs: TmpfsFileSystem, lower: Vnode, parentInode: u64): TmpfsNode {
  const type = lower.mode & S_IFMT;
  let node: TmpfsNode;
  if (type == S_IFREG) {
    node = new OverlayFile(fs, lower);
  } else if (type == S_IFDIR) {
    const directory = new OverlayDirectory(fs, lower);
    directory.parentInode = parentInode;
    node = directory;
  } else {
    node = new OverlayOther(fs, lower);
  }
  node.lower = lower;
  copyAttributes(lower, node);
  return node;
}

function copyAttributes(lower: Vnode, node: TmpfsNode): void {
  const stat = new Stat();
  lower.attributes(stat);
  node.uid = stat.uid;
  node.gid = stat.gid;
  node.linkCount = stat.linkCount;
  node.accessNs = stat.accessSeconds * NS_PER_SECOND + stat.accessNs;
  node.modifyNs = stat.modifySeconds * NS_PER_SECOND + stat.modifyNs;
  node.changeNs = stat.changeSeconds * NS_PER_SECOND + stat.changeNs;
  node.birthNs = stat.birthSeconds * NS_PER_SECOND + stat.birthNs;
  free(stat);
}
