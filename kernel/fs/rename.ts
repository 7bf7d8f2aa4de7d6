/**
 * rename(2), renameat2(2): moves a name, within one file system, replacing what has the new name.
 *
 * Neighbours: `namespace` (other changes of directories), `vnode.rename` does it on the medium.
 */
import {
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EROFS,
  EXDEV,
  errorOf,
  isError,
} from "../lib/errno";
import { free } from "../lib/object";
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from "./constants";
import { Dentry } from "./dentry";
import { FsContext } from "./fs-context";
import { moveName, uncacheName } from "./name-cache";
import { notifyGone, notifyLinks, notifyMove, notifyMoved } from "./notify";
import { LAST_NAME, PathWalk, lookUp } from "./path-walk";
import { Vnode } from "./vnode";

/** renameat2(2); `flags` are RENAME_NOREPLACE, RENAME_EXCHANGE. */
export function renamePath(
  context: FsContext,
  oldBase: Dentry | null,
  oldPath: usize,
  oldLength: usize,
  newBase: Dentry | null,
  newPath: usize,
  newLength: usize,
  flags: u32,
): i64 {
  if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) return -EINVAL;
  if (flags == (RENAME_NOREPLACE | RENAME_EXCHANGE)) return -EINVAL;
  const from = new PathWalk(context, oldBase, oldPath, oldLength, 0);
  const to = new PathWalk(context, newBase, newPath, newLength, 0);
  let status = from.toParent();
  if (status == 0) status = to.toParent();
  if (status == 0) status = renameBetween(from, to, flags);
  from.dispose();
  free(from);
  to.dispose();
  free(to);
  return status;
}

function renameBetween(from: PathWalk, to: PathWalk, flags: u32): i64 {
  const fs = from.place.node.fs;
  if (fs != to.place.node.fs) return -EXDEV;
  if (from.lastKind != LAST_NAME) return -EBUSY;
  if (to.lastKind != LAST_NAME) return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
  fs.namespaceLock.lock();
  const foundOld = lookUp(from.place, from.lastName, from.lastLength);
  let status: i64 = isError(foundOld) ? errorOf(foundOld) : 0;
  if (status == 0) {
    const moved = changetype<Dentry>(foundOld);
    const foundNew = lookUp(to.place, to.lastName, to.lastLength);
    if (isError(foundNew)) {
      status = errorOf(foundNew);
    } else {
      const replaced = changetype<Dentry>(foundNew);
      status = mayRename(from, to, moved, replaced, flags);
      // Two names of the same file: nothing happens (rename(2)).
      if (status == 0 && (replaced.isNegative || replaced.node != moved.node)) {
        status = carryOut(from, to, moved, replaced, (flags & RENAME_EXCHANGE) != 0);
      }
      replaced.release();
    }
    moved.release();
  }
  fs.namespaceLock.unlock();
  return status;
}

/** All that rename(2) can refuse before anything changes. */
function mayRename(from: PathWalk, to: PathWalk, moved: Dentry, replaced: Dentry, flags: u32): i64 {
  if (moved.isNegative) return -ENOENT;
  const exchanges = (flags & RENAME_EXCHANGE) != 0;
  if (exchanges && replaced.isNegative) return -ENOENT;
  if (flags & RENAME_NOREPLACE && !replaced.isNegative) return -EEXIST;
  const movesDirectory = moved.node.isDirectory;
  if (!movesDirectory) {
    if (from.hasTrailingSlash) return -ENOTDIR;
    if (!exchanges && to.hasTrailingSlash) return -ENOTDIR;
  }
  if (moved.node.fs.readOnly) return -EROFS;
  if (isBelow(to.place, moved)) return -EINVAL;
  if (!replaced.isNegative && isBelow(from.place, replaced)) {
    return exchanges ? -EINVAL : -ENOTEMPTY;
  }
  if (moved.isMountPoint || replaced.isMountPoint) return -EBUSY;
  if (!replaced.isNegative && !exchanges) {
    if (movesDirectory && !replaced.node.isDirectory) return -ENOTDIR;
    if (!movesDirectory && replaced.node.isDirectory) return -EISDIR;
  }
  return 0;
}

/** True if `place` is `ancestor` or lies below it. The namespaceLock keeps parents in place. */
function isBelow(place: Dentry, ancestor: Dentry): bool {
  let at: Dentry | null = place;
  while (at) {
    if (at == ancestor) return true;
    at = at.parent;
  }
  return false;
}

function carryOut(
  from: PathWalk,
  to: PathWalk,
  moved: Dentry,
  replaced: Dentry,
  exchanges: bool,
): i64 {
  const status = from.place.node.rename(
    from.lastName,
    from.lastLength,
    moved.node,
    to.place.node,
    to.lastName,
    to.lastLength,
    replaced.vnode,
    exchanges,
  );
  if (status < 0) return status;
  if (exchanges) {
    moveName(replaced, from.place, from.lastName, from.lastLength);
  } else if (replaced.isNegative) {
    uncacheName(replaced);
  } else {
    replaced.isDeleted = true;
    uncacheName(replaced);
  }
  moveName(moved, to.place, to.lastName, to.lastLength);
  tellMove(from, to, moved.node);
  if (exchanges) tellMove(to, from, replaced.node);
  else if (!replaced.isNegative) notifyLinks(replaced.node);
  notifyMoved(moved.node);
  if (exchanges) notifyMoved(replaced.node);
  else if (!replaced.isNegative && replaced.node.isDirectory) notifyGone(replaced.node);
  return 0;
}

function tellMove(from: PathWalk, to: PathWalk, vnode: Vnode): void {
  notifyMove(
    from.place.node,
    from.lastName,
    from.lastLength,
    to.place.node,
    to.lastName,
    to.lastLength,
    vnode,
  );
}
