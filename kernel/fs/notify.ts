/**
 * Telling watchers what happens to files (inotify(7)). File operations call the `notify…` functions;
 * as long as nobody watches anything these return at once.
 *
 *   vnode.watches ─► Watch ─next─► Watch …      one for each watcher of the file or directory
 *
 * An event on a file goes to the watches of its directory, with its name, and to its own, without.
 *
 * Locks: `watchLock` guards the lists of all vnodes and, in `linux/inotify`, of all watchers; an event is
 * delivered under it, so delivery must not sleep. It is taken last but for the watcher's own lock.
 * Neighbours: `linux/inotify` (the watchers), `namespace`, `rename`, `open`, `regular-file` (the events).
 */
import { SpinLock } from "../arch/spinlock";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { Counter } from "./counter";
import { Dentry } from "./dentry";
import { lockNames, parentOf, unlockNames } from "./name-cache";
import { Stat } from "./stat";
import { Vnode } from "./vnode";

/** Events, and flags in their masks (inotify(7)). */
export const IN_ACCESS: u32 = 0x1;
export const IN_MODIFY: u32 = 0x2;
export const IN_ATTRIB: u32 = 0x4;
export const IN_CLOSE_WRITE: u32 = 0x8;
export const IN_CLOSE_NOWRITE: u32 = 0x10;
export const IN_OPEN: u32 = 0x20;
export const IN_MOVED_FROM: u32 = 0x40;
export const IN_MOVED_TO: u32 = 0x80;
export const IN_CREATE: u32 = 0x100;
export const IN_DELETE: u32 = 0x200;
const IN_DELETE_SELF: u32 = 0x400;
const IN_MOVE_SELF: u32 = 0x800;
export const IN_ALL_EVENTS: u32 = 0xfff;
const IN_ISDIR: u32 = 0x4000_0000;
/** Flags of a watch. */
export const IN_EXCL_UNLINK: u32 = 0x0400_0000;
export const IN_ONESHOT: u32 = 0x8000_0000;

const NAME_BYTES: usize = 256;

/** Somebody's interest in a file or directory. */
export abstract class Watch {
  nextOnVnode: Watch | null = null;
  previousOnVnode: Watch | null = null;
  /** True while it is on its vnode's list. */
  isAlive: bool = false;

  /**
   * @param vnode takes over the caller's reference
   * @param mask IN_* events wanted, and flags
   */
  constructor(
    public vnode: Vnode,
    public mask: u32,
  ) {}

  /** Takes an event; `name` is 0 for the watched file itself. Under `watchLock`: must not sleep. */
  abstract deliver(mask: u32, cookie: u32, name: usize, nameLength: usize): void;

  /** It has been taken off its vnode: tells the watcher. Under `watchLock`: must not sleep. */
  abstract leave(): void;

  /** Frees it and what it holds, after `leave`. Under no lock. */
  abstract end(): void;
}

export const watchLock = new SpinLock();
/** How many watches there are. */
let watchCount: u32 = 0;
/** Numbers that tie the two events of a rename together. */
const cookies = new Counter(1);

/** Puts a new watch on its vnode. Hold `watchLock`. */
export function linkWatch(watch: Watch): void {
  const first = firstWatch(watch.vnode);
  watch.nextOnVnode = first;
  watch.previousOnVnode = null;
  if (first) first.previousOnVnode = watch;
  watch.vnode.watches = changetype<usize>(watch);
  watch.isAlive = true;
  watchCount++;
}

/** Takes a watch off its vnode; false if somebody else has. Hold `watchLock`; then call `end`. */
export function unlinkWatch(watch: Watch): bool {
  if (!watch.isAlive) return false;
  const next = watch.nextOnVnode;
  const previous = watch.previousOnVnode;
  if (next) next.previousOnVnode = previous;
  if (previous) previous.nextOnVnode = next;
  else watch.vnode.watches = changetype<usize>(next);
  watch.isAlive = false;
  watchCount--;
  watch.leave();
  return true;
}

/** The first watch of a vnode, or null. Hold `watchLock`. */
export function firstWatch(vnode: Vnode): Watch | null {
  return changetype<Watch | null>(vnode.watches);
}

/** Something happened to a file that is known by this name. */
export function notifyFile(dentry: Dentry, event: u32): void {
  if (watchCount == 0) return;
  const vnode = dentry.node;
  const mask = vnode.isDirectory ? event | IN_ISDIR : event;
  const parent = parentOf(dentry);
  if (parent) {
    if (parent.node.watches != 0) tellParent(parent.node, dentry, mask);
    parent.release();
  }
  tell(vnode, mask, 0, 0, 0, dentry.isDeleted);
}

function tellParent(directory: Vnode, dentry: Dentry, mask: u32): void {
  const name = heapAllocate(NAME_BYTES);
  if (name == 0) return;
  lockNames();
  const length = min<usize>(dentry.nameLength, NAME_BYTES);
  memory.copy(name, dentry.nameBytes, length);
  unlockNames();
  tell(directory, mask, 0, name, length, dentry.isDeleted);
  heapFree(name);
}

/** A name came into a directory or left it. */
export function notifyEntry(
  directory: Vnode,
  name: usize,
  nameLength: usize,
  vnode: Vnode,
  event: u32,
): void {
  if (watchCount == 0) return;
  tell(directory, vnode.isDirectory ? event | IN_ISDIR : event, 0, name, nameLength, false);
}

/** A file got a name more or less (IN_ATTRIB: its number of links). */
export function notifyLinks(vnode: Vnode): void {
  if (watchCount == 0 || vnode.isDirectory) return;
  tell(vnode, IN_ATTRIB, 0, 0, 0, false);
}

/** A name moved from one directory to another. */
export function notifyMove(
  from: Vnode,
  oldName: usize,
  oldLength: usize,
  to: Vnode,
  newName: usize,
  newLength: usize,
  vnode: Vnode,
): void {
  if (watchCount == 0) return;
  const cookie = <u32>cookies.next();
  const kind: u32 = vnode.isDirectory ? IN_ISDIR : 0;
  tell(from, IN_MOVED_FROM | kind, cookie, oldName, oldLength, false);
  tell(to, IN_MOVED_TO | kind, cookie, newName, newLength, false);
}

/** The file itself has moved. */
export function notifyMoved(vnode: Vnode): void {
  if (watchCount != 0) tell(vnode, IN_MOVE_SELF, 0, 0, 0, false);
}

/**
 * A name of `vnode` that was removed is no longer used by anybody: if it was the last one, its watches
 * learn that the file is gone, and end.
 */
export function notifyGone(vnode: Vnode): void {
  if (vnode.watches == 0 || linkCountOf(vnode) != 0) return;
  tell(vnode, IN_DELETE_SELF, 0, 0, 0, false);
  let ended: Watch | null = null;
  watchLock.acquire();
  let watch = firstWatch(vnode);
  while (watch) {
    unlinkWatch(watch);
    watch.nextOnVnode = ended;
    ended = watch;
    watch = firstWatch(vnode);
  }
  watchLock.release();
  endAll(ended);
}

function linkCountOf(vnode: Vnode): u32 {
  if (vnode.isDirectory) return 0;
  const stat = new Stat();
  vnode.attributes(stat);
  const count = stat.linkCount;
  free(stat);
  return count;
}

/** @param isUnlinked the name under which this happens has been removed */
function tell(
  vnode: Vnode,
  mask: u32,
  cookie: u32,
  name: usize,
  nameLength: usize,
  isUnlinked: bool,
): void {
  if (vnode.watches == 0) return;
  let spent: Watch | null = null;
  watchLock.acquire();
  let watch = firstWatch(vnode);
  while (watch) {
    const next = watch.nextOnVnode;
    const isHidden = isUnlinked && (watch.mask & IN_EXCL_UNLINK) != 0;
    if ((watch.mask & mask & IN_ALL_EVENTS) != 0 && !isHidden) {
      watch.deliver(mask, cookie, name, nameLength);
      if ((watch.mask & IN_ONESHOT) != 0) {
        unlinkWatch(watch);
        watch.nextOnVnode = spent;
        spent = watch;
      }
    }
    watch = next;
  }
  watchLock.release();
  endAll(spent);
}

function endAll(first: Watch | null): void {
  let watch = first;
  while (watch) {
    const next = watch.nextOnVnode;
    watch.end();
    watch = next;
  }
}
