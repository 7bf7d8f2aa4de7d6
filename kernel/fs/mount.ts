/**
 * The mount table: which file system covers which directory. There is one name space, and mounts
 * happen at boot, so a short list under no lock is enough once programs run.
 *
 * Neighbours: `path-walk` crosses mounts, `procfs` shows the table, `init` fills it.
 */
import { EBUSY } from "../lib/errno";
import { Dentry, createUnnamedDentry } from "./dentry";
import { FileSystem } from "./vnode";

/** One mounted file system. */
export class Mount {
  next: Mount | null = null;
  /** Number in /proc/self/mountinfo. */
  id: u32 = 0;
  constructor(
    public fs: FileSystem,
    /** Root directory of the file system. */
    public root: Dentry,
    /** The directory it covers; null for the root of everything. */
    public covers: Dentry | null,
    /** What /proc/mounts names as device. */
    public source: string,
  ) {}
}

let first: Mount | null = null;
let last: Mount | null = null;
let nextId: u32 = 20;
let nextDevice: u64 = 0x14;

/** The first entry of the mount table: the root. */
export function firstMount(): Mount | null {
  return first;
}

/** A device number (st_dev) for a file system that has no disk. */
export function newAnonymousDevice(): u64 {
  return nextDevice++;
}

/**
 * Mounts a file system on a directory (null: as the root of everything). The mount keeps the
 * directory.
 * @returns 0, or -EBUSY if something is mounted there
 */
export function mount(fs: FileSystem, covers: Dentry | null, source: string): i64 {
  const isCovered = covers ? covers.isMountPoint : false;
  if (isCovered) return -EBUSY;
  const rootNode = fs.root();
  rootNode.retain();
  const entry = new Mount(fs, createUnnamedDentry(rootNode, 0, 0), covers, source);
  entry.id = nextId++;
  if (covers) {
    covers.retain();
    covers.isMountPoint = true;
  }
  const tail = last;
  if (tail) tail.next = entry;
  else first = entry;
  last = entry;
  return 0;
}

/** The root of the file system mounted on a mount point; no new reference. */
export function mountedOn(mountPoint: Dentry): Dentry {
  let entry = first;
  while (entry) {
    if (entry.covers == mountPoint) return entry.root;
    entry = entry.next;
  }
  return mountPoint;
}

/** The mount a dentry without parent is the root of, or null. */
export function mountOfRoot(root: Dentry): Mount | null {
  let entry = first;
  while (entry) {
    if (entry.root == root) return entry;
    entry = entry.next;
  }
  return null;
}

/** The root of the whole name space; no new reference. Something must be mounted. */
export function rootDentry(): Dentry {
  const root = first;
  assert(root != null, "no root file system");
  return changetype<Mount>(root).root;
}
