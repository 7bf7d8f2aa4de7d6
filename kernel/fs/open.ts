/**
 * Opening files: open(2), openat(2), openat2(2).
 *
 * Neighbours: `path-walk` finds the place, `namespace` creates, the vnode makes the open file.
 */
import {
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  ENOENT,
  ENOTDIR,
  EROFS,
  ETXTBSY,
  asError,
  errorOf,
  isError,
} from "../lib/errno";
import { free } from "../lib/object";
import {
  O_ACCMODE,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_TMPFILE_BIT,
  O_TRUNC,
  S_IFREG,
  S_PERMISSIONS,
} from "./constants";
import { Dentry } from "./dentry";
import { File } from "./file";
import { FsContext } from "./fs-context";
import { createEntry, giveOwner } from "./namespace";
import { IN_MODIFY, IN_OPEN, notifyFile } from "./notify";
import { PathFile } from "./path-file";
import { LAST_NAME, PathWalk, RESOLVE_DIRECTORY, RESOLVE_FOLLOW } from "./path-walk";
import { RegularFile } from "./regular-file";
import { Vnode } from "./vnode";
import { truncateVnode } from "./write-locks";

/**
 * open(2), openat(2).
 * @param base directory where a relative path starts; null: the working directory
 * @param flags O_*
 * @param mode permissions for O_CREAT and O_TMPFILE, before the umask
 * @param resolveFlags extra RESOLVE_* restrictions of openat2(2), 0 = none
 * @returns a File with a reference, or a negative error
 */
export function openPath(
  context: FsContext,
  base: Dentry | null,
  path: usize,
  length: usize,
  flags: u32,
  mode: u32,
  resolveFlags: u32 = 0,
): usize {
  const follow = flags & O_NOFOLLOW ? 0 : RESOLVE_FOLLOW;
  const walk = new PathWalk(context, base, path, length, resolveFlags | follow);
  const permissions = mode & S_PERMISSIONS & ~context.umask;
  let file: usize;
  if (flags & O_PATH || !(flags & (O_CREAT | O_TMPFILE_BIT))) file = openExisting(walk, flags);
  else if (flags & O_TMPFILE_BIT) file = openUnnamed(walk, flags, permissions);
  else file = openOrCreate(walk, flags, permissions);
  walk.dispose();
  free(walk);
  return file;
}

/** Opens a dentry that was found by `resolve` (no O_CREAT). @returns a File or a negative error */
export function openDentry(dentry: Dentry, flags: u32): usize {
  const node = dentry.node;
  if (flags & O_PATH) return changetype<usize>(new PathFile(dentry, flags));
  if (flags & O_DIRECTORY && !node.isDirectory) return asError(-ENOTDIR);
  if (node.isSymlink) return asError(-ELOOP);
  const writes = (flags & O_ACCMODE) != O_RDONLY;
  if (node.isDirectory && (writes || flags & O_TRUNC)) return asError(-EISDIR);
  if (writes && node.isRegular && node.fs.readOnly) return asError(-EROFS);
  if ((writes || flags & O_TRUNC) && node.isRunning) return asError(-ETXTBSY);
  const file = node.open(dentry, flags);
  if (isError(file)) return file;
  const opened = changetype<File>(file);
  if (writes && opened instanceof RegularFile && !(<RegularFile>opened).claimForWriting()) {
    opened.release();
    return asError(-ETXTBSY);
  }
  notifyFile(dentry, IN_OPEN);
  if (flags & O_TRUNC && node.isRegular && truncateVnode(node, 0) == 0) {
    notifyFile(dentry, IN_MODIFY);
  }
  return file;
}

function openExisting(walk: PathWalk, flags: u32): usize {
  let status = walk.toParent();
  while (status == 0 && walk.lastKind == LAST_NAME) {
    const found = walk.child(walk.lastName, walk.lastLength);
    if (isError(found)) return found;
    const child = changetype<Dentry>(found);
    const isLink = !child.isNegative && child.node.isSymlink;
    if (isLink && !(flags & O_NOFOLLOW && !walk.hasTrailingSlash)) {
      const opened = walk.mayFollowMagic ? child.node.openMagic(flags) : 0;
      if (opened) {
        child.release();
        return opened;
      }
      status = walk.followLast(child);
      continue;
    }
    const file = openFound(child, flags, walk.hasTrailingSlash);
    child.release();
    return file;
  }
  return status < 0 ? asError(status) : openFound(walk.place, flags, walk.hasTrailingSlash);
}

function openFound(dentry: Dentry, flags: u32, mustBeDirectory: bool): usize {
  if (dentry.isNegative) return asError(-ENOENT);
  if (mustBeDirectory && !dentry.node.isDirectory) return asError(-ENOTDIR);
  return openDentry(dentry, flags);
}

/** O_CREAT: opens the file, or makes it. A dangling link makes its target. */
function openOrCreate(walk: PathWalk, flags: u32, permissions: u32): usize {
  if (flags & O_DIRECTORY) return asError(-EINVAL);
  let status = walk.toParent();
  while (status == 0 && walk.lastKind == LAST_NAME) {
    if (walk.hasTrailingSlash) return asError(-EISDIR);
    const found = walk.child(walk.lastName, walk.lastLength);
    if (isError(found)) return found;
    let child = changetype<Dentry>(found);
    let isNew = false;
    if (child.isNegative) {
      child.release();
      const made = createEntry(
        walk.context,
        walk.place,
        walk.lastName,
        walk.lastLength,
        S_IFREG | permissions,
        0,
      );
      if (isError(made)) {
        // Somebody else made it first.
        if (errorOf(made) == -EEXIST && !(flags & O_EXCL)) continue;
        return made;
      }
      child = changetype<Dentry>(made);
      isNew = true;
    }
    if (!isNew && flags & O_EXCL) {
      child.release();
      return asError(-EEXIST);
    }
    if (child.node.isSymlink) {
      if (flags & O_NOFOLLOW) {
        child.release();
        return asError(-ELOOP);
      }
      const opened = walk.mayFollowMagic ? child.node.openMagic(flags) : 0;
      if (opened) {
        child.release();
        return opened;
      }
      status = walk.followLast(child);
      continue;
    }
    const file = child.node.isDirectory
      ? asError(-EISDIR)
      : openFound(child, isNew ? flags & ~O_TRUNC : flags, false);
    child.release();
    return file;
  }
  if (status < 0) return asError(status);
  return asError(flags & O_EXCL ? -EEXIST : -EISDIR);
}

/** O_TMPFILE: `path` names the directory whose file system takes the file. */
function openUnnamed(walk: PathWalk, flags: u32, permissions: u32): usize {
  if ((flags & O_ACCMODE) == O_RDONLY) return asError(-EINVAL);
  if (!(flags & O_DIRECTORY)) return asError(-EINVAL);
  walk.addFlags(RESOLVE_FOLLOW | RESOLVE_DIRECTORY);
  const status = walk.toEnd();
  if (status < 0) return asError(status);
  const directory = walk.place.node;
  if (directory.fs.readOnly) return asError(-EROFS);
  const made = directory.createUnnamed(S_IFREG | permissions);
  if (isError(made)) return made;
  const vnode = changetype<Vnode>(made);
  giveOwner(vnode, walk.context, directory);
  const dentry = new Dentry(walk.place, changetype<usize>("#"), 1, vnode);
  dentry.isDeleted = true;
  const file = vnode.open(dentry, flags & ~(O_DIRECTORY | O_TMPFILE_BIT));
  dentry.release();
  return file;
}
