/**
 * Names: a dentry ties a name in a directory to a vnode, and knows its parent, so paths can be
 * told for getcwd, /proc/self/maps and /proc/self/fd. The dentries with a parent form the name
 * cache; negative ones (no vnode) remember that a name does not exist.
 *
 * Neighbours: `path` walks them, `namespace` changes them.
 */
import { Counted } from "../lib/object";
import { ByteWriter } from "../lib/format";
import { FileSystem, Vnode } from "./vnode";

/** A name of a vnode. `retain`/`release` as any counted object. */
export class Dentry extends Counted {
  /** Null only for a negative entry, which never leaves the name cache. */
  vnode: Vnode | null = null;
  /** The directory it is in; null for the root of a file system and for unnamed files. */
  parent: Dentry | null = null;
  /** The file system mounted on this directory, or null. */
  mountedHere: Dentry | null = null;
  /** For the root of a mounted file system: the directory it covers. */
  covers: Dentry | null = null;
  nameBytes: usize = 0;
  nameLength: u32 = 0;
  /** True once the name was removed or its directory entry replaced. */
  isDeleted: bool = false;

  /** The vnode of a positive dentry. */
  get node(): Vnode {
    return changetype<Vnode>(changetype<usize>(this.vnode));
  }

  destroy(): void {
    abort("unwritten");
  }
}

/** Makes the dentry of a file without a name in any directory (pipe, memfd): takes over the reference. */
export function createUnnamedDentry(_vnode: Vnode, _name: string): usize {
  abort("unwritten");
  return 0;
}

/** Makes the root dentry of a file system. */
export function createRootDentry(_fs: FileSystem): Dentry {
  abort("unwritten");
  return changetype<Dentry>(0);
}

/**
 * Writes the absolute path of a dentry as seen from `root` (null: the system's root), with
 * " (deleted)" behind removed names if `markDeleted`.
 * @returns false if the dentry does not lie below `root` (getcwd then gives "(unreachable)")
 */
export function writePathOf(
  _dentry: Dentry,
  _root: Dentry | null,
  _out: ByteWriter,
  _markDeleted: bool,
): bool {
  abort("unwritten");
  return false;
}
