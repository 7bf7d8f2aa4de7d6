/**
 * Names: a dentry ties a name in a directory to a vnode, and knows its parent, so paths can be
 * told for getcwd, /proc/self/maps and /proc/self/fd. Most dentries live in the name cache, which
 * owns one reference; negative ones (no vnode) remember that a name does not exist.
 *
 * Locks: name, parent and cache links are guarded by the name cache's lock. `parent` changes only
 * by rename, which also holds the file system's namespaceLock.
 * Neighbours: `name-cache` finds them, `path-walk` walks them, `namespace` changes them.
 */
import { Counted, free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { notifyGone } from "./notify";
import { Vnode } from "./vnode";

/** Names up to this many bytes are kept in the dentry itself. */
const INLINE_NAME_BYTES: usize = 32;

/** A name of a vnode. `retain`/`release` as any counted object. */
export class Dentry extends Counted {
  hashNext: usize = 0;
  hashValue: u64 = 0;
  listNext: usize = 0;
  listPrevious: usize = 0;
  /** Null only for a negative entry. */
  vnode: Vnode | null;
  /** The directory it is in; null for the root of a file system and for unnamed files. */
  parent: Dentry | null;
  /** Address of the name; no terminating zero. */
  nameBytes: usize = 0;
  nameLength: u32 = 0;
  /** True while the name cache has it. */
  isCached: bool = false;
  /** Looked up since the cache last considered dropping it. */
  isUsed: bool = false;
  /** True once the name was removed. */
  isDeleted: bool = false;
  /** A file system is mounted on it (`mount`). */
  isMountPoint: bool = false;
  private inline0: u64 = 0;
  private inline1: u64 = 0;
  private inline2: u64 = 0;
  private inline3: u64 = 0;

  /** Takes over the vnode's reference and takes one of the parent. */
  constructor(parent: Dentry | null, name: usize, nameLength: usize, vnode: Vnode | null) {
    super();
    this.vnode = vnode;
    this.parent = parent;
    if (parent) parent.retain();
    this.setName(name, nameLength);
  }

  /** The vnode of a positive dentry. */
  get node(): Vnode {
    return changetype<Vnode>(changetype<usize>(this.vnode));
  }

  /** True if the vnode is absent: the name is known not to exist. */
  get isNegative(): bool {
    return changetype<usize>(this.vnode) == 0;
  }

  /** True if this is the name, byte by byte. */
  hasName(name: usize, nameLength: usize): bool {
    return (
      this.nameLength == <u32>nameLength && memory.compare(this.nameBytes, name, nameLength) == 0
    );
  }

  /** Replaces the name (rename). */
  setName(name: usize, nameLength: usize): void {
    const old = this.nameBytes;
    const inline = changetype<usize>(this) + offsetof<Dentry>("inline0");
    const bytes = nameLength <= INLINE_NAME_BYTES ? inline : heapAllocate(nameLength);
    assert(bytes != 0, "out of kernel memory");
    memory.copy(bytes, name, nameLength);
    this.nameBytes = bytes;
    this.nameLength = <u32>nameLength;
    if (old && old != inline) heapFree(old);
  }

  destroy(): void {
    const vnode = this.vnode;
    const parent = this.parent;
    if (this.nameBytes != changetype<usize>(this) + offsetof<Dentry>("inline0")) {
      heapFree(this.nameBytes);
    }
    const isGone = this.isDeleted;
    free(this);
    if (vnode && isGone) notifyGone(vnode);
    if (vnode) vnode.release();
    if (parent) parent.release();
  }
}

/**
 * Makes the dentry of a file without a name in any directory (pipe, memfd, root of a file system).
 * Takes over the vnode's reference.
 */
export function createUnnamedDentry(vnode: Vnode, name: usize, nameLength: usize): Dentry {
  return new Dentry(null, name, nameLength, vnode);
}
