/**
 * The name cache: dentries by (parent, name), so that a path walk in known territory asks no file
 * system. It keeps names that nobody uses until there are too many or memory is short; the oldest
 * that was not looked up again goes first (clock).
 *
 * Lock: `namesLock` guards the table, the list, and name and parent of every dentry. Nothing is
 * released under it: releasing may destroy a vnode, which takes other locks.
 * Neighbours: `dentry`, `path-walk`, `namespace`.
 */
import { SpinLock } from "../arch/spinlock";
import { HashTable, hashBytes, hashInteger } from "../lib/hashtable";
import { List } from "../lib/list";
import { totalFrameCount } from "../mm/frames";
import { Dentry } from "./dentry";
import { Vnode } from "./vnode";

const NAMES_MIN: u32 = 512;
const NAMES_MAX: u32 = 65536;
/** How many old names are looked at for one that is added beyond the limit. */
const STEPS_PER_INSERT: u32 = 4;

const namesLock = new SpinLock();
const table = new HashTable<Dentry>(offsetof<Dentry>("hashNext"));
/** Cached dentries, oldest first. */
const names = new List<Dentry>(offsetof<Dentry>("listNext"));
let limit: u32 = 0;

/** Takes the lock under which names and parents do not change. */
export function lockNames(): void {
  namesLock.acquire();
}

export function unlockNames(): void {
  namesLock.release();
}

/** Finds a cached name. @returns a Dentry (maybe negative) with a reference, or 0 */
export function findName(parent: Dentry, name: usize, nameLength: usize): usize {
  const hash = hashOf(parent, name, nameLength);
  namesLock.acquire();
  let entry = table.firstWith(hash);
  while (entry) {
    if (entry.parent == parent && entry.hasName(name, nameLength)) {
      entry.retain();
      entry.isUsed = true;
      namesLock.release();
      return changetype<usize>(entry);
    }
    entry = table.nextWith(entry);
  }
  namesLock.release();
  return 0;
}

/**
 * Adds a name that is not cached (the caller holds the namespaceLock, so nobody else adds it).
 * Takes over the vnode's reference; null makes a negative entry.
 * @param isCached false for file systems whose names come and go by themselves
 * @returns the dentry with a reference for the caller
 */
export function addName(
  parent: Dentry,
  name: usize,
  nameLength: usize,
  vnode: Vnode | null,
  isCached: bool,
): Dentry {
  const entry = new Dentry(parent, name, nameLength, vnode);
  if (isCached) {
    cacheName(entry);
    if (names.length > nameLimit()) dropNames(STEPS_PER_INSERT, 2, true);
  }
  return entry;
}

/** Puts a dentry into the cache, which takes a reference. */
export function cacheName(entry: Dentry): void {
  const parent = entry.parent;
  if (!parent) return;
  entry.retain();
  namesLock.acquire();
  entry.isCached = true;
  table.insert(entry, hashOf(parent, entry.nameBytes, entry.nameLength));
  names.pushBack(entry);
  namesLock.release();
}

/** Takes a dentry from the cache, if it is there. */
export function uncacheName(entry: Dentry): void {
  namesLock.acquire();
  const wasCached = entry.isCached;
  if (wasCached) unlink(entry);
  namesLock.release();
  if (wasCached) entry.release();
}

/** Moves a dentry to another parent and name (rename). */
export function moveName(entry: Dentry, parent: Dentry, name: usize, nameLength: usize): void {
  const oldParent = entry.parent;
  parent.retain();
  namesLock.acquire();
  const isCached = entry.isCached;
  if (isCached) table.remove(entry);
  entry.parent = parent;
  entry.setName(name, nameLength);
  if (isCached) table.insert(entry, hashOf(parent, name, nameLength));
  namesLock.release();
  if (oldParent) oldParent.release();
}

/** The directory a name is in, with a reference, or null: a rename may change it any time. */
export function parentOf(entry: Dentry): Dentry | null {
  namesLock.acquire();
  const parent = entry.parent;
  if (parent) parent.retain();
  namesLock.release();
  return parent;
}

/** Number of cached names. */
export function nameCount(): u32 {
  return names.length;
}

/** Drops up to `count` names that nobody uses; for when memory is short. */
export function shrinkNames(count: u32): u32 {
  return dropNames(2 * count, count, false);
}

/**
 * Looks at up to `steps` of the oldest names and drops up to `wanted` of them.
 * @param keepsData spare names of files that have pages in memory
 */
function dropNames(steps: u32, wanted: u32, keepsData: bool): u32 {
  let victims: usize = 0;
  let dropped: u32 = 0;
  namesLock.acquire();
  for (let i: u32 = 0; i < steps && dropped < wanted; i++) {
    const entry = names.first;
    if (!entry) break;
    // One reference is the cache's own; children and users have more.
    const isFree = entry.referenceCount() == 1 && !(keepsData && hasPages(entry));
    if (!isFree || entry.isUsed) {
      entry.isUsed = false;
      names.remove(entry);
      names.pushBack(entry);
      continue;
    }
    unlink(entry);
    entry.listNext = victims;
    victims = changetype<usize>(entry);
    dropped++;
  }
  namesLock.release();
  while (victims) {
    const entry = changetype<Dentry>(victims);
    victims = entry.listNext;
    entry.listNext = 0;
    entry.release();
  }
  return dropped;
}

function hasPages(entry: Dentry): bool {
  const vnode = entry.vnode;
  if (!vnode) return false;
  const pages = vnode.pages;
  return pages ? pages.count != 0 : false;
}

function unlink(entry: Dentry): void {
  table.remove(entry);
  names.remove(entry);
  entry.isCached = false;
}

function hashOf(parent: Dentry, name: usize, nameLength: usize): u64 {
  return hashBytes(name, nameLength, hashInteger(<u64>changetype<usize>(parent)));
}

/** One name for every eight frames of memory, within bounds. */
function nameLimit(): u32 {
  if (!limit) {
    limit = <u32>min<u64>(max<u64>(totalFrameCount() / 8, NAMES_MIN), NAMES_MAX);
  }
  return limit;
}
