/**
 * Finding files by path (path_resolution(7)).
 *
 * Neighbours: `path-walk` does the walk, `namespace` changes directories, `open` opens files,
 * `path-name` goes the other way.
 */
import { asError } from "../lib/errno";
import { free } from "../lib/object";
import { Dentry } from "./dentry";
import { FsContext } from "./fs-context";
import { PathWalk } from "./path-walk";

export { FsContext } from "./fs-context";
export {
  RESOLVE_BENEATH,
  RESOLVE_DIRECTORY,
  RESOLVE_EMPTY,
  RESOLVE_FOLLOW,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "./path-walk";

/**
 * Finds the file a path names.
 * @param base directory where a relative path starts; null: the working directory
 * @param path kernel address of `length` bytes, no terminating zero needed
 * @param flags RESOLVE_*
 * @returns a Dentry (always with a vnode) with a reference for the caller, or -ENOENT, -ENOTDIR,
 * -ELOOP, -ENAMETOOLONG, -EIO, -ENOMEM
 */
export function resolve(
  context: FsContext,
  base: Dentry | null,
  path: usize,
  length: usize,
  flags: u32,
): usize {
  const walk = new PathWalk(context, base, path, length, flags);
  const status = walk.toEnd();
  const found = status < 0 ? asError(status) : changetype<usize>(walk.takeCurrent());
  walk.dispose();
  free(walk);
  return found;
}
