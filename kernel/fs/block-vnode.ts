/**
 * A disk as a file: its pages are the cache of file-system metadata, and /dev/vda reads them.
 *
 * Neighbours: `block-io` reads the disk, `erofs` reads metadata through it, `devfs` names it.
 */
import { BlockDevice, SECTOR_BYTES } from "../dev/block";
import { EIO, asError } from "../lib/errno";
import { free } from "../lib/object";
import { PAGE_SHIFT, S_IFBLK } from "./constants";
import { PAGE_SECTORS, readSectors } from "./block-io";
import { Dentry } from "./dentry";
import { FilePages } from "./file-pages";
import { RegularFile } from "./regular-file";
import { FileSystemStat, Stat } from "./stat";
import { FileSystem, Vnode } from "./vnode";

/** What disks belong to; mounted nowhere. */
class DiskFileSystem extends FileSystem {
  root(): Vnode {
    return changetype<Vnode>(<usize>0);
  }
  typeName(): string {
    return "bdev";
  }
  statistics(_out: FileSystemStat): void {}
}

export class BlockVnode extends Vnode {
  /** Next of all disks in use. */
  nextDisk: BlockVnode | null = null;

  constructor(
    fs: FileSystem,
    public device: BlockDevice,
  ) {
    super(fs, S_IFBLK | 0o660, 1);
    this.pages = new FilePages(this, true);
  }

  private get cache(): FilePages {
    return changetype<FilePages>(changetype<usize>(this.pages));
  }

  sizeBytes(): u64 {
    return this.device.sectorCount * SECTOR_BYTES;
  }

  attributes(out: Stat): i64 {
    out.device = this.fs.device;
    out.inode = this.inode;
    out.mode = this.mode;
    return 0;
  }

  open(dentry: Dentry | null, flags: u32): usize {
    if (!dentry) return asError(-EIO);
    return changetype<usize>(new RegularFile(dentry, flags));
  }

  readPages(first: u64, frames: usize, count: u32): i32 {
    const start = first << PAGE_SHIFT;
    const size = this.sizeBytes();
    if (start >= size) return -EIO;
    const length = min<u64>((<u64>count) << PAGE_SHIFT, size - start);
    return readSectors(this.device, first * PAGE_SECTORS, frames, count, length);
  }

  pageForRead(index: u64, ahead: u32, isNewUse: bool): i64 {
    if (index << PAGE_SHIFT >= this.sizeBytes()) return -EIO;
    return this.cache.get(index, ahead, isNewUse);
  }

  pageInMemory(index: u64, _shared: bool): u64 {
    return this.cache.find(index, false);
  }

  destroy(): void {
    this.cache.dispose();
    free(this);
  }
}

let diskFileSystem: DiskFileSystem | null = null;
let firstDisk: BlockVnode | null = null;

/** The vnode of a disk with a reference; one for each disk, made at boot, kept for good. */
export function blockVnodeOf(device: BlockDevice): BlockVnode {
  let disk = firstDisk;
  while (disk) {
    if (disk.device == device) {
      disk.retain();
      return disk;
    }
    disk = disk.nextDisk;
  }
  let fs = diskFileSystem;
  if (!fs) {
    fs = new DiskFileSystem();
    diskFileSystem = fs;
  }
  const made = new BlockVnode(fs, device);
  made.nextDisk = firstDisk;
  firstDisk = made;
  made.retain();
  return made;
}
