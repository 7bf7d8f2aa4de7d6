/**
 * tmpfs: a file system that lives in memory only (tmpfs(5)). What is in it stays until it is
 * removed; all file systems in memory together may fill half of the memory.
 *
 * Neighbours: `node` and its kinds in this folder; `overlay` puts one over an image.
 */
import { totalFrameCount } from "../../mm/frames";
import { memoryFileFrameCount } from "../page-cache";
import { Mutex } from "../../sched/mutex";
import { Counter } from "../counter";
import { newAnonymousDevice } from "../mount";
import { FileSystemStat } from "../stat";
import { FileSystem, Vnode } from "../vnode";
import { S_IFDIR } from "../constants";
import { nodeLimit, nodesInUse } from "./node";
import { TmpfsDirectory } from "./directory";

const TMPFS_MAGIC: u64 = 0x01021994;
/** Inode numbers of files made here start above those of images. */
const FIRST_INODE: u64 = 1 << 32;

export class TmpfsFileSystem extends FileSystem {
  private rootNode: Vnode | null = null;
  private nextInode: Counter = new Counter(FIRST_INODE);
  /** Guards the extended attributes of all its files. */
  readonly attributesLock: Mutex = new Mutex();

  constructor() {
    super();
    this.device = newAnonymousDevice();
  }

  /** Makes the root directory. @param mode permission bits */
  makeRoot(mode: u32): void {
    const root = new TmpfsDirectory(this, S_IFDIR | mode, this.newInode());
    root.parentInode = root.inode;
    this.rootNode = root;
  }

  /** Sets a root that is not a plain tmpfs directory; takes over the reference. */
  setRoot(root: Vnode): void {
    this.rootNode = root;
  }

  root(): Vnode {
    return changetype<Vnode>(changetype<usize>(this.rootNode));
  }

  typeName(): string {
    return "tmpfs";
  }

  newInode(): u64 {
    return this.nextInode.next();
  }

  statistics(out: FileSystemStat): void {
    const limit = memoryFileLimit();
    const used = memoryFileFrameCount();
    out.type = TMPFS_MAGIC;
    out.blocks = limit;
    out.blocksFree = limit > used ? limit - used : 0;
    const nodes = nodeLimit();
    out.files = nodes;
    out.filesFree = nodes > nodesInUse() ? nodes - nodesInUse() : 0;
  }
}

/** Frames that files in memory may fill. */
export function memoryFileLimit(): u64 {
  return totalFrameCount() / 2;
}
