/**
 * Operations on paths that change directories: mkdir, mknod, symlink, link, unlink, rmdir, rename.
 * They take the file system's namespaceLock, keep the name cache right, and refuse read-only file
 * systems.
 *
 * In all of them `base` is where a relative path starts (null: the working directory), paths are
 * kernel addresses with lengths, and the umask of the context is applied here.
 * Neighbours: `path-walk`, `open`, `rename`; `linux/` calls them.
 */
import {
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  EROFS,
  EXDEV,
  asError,
  errorOf,
  isError,
} from "../lib/errno";
import { free } from "../lib/object";
import { S_IFDIR, S_IFMT, S_ISGID, S_PERMISSIONS } from "./constants";
import { Dentry } from "./dentry";
import { FsContext } from "./fs-context";
import { addName, cacheName, uncacheName } from "./name-cache";
import { IN_CREATE, IN_DELETE, notifyEntry, notifyGone, notifyLinks } from "./notify";
import { LAST_DOT, LAST_NAME, LAST_ROOT, PathWalk, lookUp } from "./path-walk";
import { Stat } from "./stat";
import { Vnode } from "./vnode";

export { openDentry, openPath } from "./open";
export { rootDentry } from "./mount";
export { renamePath } from "./rename";
export { createMemoryFile } from "./tmpfs/memory-file";

/** mkdir(2). */
export function makeDirectory(
  context: FsContext,
  base: Dentry | null,
  path: usize,
  length: usize,
  mode: u32,
): i64 {
  const permissions = mode & S_PERMISSIONS & ~context.umask;
  return make(context, base, path, length, S_IFDIR | permissions, 0, 0);
}

/** mknod(2): a regular file, fifo, socket or device node by the type bits of `mode`. */
export function makeNode(
  context: FsContext,
  base: Dentry | null,
  path: usize,
  length: usize,
  mode: u32,
  nodeDevice: u64,
): i64 {
  if ((mode & S_IFMT) == S_IFDIR) return -EPERM;
  const permissions = mode & S_PERMISSIONS & ~context.umask;
  return make(context, base, path, length, (mode & S_IFMT) | permissions, nodeDevice, 0);
}

/** symlink(2): `path` becomes a link to `target`. */
export function makeSymlink(
  context: FsContext,
  target: usize,
  targetLength: usize,
  base: Dentry | null,
  path: usize,
  length: usize,
): i64 {
  if (targetLength == 0) return -ENOENT;
  return make(context, base, path, length, 0, targetLength, target);
}

/** `target` is 0, or the address of a link's target with its length in `extra`. */
function make(
  context: FsContext,
  base: Dentry | null,
  path: usize,
  length: usize,
  mode: u32,
  extra: u64,
  target: usize,
): i64 {
  const walk = new PathWalk(context, base, path, length, 0);
  let status = walk.toParent();
  if (status == 0) {
    if (walk.lastKind != LAST_NAME) status = -EEXIST;
    else status = makeAt(walk, mode, extra, target);
  }
  walk.dispose();
  free(walk);
  return status;
}

function makeAt(walk: PathWalk, mode: u32, extra: u64, target: usize): i64 {
  // A slash at the end names a directory (path_resolution(7)); an existing name is told first.
  if (walk.hasTrailingSlash && (mode & S_IFMT) != S_IFDIR) {
    const found = walk.child(walk.lastName, walk.lastLength);
    if (isError(found)) return errorOf(found);
    const child = changetype<Dentry>(found);
    const exists = !child.isNegative;
    child.release();
    return exists ? -EEXIST : -ENOENT;
  }
  const made = createEntry(
    walk.context,
    walk.place,
    walk.lastName,
    walk.lastLength,
    mode,
    extra,
    target,
  );
  if (isError(made)) return errorOf(made);
  changetype<Dentry>(made).release();
  return 0;
}

/**
 * Makes an entry of any kind in a directory: by `target` a symbolic link of length `extra`, else by
 * the type bits of `mode` (`extra`: device number).
 * @returns its Dentry with a reference, -EEXIST if the name exists, or another negative error
 */
export function createEntry(
  context: FsContext,
  directory: Dentry,
  name: usize,
  nameLength: usize,
  mode: u32,
  extra: u64,
  target: usize = 0,
): usize {
  const parent = directory.node;
  if (!parent.isDirectory) return asError(-ENOTDIR);
  const lock = parent.fs.namespaceLock;
  lock.lock();
  const made = createLocked(directory, parent, name, nameLength, mode, extra, target);
  if (!isError(made)) giveOwner(changetype<Dentry>(made).node, context, parent);
  lock.unlock();
  return made;
}

/** A new file belongs to its maker, in a set-group-ID directory to that one's group (inode(7)). */
export function giveOwner(made: Vnode, context: FsContext, parent: Vnode): void {
  let group = context.ownerGroup;
  if (parent.mode & S_ISGID) {
    const stat = new Stat();
    parent.attributes(stat);
    group = stat.gid;
    free(stat);
    if (made.isDirectory) made.mode |= S_ISGID;
  }
  made.setOwner(context.ownerUser, group);
}

function createLocked(
  directory: Dentry,
  parent: Vnode,
  name: usize,
  nameLength: usize,
  mode: u32,
  extra: u64,
  target: usize,
): usize {
  const found = lookUp(directory, name, nameLength);
  if (isError(found)) return found;
  const old = changetype<Dentry>(found);
  if (!old.isNegative) {
    old.release();
    return asError(-EEXIST);
  }
  let made: usize;
  if (parent.fs.readOnly) made = asError(-EROFS);
  else if (target) made = parent.symlink(name, nameLength, target, <usize>extra);
  else if ((mode & S_IFMT) == S_IFDIR) made = parent.mkdir(name, nameLength, mode);
  else made = parent.create(name, nameLength, mode, extra);
  if (!isError(made)) {
    uncacheName(old);
    const vnode = changetype<Vnode>(made);
    const entry = addName(directory, name, nameLength, vnode, parent.fs.cachesNames);
    made = changetype<usize>(entry);
    notifyEntry(parent, name, nameLength, entry.node, IN_CREATE);
  }
  old.release();
  return made;
}

/** link(2): the file of `source` (found by `resolve`) gets the further name `path`. */
export function makeLink(
  context: FsContext,
  source: Dentry,
  base: Dentry | null,
  path: usize,
  length: usize,
): i64 {
  const walk = new PathWalk(context, base, path, length, 0);
  let status = walk.toParent();
  if (status == 0) {
    if (walk.lastKind != LAST_NAME) status = -EEXIST;
    else status = linkAt(walk, source.node);
  }
  walk.dispose();
  free(walk);
  return status;
}

function linkAt(walk: PathWalk, vnode: Vnode): i64 {
  const directory = walk.place;
  const parent = directory.node;
  const lock = parent.fs.namespaceLock;
  lock.lock();
  const found = lookUp(directory, walk.lastName, walk.lastLength);
  let status: i64 = isError(found) ? errorOf(found) : 0;
  if (status == 0) {
    const old = changetype<Dentry>(found);
    if (!old.isNegative) status = -EEXIST;
    else if (walk.hasTrailingSlash) status = -ENOENT;
    else if (parent.fs != vnode.fs) status = -EXDEV;
    else if (vnode.isDirectory) status = -EPERM;
    else if (parent.fs.readOnly) status = -EROFS;
    else status = parent.link(vnode, walk.lastName, walk.lastLength);
    if (status == 0) {
      uncacheName(old);
      notifyLinks(vnode);
      notifyEntry(parent, walk.lastName, walk.lastLength, vnode, IN_CREATE);
    }
    old.release();
  }
  lock.unlock();
  return status;
}

/** unlink(2). */
export function removeFile(
  context: FsContext,
  base: Dentry | null,
  path: usize,
  length: usize,
): i64 {
  return remove(context, base, path, length, false);
}

/** rmdir(2). */
export function removeDirectory(
  context: FsContext,
  base: Dentry | null,
  path: usize,
  length: usize,
): i64 {
  return remove(context, base, path, length, true);
}

function remove(
  context: FsContext,
  base: Dentry | null,
  path: usize,
  length: usize,
  isDirectory: bool,
): i64 {
  const walk = new PathWalk(context, base, path, length, 0);
  let status = walk.toParent();
  if (status == 0) {
    if (walk.lastKind == LAST_NAME) status = removeAt(walk, isDirectory);
    else if (!isDirectory) status = -EISDIR;
    else if (walk.lastKind == LAST_ROOT) status = -EBUSY;
    else status = walk.lastKind == LAST_DOT ? -EINVAL : -ENOTEMPTY;
  }
  walk.dispose();
  free(walk);
  return status;
}

function removeAt(walk: PathWalk, isDirectory: bool): i64 {
  const directory = walk.place;
  const parent = directory.node;
  const lock = parent.fs.namespaceLock;
  lock.lock();
  const found = lookUp(directory, walk.lastName, walk.lastLength);
  let status: i64 = isError(found) ? errorOf(found) : 0;
  if (status == 0) {
    const victim = changetype<Dentry>(found);
    status = mayRemove(victim, isDirectory, walk.hasTrailingSlash);
    if (status == 0) {
      const vnode = victim.node;
      status = isDirectory
        ? parent.rmdir(walk.lastName, walk.lastLength, vnode)
        : parent.unlink(walk.lastName, walk.lastLength, vnode);
    }
    const vnode = victim.vnode;
    if (vnode && status == 0) {
      // Watches of the file hear of its end before those of its directory (as d_delete_notify of Linux).
      vnode.retain();
      notifyLinks(vnode);
      forgetRemoved(victim);
      // Remembered names may keep a removed directory for long.
      if (isDirectory) notifyGone(vnode);
    }
    victim.release();
    if (vnode && status == 0) {
      notifyEntry(parent, walk.lastName, walk.lastLength, vnode, IN_DELETE);
      vnode.release();
    }
  }
  lock.unlock();
  return status;
}

/** Checks whether an entry may be removed as a directory, or as something else. */
export function mayRemove(victim: Dentry, asDirectory: bool, hasTrailingSlash: bool): i64 {
  if (victim.isNegative) return -ENOENT;
  const node = victim.node;
  if (asDirectory) {
    if (!node.isDirectory) return -ENOTDIR;
  } else {
    if (node.isDirectory) return -EISDIR;
    if (hasTrailingSlash) return -ENOTDIR;
  }
  if (victim.isMountPoint) return -EBUSY;
  return node.fs.readOnly ? -EROFS : 0;
}

/** The entry is gone from its directory: remembers instead that the name does not exist. */
export function forgetRemoved(victim: Dentry): void {
  const parent = victim.parent;
  victim.isDeleted = true;
  uncacheName(victim);
  if (!parent || !victim.node.fs.cachesNames) return;
  const negative = new Dentry(parent, victim.nameBytes, victim.nameLength, null);
  cacheName(negative);
  negative.release();
}
