/**
 * Path walk (path_resolution(7)): from a path in bytes to a dentry.
 *
 * Neighbours: `dentry` (name cache), `namespace` (operations that change directories).
 */
import { Counted } from "../lib/object";
import { Dentry } from "./dentry";

/** The working directory, root and umask of a process; threads share one (CLONE_FS). */
export class FsContext extends Counted {
  /** What "/" means (chroot(2)). */
  root: Dentry;
  /** Where relative paths start. */
  cwd: Dentry;
  umask: u32 = 0x12;

  /** Takes a reference of both. */
  constructor(root: Dentry, cwd: Dentry) {
    super();
    root.retain();
    cwd.retain();
    this.root = root;
    this.cwd = cwd;
  }

  /** Changes the working directory (chdir); takes a reference. */
  setCwd(cwd: Dentry): void {
    cwd.retain();
    const old = this.cwd;
    this.cwd = cwd;
    old.release();
  }

  /** Changes the root (chroot); takes a reference. */
  setRoot(root: Dentry): void {
    root.retain();
    const old = this.root;
    this.root = root;
    old.release();
  }

  /** A copy for a new process. */
  copy(): FsContext {
    const copy = new FsContext(this.root, this.cwd);
    copy.umask = this.umask;
    return copy;
  }

  destroy(): void {
    this.root.release();
    this.cwd.release();
    __free(changetype<usize>(this));
  }
}

// Flags of `resolve`.
/** Follow a symbolic link in the last component. */
export const RESOLVE_FOLLOW: u32 = 1;
/** The last component must be a directory (-ENOTDIR). */
export const RESOLVE_DIRECTORY: u32 = 2;
/** An empty path means the base itself (AT_EMPTY_PATH). */
export const RESOLVE_EMPTY: u32 = 4;
/** openat2(2) restrictions. */
export const RESOLVE_NO_SYMLINKS: u32 = 8;
export const RESOLVE_NO_MAGICLINKS: u32 = 16;
export const RESOLVE_NO_XDEV: u32 = 32;
export const RESOLVE_BENEATH: u32 = 64;
export const RESOLVE_IN_ROOT: u32 = 128;

/**
 * Finds the file a path names.
 * @param base directory where a relative path starts; null: the working directory
 * @param path kernel address of `length` bytes, no terminating zero needed
 * @param flags RESOLVE_*
 * @returns a Dentry (always with a vnode) with a reference for the caller, or -ENOENT, -ENOTDIR,
 * -ELOOP, -ENAMETOOLONG, -EIO, -ENOMEM
 */
export function resolve(
  _context: FsContext,
  _base: Dentry | null,
  _path: usize,
  _length: usize,
  _flags: u32,
): usize {
  abort("unwritten");
  return 0;
}
