/**
 * A mounted EROFS image: checks the superblock, reads inodes, keeps one vnode for each inode in use.
 *
 * Locks: `lock` guards the inode table. Neighbours: `layout` (the format), `inode` (decoding),
 * `erofs-vnode` (files), `../block-vnode` (cached metadata).
 */
import { SpinLock } from "../../arch/spinlock";
import { EINVAL, EOPNOTSUPP, EUCLEAN, asError, errorOf, isError } from "../../lib/errno";
import { HashTable, hashInteger } from "../../lib/hashtable";
import { log, logHex } from "../../lib/log";
import { free } from "../../lib/object";
import { frameOf, releaseFrame, toVirtual } from "../../mm/frames";
import { BlockVnode } from "../block-vnode";
import { FileSystemStat } from "../stat";
import { FileSystem, Vnode } from "../vnode";
import { retainIfAlive } from "../weak";
import { ErofsVnode } from "./erofs-vnode";
import { readInode } from "./inode";
import {
  BLOCK_BYTES,
  BLOCK_SHIFT,
  FEATURES_KNOWN,
  SUPERBLOCK_MAGIC,
  SUPERBLOCK_OFFSET,
  Superblock,
} from "./layout";

const EROFS_MAGIC: u64 = 0xe0f5e1e2;
/** ST_RDONLY of statvfs(3). */
const ST_RDONLY: u64 = 1;
/** Metadata is read this many pages at a time: small files and directories lie together. */
const METADATA_PAGES: u32 = 16;

export class ErofsFileSystem extends FileSystem {
  private lock: SpinLock = new SpinLock();
  private vnodes: HashTable<ErofsVnode> = new HashTable<ErofsVnode>(
    offsetof<ErofsVnode>("hashNext"),
  );
  private rootNode: Vnode | null = null;
  private metaOffset: u64 = 0;
  private blocks: u64 = 0;
  private inodeCount: u64 = 0;
  /** Time of files whose inode has none. */
  buildSeconds: u64 = 0;
  buildNs: u32 = 0;

  constructor(public disk: BlockVnode) {
    super();
    this.readOnly = true;
  }

  /** Reads the superblock and the root directory. @returns 0, -EINVAL, -EOPNOTSUPP, -EUCLEAN, -EIO */
  mount(): i64 {
    const page = this.metadataPage(0);
    if (page < 0) return page;
    const status = this.readSuperblock(changetype<Superblock>(toVirtual(page) + SUPERBLOCK_OFFSET));
    releaseFrame(frameOf(page));
    if (status < 0) return status;
    const root = this.vnodeOf(<u64>status);
    if (isError(root)) return errorOf(root);
    const node = changetype<Vnode>(root);
    if (!node.isDirectory) {
      node.release();
      return -EUCLEAN;
    }
    this.rootNode = node;
    return 0;
  }

  /** Checks the superblock. @returns the nid of the root directory or a negative error */
  private readSuperblock(block: Superblock): i64 {
    if (block.magic != SUPERBLOCK_MAGIC) {
      log("erofs: no EROFS superblock on the disk");
      return -EINVAL;
    }
    if (block.blockShift != BLOCK_SHIFT || block.directoryBlockShift != 0) {
      log("erofs: only blocks of 4096 bytes are supported (mkfs.erofs -b4096)");
      return -EOPNOTSUPP;
    }
    if (block.incompatibleFeatures & ~FEATURES_KNOWN) {
      logHex("erofs: the image needs features that are not supported:", block.incompatibleFeatures);
      return -EOPNOTSUPP;
    }
    if ((<u64>block.blocks) << BLOCK_SHIFT > this.disk.sizeBytes()) {
      log("erofs: the image is larger than its disk");
      return -EUCLEAN;
    }
    this.metaOffset = (<u64>block.metaBlock) << BLOCK_SHIFT;
    this.blocks = block.blocks;
    this.inodeCount = block.inodeCount;
    this.buildSeconds = block.buildSeconds;
    this.buildNs = block.buildNs;
    return block.rootNid;
  }

  root(): Vnode {
    return changetype<Vnode>(changetype<usize>(this.rootNode));
  }

  typeName(): string {
    return "erofs";
  }

  statistics(out: FileSystemStat): void {
    out.type = EROFS_MAGIC;
    out.blockSizeBytes = BLOCK_BYTES;
    out.blocks = this.blocks;
    out.files = this.inodeCount;
    out.flags = ST_RDONLY;
  }

  /** Byte offset on the disk of an inode. */
  inodeOffset(nid: u64): u64 {
    return this.metaOffset + (nid << 5);
  }

  /** The page of the disk with that index, with a reference; a negative error if it cannot be read. */
  metadataPage(index: u64): i64 {
    return this.disk.pageForRead(index, METADATA_PAGES, true);
  }

  /** Copies bytes of the disk to kernel memory. @returns 0, -EIO, -ENOMEM */
  readMetadata(offset: u64, buffer: usize, length: usize): i64 {
    let at = offset;
    let target = buffer;
    let left = length;
    while (left > 0) {
      const page = this.metadataPage(at >> BLOCK_SHIFT);
      if (page < 0) return page;
      const within = <usize>at & (BLOCK_BYTES - 1);
      const chunk = min<usize>(BLOCK_BYTES - within, left);
      memory.copy(target, toVirtual(page) + within, chunk);
      releaseFrame(frameOf(page));
      at += chunk;
      target += chunk;
      left -= chunk;
    }
    return 0;
  }

  /** The vnode of an inode with a reference, or a negative error. */
  vnodeOf(nid: u64): usize {
    const hash = hashInteger(nid);
    const known = this.find(hash);
    if (known) return known;
    const vnode = new ErofsVnode(this, nid);
    const status = readInode(this, vnode);
    if (status < 0) {
      free(vnode);
      return asError(status);
    }
    // Somebody else may have read it meanwhile.
    this.lock.acquire();
    let node = this.vnodes.firstWith(hash);
    while (node && !retainIfAlive(node)) node = this.vnodes.nextWith(node);
    if (!node) this.vnodes.insert(vnode, hash);
    this.lock.release();
    if (!node) return changetype<usize>(vnode);
    free(vnode);
    return changetype<usize>(node);
  }

  private find(hash: u64): usize {
    this.lock.acquire();
    let node = this.vnodes.firstWith(hash);
    while (node && !retainIfAlive(node)) node = this.vnodes.nextWith(node);
    this.lock.release();
    return changetype<usize>(node);
  }

  /** The last reference of a vnode is gone. */
  forget(vnode: ErofsVnode): void {
    this.lock.acquire();
    this.vnodes.remove(vnode);
    this.lock.release();
  }
}

/** Mounts the image on a disk. @returns the ErofsFileSystem, or a negative error */
export function mountErofs(disk: BlockVnode): usize {
  const fs = new ErofsFileSystem(disk);
  const status = fs.mount();
  return status < 0 ? asError(status) : changetype<usize>(fs);
}
