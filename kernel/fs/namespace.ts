/**
 * Operations on paths that open or change directory entries: what the system calls in `linux/`
 * call. They take locks, keep the name cache right and check for read-only file systems.
 *
 * In all of them `base` is where a relative path starts (null: the working directory), paths are
 * kernel addresses with lengths, and the umask of the context is applied here.
 */
import { Dentry } from "./dentry";
import { FsContext } from "./path";

/**
 * open(2), openat(2).
 * @param flags O_*
 * @param mode permissions for O_CREAT and O_TMPFILE
 * @param resolveFlags extra RESOLVE_* restrictions of openat2(2), 0 = none
 * @returns a File with a reference, or a negative error
 */
export function openPath(
  _context: FsContext,
  _base: Dentry | null,
  _path: usize,
  _length: usize,
  _flags: u32,
  _mode: u32,
  _resolveFlags: u32 = 0,
): usize {
  abort("unwritten");
  return 0;
}

/** Opens a dentry that was found by `resolve` (no O_CREAT, O_EXCL). @returns a File or an error */
export function openDentry(_dentry: Dentry, _flags: u32): usize {
  abort("unwritten");
  return 0;
}

/** mkdir(2). */
export function makeDirectory(
  _context: FsContext,
  _base: Dentry | null,
  _path: usize,
  _length: usize,
  _mode: u32,
): i64 {
  abort("unwritten");
  return 0;
}

/** mknod(2): a regular file, fifo, socket or device node by the type bits of `mode`. */
export function makeNode(
  _context: FsContext,
  _base: Dentry | null,
  _path: usize,
  _length: usize,
  _mode: u32,
  _nodeDevice: u64,
): i64 {
  abort("unwritten");
  return 0;
}

/** symlink(2): `path` becomes a link to `target`. */
export function makeSymlink(
  _context: FsContext,
  _target: usize,
  _targetLength: usize,
  _base: Dentry | null,
  _path: usize,
  _length: usize,
): i64 {
  abort("unwritten");
  return 0;
}

/** link(2): the file of `source` (found by `resolve`) gets the further name `path`. */
export function makeLink(
  _context: FsContext,
  _source: Dentry,
  _base: Dentry | null,
  _path: usize,
  _length: usize,
): i64 {
  abort("unwritten");
  return 0;
}

/** unlink(2). */
export function removeFile(
  _context: FsContext,
  _base: Dentry | null,
  _path: usize,
  _length: usize,
): i64 {
  abort("unwritten");
  return 0;
}

/** rmdir(2). */
export function removeDirectory(
  _context: FsContext,
  _base: Dentry | null,
  _path: usize,
  _length: usize,
): i64 {
  abort("unwritten");
  return 0;
}

/** renameat2(2); `flags` are RENAME_NOREPLACE, RENAME_EXCHANGE. */
export function renamePath(
  _context: FsContext,
  _oldBase: Dentry | null,
  _oldPath: usize,
  _oldLength: usize,
  _newBase: Dentry | null,
  _newPath: usize,
  _newLength: usize,
  _flags: u32,
): i64 {
  abort("unwritten");
  return 0;
}

/** The root of the whole name space; no new reference is taken. */
export function rootDentry(): Dentry {
  abort("unwritten");
  return changetype<Dentry>(0);
}

/**
 * Makes an unnamed file in memory (memfd_create(2)).
 * @param name bytes shown in /proc/self/fd as "/memfd:NAME (deleted)"
 * @returns a File opened for reading and writing, or -ENOMEM
 */
export function createMemoryFile(_name: usize, _nameLength: usize, _seals: u32): usize {
  abort("unwritten");
  return 0;
}
