/**
 * One path walk: goes component by component, follows symbolic links and crosses mounts
 * (path_resolution(7), openat2(2)).
 *
 * A walk goes either to the end, or stops before the last component, for operations that make or
 * remove it. Links do not recurse: the target and the rest of the path become the new path.
 *
 * Neighbours: `path`, `open` and `namespace` use it; `name-cache` answers for known names.
 */
import {
  ELOOP,
  ENAMETOOLONG,
  ENOENT,
  ENOMEM,
  ENOTDIR,
  EXDEV,
  asError,
  errorOf,
  isError,
} from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { kernelMemoryIsShort } from "./page-cache";
import { NAME_MAX, PATH_MAX, SYMLINKS_MAX } from "./constants";
import { Dentry } from "./dentry";
import { FsContext } from "./fs-context";
import { mountOfRoot, mountedOn } from "./mount";
import { addName, findName, parentOf } from "./name-cache";
import { Vnode } from "./vnode";

/** Follow a symbolic link in the last component. */
export const RESOLVE_FOLLOW: u32 = 1;
/** The last component must be a directory (-ENOTDIR). */
export const RESOLVE_DIRECTORY: u32 = 2;
/** An empty path means the base itself (AT_EMPTY_PATH). */
export const RESOLVE_EMPTY: u32 = 4;
// Restrictions of openat2(2).
export const RESOLVE_NO_SYMLINKS: u32 = 8;
export const RESOLVE_NO_MAGICLINKS: u32 = 16;
export const RESOLVE_NO_XDEV: u32 = 32;
export const RESOLVE_BENEATH: u32 = 64;
export const RESOLVE_IN_ROOT: u32 = 128;

/** The last component is an ordinary name. */
export const LAST_NAME: u32 = 0;
/** The path names the root. */
export const LAST_ROOT: u32 = 1;
export const LAST_DOT: u32 = 2;
export const LAST_DOT_DOT: u32 = 3;

const SLASH: u8 = 0x2f;
const DOT: u8 = 0x2e;

export class PathWalk {
  /** Where the walk stands; owns a reference. */
  private current: Dentry;
  /** What the walk must not leave; owns a reference. */
  private root: Dentry;
  private position: usize;
  private end: usize;
  /** Buffer of `position` once a link was followed, owned; else 0. */
  private buffer: usize = 0;
  private links: u32 = 0;
  private failure: i32 = 0;

  /** After `toParent`: the last component. */
  lastKind: u32 = LAST_ROOT;
  lastName: usize = 0;
  lastLength: usize = 0;
  /** A slash follows the last component: it must be a directory. */
  hasTrailingSlash: bool = false;

  constructor(
    readonly context: FsContext,
    base: Dentry | null,
    path: usize,
    length: usize,
    private flags: u32,
  ) {
    let start: Dentry;
    if (base) {
      base.retain();
      start = base;
    } else {
      start = context.takeCwd();
    }
    let root: Dentry;
    if (flags & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) {
      start.retain();
      root = start;
    } else {
      root = context.takeRoot();
    }
    this.root = root;
    this.position = path;
    this.end = path + length;
    this.current = start;
    if (length == 0 && !(flags & RESOLVE_EMPTY)) this.failure = -ENOENT;
    if (length >= PATH_MAX) this.failure = -ENAMETOOLONG;
    if (length > 0 && load<u8>(path) == SLASH) {
      if (flags & RESOLVE_BENEATH) this.failure = -EXDEV;
      root.retain();
      this.moveTo(root);
    }
  }

  /** The directory (or, after `toEnd`, the file) reached; no new reference. */
  get place(): Dentry {
    return this.current;
  }

  /** False if openat2(2) forbids links that lead to objects. */
  get mayFollowMagic(): bool {
    const forbidden =
      RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT;
    return (this.flags & forbidden) == 0;
  }

  /** Adds RESOLVE_* flags before the walk. */
  addFlags(flags: u32): void {
    this.flags |= flags;
  }

  /** `place` with a reference for the caller. */
  takeCurrent(): Dentry {
    const current = this.current;
    current.retain();
    return current;
  }

  /** Gives back what the walk holds. */
  dispose(): void {
    this.current.release();
    this.root.release();
    if (this.buffer) heapFree(this.buffer);
  }

  /** Walks the whole path. @returns 0 or a negative error */
  toEnd(): i64 {
    let status = this.toParent();
    while (status == 0 && this.lastKind == LAST_NAME) {
      const found = this.child(this.lastName, this.lastLength);
      if (isError(found)) return errorOf(found);
      const child = changetype<Dentry>(found);
      if (child.isNegative) {
        child.release();
        return -ENOENT;
      }
      if (!child.node.isSymlink || !(this.hasTrailingSlash || this.flags & RESOLVE_FOLLOW)) {
        this.moveTo(child);
        break;
      }
      status = this.followLast(child);
    }
    if (status < 0) return status;
    const mustBeDirectory = this.hasTrailingSlash || (this.flags & RESOLVE_DIRECTORY) != 0;
    return mustBeDirectory && !this.current.node.isDirectory ? -ENOTDIR : 0;
  }

  /**
   * Walks to the directory of the last component and describes that in `lastName` and `lastKind`.
   * ".", ".." and "/" at the end are walked, so `place` is the file itself then.
   */
  toParent(): i64 {
    if (this.failure) return this.failure;
    while (true) {
      while (this.position < this.end && load<u8>(this.position) == SLASH) this.position++;
      if (this.position == this.end) return 0;
      const name = this.position;
      let at = name;
      while (at < this.end && load<u8>(at) != SLASH) at++;
      const length = at - name;
      if (length > NAME_MAX) return -ENAMETOOLONG;
      while (at < this.end && load<u8>(at) == SLASH) at++;
      this.position = at;
      const isLast = at == this.end;
      this.hasTrailingSlash = isLast && load<u8>(at - 1) == SLASH;
      if (!this.current.node.isDirectory) return -ENOTDIR;
      this.lastKind = kindOf(name, length);
      if (this.lastKind == LAST_DOT_DOT) {
        const status = this.up();
        if (status < 0) return status;
      } else if (this.lastKind == LAST_NAME) {
        if (isLast) {
          this.lastName = name;
          this.lastLength = length;
          return 0;
        }
        const status = this.down(name, length);
        if (status < 0) return status;
      }
      if (isLast) return 0;
    }
  }

  /**
   * Goes on with the target of a symbolic link found as last component (its reference is taken
   * over), again up to the last component. After a link that leads to an object, `lastKind` is
   * LAST_DOT and `place` the object.
   */
  followLast(link: Dentry): i64 {
    const status = this.follow(link);
    link.release();
    return status < 0 ? status : this.toParent();
  }

  /** The entry of the current directory, mounts crossed; a Dentry with a reference, or an error. */
  child(name: usize, length: usize): usize {
    let found = findName(this.current, name, length);
    if (!found) {
      const fs = this.current.node.fs;
      fs.namespaceLock.lock();
      found = lookUp(this.current, name, length);
      fs.namespaceLock.unlock();
      if (isError(found)) return found;
    }
    const child = changetype<Dentry>(found);
    if (!child.isMountPoint) return found;
    if (this.flags & RESOLVE_NO_XDEV) {
      child.release();
      return asError(-EXDEV);
    }
    const root = mountedOn(child);
    root.retain();
    child.release();
    return changetype<usize>(root);
  }

  private moveTo(next: Dentry): void {
    this.current.release();
    this.current = next;
  }

  private up(): i64 {
    let at = this.current;
    while (true) {
      if (at == this.root) {
        if (this.flags & RESOLVE_BENEATH) return -EXDEV;
        break;
      }
      const parent = parentOf(at);
      if (parent) {
        this.moveTo(parent);
        return 0;
      }
      const mount = mountOfRoot(at);
      const covers = mount ? mount.covers : null;
      if (!covers) break;
      if (this.flags & RESOLVE_NO_XDEV) return -EXDEV;
      // Mounts are for good, so the directory below stays.
      at = covers;
    }
    at.retain();
    this.moveTo(at);
    return 0;
  }

  private down(name: usize, length: usize): i64 {
    const found = this.child(name, length);
    if (isError(found)) return errorOf(found);
    const child = changetype<Dentry>(found);
    if (child.isNegative) {
      child.release();
      return -ENOENT;
    }
    if (child.node.isSymlink) {
      const status = this.follow(child);
      child.release();
      return status;
    }
    this.moveTo(child);
    return 0;
  }

  /** Puts the target of a link in front of the rest of the path. */
  private follow(link: Dentry): i64 {
    if (this.flags & RESOLVE_NO_SYMLINKS || ++this.links > SYMLINKS_MAX) return -ELOOP;
    const node = link.node;
    const magic = node.followMagic();
    if (magic) return this.followMagic(magic);
    const rest = this.end - this.position;
    // The target, a slash, the rest; the slash also says that the target must be a directory.
    const needsSlash = rest > 0 || this.hasTrailingSlash;
    const capacity = PATH_MAX + rest + 1;
    const buffer = heapAllocate(capacity);
    if (!buffer) return -ENOMEM;
    const length = node.readlink(buffer, PATH_MAX);
    if (length <= 0 || length >= <i64>PATH_MAX) {
      heapFree(buffer);
      return length < 0 ? length : length == 0 ? -ENOENT : -ENAMETOOLONG;
    }
    let end = buffer + <usize>length;
    if (needsSlash) store<u8>(end++, SLASH);
    memory.copy(end, this.position, rest);
    if (this.buffer) heapFree(this.buffer);
    this.buffer = buffer;
    this.position = buffer;
    this.end = end + rest;
    this.lastKind = LAST_ROOT;
    if (load<u8>(buffer) == SLASH) {
      if (this.flags & RESOLVE_BENEATH) return -EXDEV;
      this.root.retain();
      this.moveTo(this.root);
    }
    return 0;
  }

  /** `magic` is what `Vnode.followMagic` returned. */
  private followMagic(magic: usize): i64 {
    if (isError(magic)) return errorOf(magic);
    const target = changetype<Dentry>(magic);
    if (this.flags & (RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT)) {
      target.release();
      return this.flags & RESOLVE_NO_MAGICLINKS ? -ELOOP : -EXDEV;
    }
    this.moveTo(target);
    this.lastKind = LAST_DOT;
    return 0;
  }
}

/**
 * Finds an entry of a directory in the name cache or the file system, and caches the answer. The
 * caller holds the file system's namespaceLock.
 * @returns a Dentry (negative if there is no such entry) with a reference, or a negative error
 */
export function lookUp(directory: Dentry, name: usize, length: usize): usize {
  const cached = findName(directory, name, length);
  if (cached) return cached;
  const node = directory.node;
  if (directory.isDeleted) return asError(-ENOENT);
  // Old names go when memory is short; looking up must work even then, or nothing could be removed.
  kernelMemoryIsShort();
  const found = node.lookup(name, length);
  let vnode: Vnode | null = null;
  if (!isError(found)) vnode = changetype<Vnode>(found);
  else if (errorOf(found) != -ENOENT) return found;
  return changetype<usize>(addName(directory, name, length, vnode, node.fs.cachesNames));
}

function kindOf(name: usize, length: usize): u32 {
  if (length > 2 || load<u8>(name) != DOT) return LAST_NAME;
  if (length == 1) return LAST_DOT;
  return load<u8>(name + 1) == DOT ? LAST_DOT_DOT : LAST_NAME;
}
