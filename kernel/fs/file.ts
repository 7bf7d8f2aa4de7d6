/**
 * An open file: what a file descriptor refers to ("open file description" in POSIX). Regular files,
 * directories, pipes, devices, sockets, epoll sets … extend `File` and override what they support.
 *
 * Buffers are addresses of the application or the kernel; bytes are moved by `copyUser`, and a
 * fault is reported as -EFAULT when nothing was moved.
 * Neighbours: `linux/fd-table` holds files, `vnode` opens them.
 */
import { Counted, free } from "../lib/object";
import { ByteWriter } from "../lib/format";
import { Mutex } from "../sched/mutex";
import { WaitLink } from "../sched/wait";
import { EBADF, EINVAL, ENODEV, ENOTDIR, ENOTTY, ENXIO, ESPIPE, asError } from "../lib/errno";
import { Dentry } from "./dentry";
import { IN_CLOSE_NOWRITE, IN_CLOSE_WRITE, notifyFile } from "./notify";
import { DirectorySink, Vnode } from "./vnode";
import { Stat } from "./stat";
import {
  O_ACCMODE,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  POLLIN,
  POLLOUT,
  POLLRDNORM,
  POLLWRNORM,
} from "./constants";

export abstract class File extends Counted {
  /** O_* access mode and status flags; fcntl(F_SETFL) changes some. */
  flags: u32;
  /** Where the next read or write takes place, in bytes. */
  offset: u64 = 0;
  /** The name it was opened by; null for files that never had one. */
  dentry: Dentry | null = null;
  /** Owner and signal of F_SETOWN/F_SETSIG, kept for fcntl. */
  signalOwner: i32 = 0;
  /** First of those to be told when the file ends (`linux/file-watch`: epoll, flock); 0 if none. */
  watchers: usize = 0;
  /** Serialises the calls that use the file offset; made on first use (`linux/position-lock`). */
  positionLock: Mutex | null = null;

  constructor(flags: u32) {
    super();
    this.flags = flags;
  }

  /** The vnode behind it, or null (epoll, eventfd …). */
  get vnode(): Vnode | null {
    const dentry = this.dentry;
    return dentry ? dentry.vnode : null;
  }
  get isReadable(): bool {
    const mode = this.flags & O_ACCMODE;
    return mode != O_WRONLY && mode != O_ACCMODE;
  }
  get isWritable(): bool {
    return (this.flags & O_ACCMODE) != O_RDONLY;
  }

  // The caller (linux/file-io) has checked the access mode and limited `length` to 0x7ffff000.

  /** Reads at the file offset and advances it. @returns bytes read (0 = end) or a negative error */
  read(_buffer: usize, _length: usize): i64 {
    return -EINVAL;
  }
  /** Writes at the file offset (the end with O_APPEND) and advances it. */
  write(_buffer: usize, _length: usize): i64 {
    return -EINVAL;
  }
  /** Reads at `offset`, leaving the file offset alone (pread). */
  readAt(_buffer: usize, _length: usize, _offset: u64): i64 {
    return -ESPIPE;
  }
  /** Writes at `offset` (pwrite). */
  writeAt(_buffer: usize, _length: usize, _offset: u64): i64 {
    return -ESPIPE;
  }
  /** lseek(2); `origin` is SEEK_*. @returns the new offset */
  seek(_offset: i64, _origin: u32): i64 {
    return -ESPIPE;
  }
  /** ioctl(2) request that `linux/` does not answer itself. */
  ioctl(_request: u32, _argument: usize): i64 {
    return -ENOTTY;
  }
  /** fcntl(2) command that only this kind of file knows: F_SETPIPE_SZ 1031, F_GETPIPE_SZ 1032. */
  control(_command: i32, _argument: usize): i64 {
    return -EINVAL;
  }
  /**
   * The POLL* events that hold now. With a link, the link is first put on the wait queue that is
   * woken when this changes; the caller takes it off with `unpoll` (only if it was added:
   * `canPoll`).
   */
  poll(_link: WaitLink | null): u32 {
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  }
  /** Takes the link of `poll` off the queue. */
  unpoll(_link: WaitLink): void {}
  /** True if readiness can change, so `poll` used the link; false for regular files (epoll: EPERM). */
  canPoll(): bool {
    return false;
  }
  /** Reports directory entries from the file offset, which advances (getdents64). */
  iterate(_sink: DirectorySink): i64 {
    return -ENOTDIR;
  }
  /** fstat(2). */
  stat(out: Stat): i64 {
    const vnode = this.vnode;
    return vnode ? vnode.attributes(out) : -EBADF;
  }
  /**
   * What mmap(2) maps: a Pager with a reference for the caller, or -ENODEV.
   */
  pager(): usize {
    return asError(-ENODEV);
  }
  /** ftruncate(2). */
  truncate(_sizeBytes: u64): i64 {
    return -EINVAL;
  }
  /** fallocate(2). */
  allocate(_mode: u32, _offset: u64, _length: u64): i64 {
    return -ENODEV;
  }
  /** fsync(2); `dataOnly` for fdatasync. */
  sync(_dataOnly: bool): i64 {
    return -EINVAL;
  }
  /** Opens the same object anew (open of /proc/self/fd/N). @returns a File with a reference */
  reopen(_flags: u32): usize {
    return asError(-ENXIO);
  }
  /** Called when one descriptor of it is closed (close(2)); the last reference calls `destroy`. */
  descriptorClosed(): void {}

  /**
   * The last reference is gone. Tells the watchers and frees what every file has; then the
   * subclass frees the rest, the dentry's reference included, and the object (`dispose`).
   */
  destroy(): void {
    const dentry = this.dentry;
    if (dentry && (this.flags & O_PATH) == 0) {
      notifyFile(dentry, this.isWritable ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
    }
    const end = endWatches;
    if (this.watchers != 0 && end) end(this);
    const lock = this.positionLock;
    if (lock) {
      lock.dispose();
      free(lock);
    }
    this.dispose();
  }
  /** Frees the dentry's reference, what else the subclass owns, and the object. Called once. */
  abstract dispose(): void;

  /** Writes what /proc/self/fd/N shows: a path, or "pipe:[7]" and the like. */
  abstract writePath(out: ByteWriter): void;
}

/** Tells those who watch a file (epoll, flock) that it ends. */
let endWatches: ((file: File) => void) | null = null;

/** Registers the function that ends the watches of a file (`linux/file-watch`). */
export function setWatchEnd(end: (file: File) => void): void {
  endWatches = end;
}
