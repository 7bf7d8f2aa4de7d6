/**
 * A vnode: one file, directory, link or device, whatever file system it lives on. File systems
 * extend `Vnode` and override what they support; every other operation fails with the error that
 * Linux gives for it.
 *
 * Neighbours: `dentry` gives vnodes names, `path` finds them, `namespace` changes directories
 * (takes the locks and keeps the name cache right, so call it rather than the methods here),
 * `file` is an open vnode, `file-pages` holds the data of regular files.
 *
 * Locks: directory contents are guarded by `FileSystem.namespaceLock`, taken by `namespace` and by
 * the path walk around lookup, create, link, unlink, rename …; attributes change under no lock
 * (single stores).
 */
import { Counted } from "../lib/object";
import {
  EINVAL,
  EISDIR,
  ENODATA,
  ENOTDIR,
  ENOTTY,
  EOPNOTSUPP,
  EPERM,
  EROFS,
  asError,
} from "../lib/errno";
import { Mutex } from "../sched/mutex";
import { unmapContent } from "../vm/unmap-content";
import { Dentry } from "./dentry";
import { FilePages, READ_AROUND } from "./file-pages";
import { AttributeChange, FileSystemStat, Stat } from "./stat";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "./constants";

/** Receives directory entries one by one (getdents64, rmdir's emptiness check …). */
export abstract class DirectorySink {
  /**
   * Takes one entry.
   * @param name bytes in kernel memory, not zero-terminated
   * @param type file type bits of the mode (S_IF*), 0 = unknown
   * @param nextPosition position from which iteration continues after this entry (d_off)
   * @returns false if the entry did not fit: iteration stops before it
   */
  abstract entry(name: usize, nameLength: usize, inode: u64, type: u32, nextPosition: u64): bool;
}

/** A mounted or mountable file system. Lives as long as it is mounted. */
export abstract class FileSystem {
  /** st_dev of its files; unique per file system. */
  device: u64 = 0;
  readOnly: bool = false;
  /** False if names may come and go by themselves (procfs): the name cache then keeps none. */
  cachesNames: bool = true;
  /** Guards the contents of all its directories. Order: parent file system before covered one. */
  namespaceLock: Mutex = new Mutex();

  /** The root directory; no new reference is taken. */
  abstract root(): Vnode;
  /** Type as in /proc/mounts: "erofs", "tmpfs" … */
  abstract typeName(): string;
  /** Fills in statfs(2) facts. */
  abstract statistics(out: FileSystemStat): void;
}

/** One file object. All names are bytes in kernel memory with a length. */
export abstract class Vnode extends Counted {
  /** File type and permission bits. */
  mode: u32;
  inode: u64;
  fs: FileSystem;
  /** Cached pages of a regular file, made on first use. */
  pages: FilePages | null = null;
  /** Owner's free use: the overlay node above this one (tmpfs), a bound socket (linux/) … */
  attachment: usize = 0;
  /** First of those who want to know what happens to it (`notify`); 0 if none. */
  watches: usize = 0;
  /** How many mappings (`file-mapping`) there are; changed by `countMapping`. */
  private mappings: i32 = 0;
  /** How many files are open for writing; below 0: by how many programs it is being run. */
  private writers: i32 = 0;
  /** F_SEAL_* bits (memfd_create). */
  seals: u32 = 0;

  constructor(fs: FileSystem, mode: u32, inode: u64) {
    super();
    this.fs = fs;
    this.mode = mode;
    this.inode = inode;
  }

  get isDirectory(): bool {
    return (this.mode & S_IFMT) == S_IFDIR;
  }
  get isRegular(): bool {
    return (this.mode & S_IFMT) == S_IFREG;
  }
  get isSymlink(): bool {
    return (this.mode & S_IFMT) == S_IFLNK;
  }

  // ---- facts ----

  /** Length of the contents in bytes. */
  sizeBytes(): u64 {
    return 0;
  }

  /** Fills in all attributes; returns 0 or a negative error. */
  abstract attributes(out: Stat): i64;

  /** Changes mode, owner or times (EPERM where the file system keeps none). */
  setAttributes(_change: AttributeChange): i64 {
    return -EPERM;
  }

  /** Says who owns a file that was just made; file systems without owners ignore it. */
  setOwner(_user: u32, _group: u32): void {}

  /** Device number of a device node. */
  nodeDevice(): u64 {
    return 0;
  }

  // ---- directories ----

  /** Finds an entry. @returns a Vnode with a reference for the caller, or -ENOENT, -ENOTDIR, -EIO */
  lookup(_name: usize, _nameLength: usize): usize {
    return asError(-ENOTDIR);
  }

  /**
   * Reports entries from `position` (0 = start; includes "." and "..") until the sink is full.
   * @returns the position to continue from, or a negative error
   */
  iterate(_position: u64, _sink: DirectorySink): i64 {
    return -ENOTDIR;
  }

  /**
   * Makes a file, fifo, socket or device node (never a directory or link) that does not exist yet.
   * @param mode type and permissions, the umask already applied
   * @returns the new Vnode with a reference, or a negative error
   */
  create(_name: usize, _nameLength: usize, _mode: u32, _nodeDevice: u64): usize {
    return asError(-EPERM);
  }

  /** Makes a directory; like `create`. */
  mkdir(_name: usize, _nameLength: usize, _mode: u32): usize {
    return asError(-EPERM);
  }

  /** Makes a symbolic link to `target`; like `create`. */
  symlink(_name: usize, _nameLength: usize, _target: usize, _targetLength: usize): usize {
    return asError(-EPERM);
  }

  /** Makes a file without a name in this directory's file system (O_TMPFILE, memfd_create). */
  createUnnamed(_mode: u32): usize {
    return asError(-EOPNOTSUPP);
  }

  /** Gives `target` (same file system, no directory) one more name here. */
  link(_target: Vnode, _name: usize, _nameLength: usize): i64 {
    return -EPERM;
  }

  /** Removes the name of `victim`, which is no directory. */
  unlink(_name: usize, _nameLength: usize, _victim: Vnode): i64 {
    return -EPERM;
  }

  /** Removes the empty directory `victim`; -ENOTEMPTY otherwise. */
  rmdir(_name: usize, _nameLength: usize, _victim: Vnode): i64 {
    return -EPERM;
  }

  /**
   * Moves `moved` from this directory to `newDirectory` under a new name; `replaced`, if any, is the
   * file that loses that name. With `exchange` the two swap names.
   */
  rename(
    _name: usize,
    _nameLength: usize,
    _moved: Vnode,
    _newDirectory: Vnode,
    _newName: usize,
    _newNameLength: usize,
    _replaced: Vnode | null,
    _exchange: bool,
  ): i64 {
    return -EPERM;
  }

  // ---- symbolic links ----

  /** Copies the target to kernel memory. @returns its length (cut at `capacity`) or an error */
  readlink(_buffer: usize, _capacity: usize): i64 {
    return -EINVAL;
  }

  /**
   * For links that lead to an object rather than to a path (/proc/self/exe, /proc/self/fd/3):
   * @returns 0 for ordinary links, else a Dentry with a reference, or a negative error
   */
  followMagic(): usize {
    return 0;
  }

  /** As `followMagic`, for opening: a File with a reference, 0 for ordinary links, or an error. */
  openMagic(_flags: u32): usize {
    return 0;
  }

  // ---- contents ----

  /**
   * Opens this vnode under the name `dentry` (which the file retains).
   * @param flags O_* flags; access mode already checked against the file system's readOnly
   * @returns a File with a reference, or a negative error
   */
  abstract open(dentry: Dentry | null, flags: u32): usize;

  /** Sets the length; the new part reads as zeros. */
  truncate(_sizeBytes: u64): i64 {
    return this.isDirectory ? -EISDIR : -EINVAL;
  }

  /** fallocate(2) on a regular file. */
  allocate(_mode: u32, _offset: u64, _length: u64): i64 {
    return -EOPNOTSUPP;
  }

  /**
   * Fills page-cache frames from the medium. Called by the page cache only.
   * @param first index of the first page
   * @param frames address of `count` physical addresses (u64), one a page
   * @returns 0 or a negative error (then no page counts as filled)
   */
  readPages(_first: u64, _frames: usize, _count: u32): i32 {
    return -EINVAL;
  }

  /**
   * The page of a regular file for reading, with a reference for the caller.
   * @param ahead how many pages to read from here on if it is not in memory, or READ_AROUND
   * @param isNewUse false if this continues the last access to the page
   * @returns physical address, 0 for a hole (reads as zeros), or a negative error
   */
  pageForRead(_index: u64, _ahead: u32, _isNewUse: bool): i64 {
    return -EINVAL;
  }

  /** The page of a regular file for changing it, made if need be; as `pageForRead`, never 0. */
  pageForWrite(_index: u64): i64 {
    return -EROFS;
  }

  /** The page to map into an address space; `shared`: later writes to the file must show in it. */
  pageForMapping(index: u64, forWrite: bool, shared: bool): i64 {
    return forWrite || shared
      ? this.pageForWrite(index)
      : this.pageForRead(index, READ_AROUND, true);
  }

  /** As `pageForMapping` for reading, only if the page is in memory; else 0. Never sleeps. */
  pageInMemory(_index: u64, _shared: bool): u64 {
    return 0;
  }

  /** One mapping more or less. */
  countMapping(change: i32): void {
    atomic.add<i32>(changetype<usize>(this) + offsetof<Vnode>("mappings"), change);
  }

  /**
   * A file is written or run, never both (ETXTBSY in open(2) and execve(2)). Each of these two is
   * undone by `endWriting` or `endRunning`.
   * @returns false if it is being run
   */
  beginWriting(): bool {
    return this.addWriters(1);
  }

  /** @returns false if somebody has it open for writing */
  beginRunning(): bool {
    return this.addWriters(-1);
  }

  endWriting(): void {
    atomic.sub<i32>(this.writersAddress(), 1);
  }

  endRunning(): void {
    atomic.add<i32>(this.writersAddress(), 1);
  }

  /** Whether a program runs from this file. */
  get isRunning(): bool {
    return this.writers < 0;
  }

  /** Adds 1 or -1, unless the count has the other sign. */
  private addWriters(change: i32): bool {
    while (true) {
      const before = this.writers;
      if (before * change < 0) return false;
      if (atomic.cmpxchg<i32>(this.writersAddress(), before, before + change) == before)
        return true;
    }
  }

  private writersAddress(): usize {
    return changetype<usize>(this) + offsetof<Vnode>("writers");
  }

  /**
   * Takes the pages that hold the bytes `start` … `end` - 1 out of all mappings of the file, after
   * they have left the file: the next access looks for them anew. May sleep.
   * @param takesCopies also the private copies, which do not outlive the end of a file (truncate(2))
   */
  protected unmapEverywhere(start: u64, end: u64, takesCopies: bool): void {
    if (this.mappings == 0) return;
    unmapContent(changetype<usize>(this), start, end, takesCopies);
  }

  /** Start of the next data, or hole, at or after `offset`, which lies in the file (lseek(2)). */
  seekData(offset: i64, forHole: bool): i64 {
    return forHole ? this.sizeBytes() : offset;
  }

  /** Tells that bytes up to `end` were written: the file becomes that long if it was shorter. */
  written(_end: u64): void {}

  /** Makes sure everything written is on the medium. */
  sync(_dataOnly: bool): i64 {
    return 0;
  }

  // ---- extended attributes (xattr(7)) ----

  /** Copies the value of an attribute. @returns its length, or -ENODATA, -ERANGE, -EOPNOTSUPP */
  getExtendedAttribute(_name: usize, _nameLength: usize, _buffer: usize, _capacity: usize): i64 {
    return -ENODATA;
  }
  /** Copies the zero-terminated names of all attributes. @returns their total length */
  listExtendedAttributes(_buffer: usize, _capacity: usize): i64 {
    return 0;
  }
  /** Sets (flags: XATTR_CREATE 1, XATTR_REPLACE 2) an attribute. */
  setExtendedAttribute(
    _name: usize,
    _nameLength: usize,
    _value: usize,
    _length: usize,
    _flags: u32,
  ): i64 {
    return -EOPNOTSUPP;
  }
  /** Removes an attribute. */
  removeExtendedAttribute(_name: usize, _nameLength: usize): i64 {
    return -ENODATA;
  }

  /** ioctl on the vnode for files without an own handler. */
  ioctl(_request: u32, _argument: usize): i64 {
    return -ENOTTY;
  }
}
