/**
 * The descriptor of an epoll set. It can itself be polled and watched by another set, up to a depth
 * of five and never in a circle.
 *
 * Neighbours: `epoll-set.ts`, `epoll.ts`.
 */
import { O_RDWR, POLLIN, POLLRDNORM } from "../fs/constants";
import { File } from "../fs/file";
import { free } from "../lib/object";
import { Mutex } from "../sched/mutex";
import { WaitLink } from "../sched/wait";
import { AnonymousFile } from "./anonymous-file";
import { EpollItem } from "./epoll-item";
import { EpollSet } from "./epoll-set";
import { FileWatcher, lockWatchers, unlockWatchers } from "./file-watch";

/** Longest chain of sets within sets (EP_MAX_NESTS + 1). */
const DEPTH_MAX: u32 = 5;

/** Serialises the additions of sets to sets, so that two of them cannot close a circle together. */
export const nestingMutex = new Mutex();

export class EpollFile extends AnonymousFile {
  set: EpollSet = new EpollSet();

  constructor() {
    super(O_RDWR);
    this.set.file = this;
  }

  typeName(): string {
    return "eventpoll";
  }

  poll(link: WaitLink | null): u32 {
    return this.set.isReady(link) ? POLLIN | POLLRDNORM : 0;
  }

  unpoll(link: WaitLink): void {
    this.set.unpoll(link);
  }

  dispose(): void {
    this.set.removeAll();
    this.set.file = null;
    this.set.release();
    free(this);
  }
}

/**
 * True if `inner` may be watched by `outer`: no circle, no chain that is too long. The caller holds
 * `nestingMutex`.
 */
export function mayNest(outer: EpollFile, inner: EpollFile): bool {
  if (outer == inner) return false;
  const below = heightOf(inner, outer, DEPTH_MAX);
  if (below > DEPTH_MAX) return false;
  lockWatchers();
  const above = depthOf(outer, DEPTH_MAX);
  unlockWatchers();
  return below + above <= DEPTH_MAX;
}

/**
 * Length of the longest chain of sets that starts with `file` and goes inwards; more than
 * DEPTH_MAX if that is too long or leads to `forbidden`.
 */
function heightOf(file: EpollFile, forbidden: EpollFile, left: u32): u32 {
  if (file == forbidden || left == 0) return DEPTH_MAX + 1;
  let highest: u32 = 0;
  const set = file.set;
  set.acquire();
  let item = set.firstItem();
  while (item) {
    const watched: File | null = item.watched;
    if (watched && watched instanceof EpollFile) {
      highest = max(highest, heightOf(<EpollFile>watched, forbidden, left - 1));
    }
    item = set.nextItem(item);
  }
  set.giveBack();
  return min(highest + 1, DEPTH_MAX + 1);
}

/** Length of the longest chain of sets that ends with `file` (watchers locked). */
function depthOf(file: EpollFile, left: u32): u32 {
  let longest: u32 = 0;
  let watcher = changetype<FileWatcher | null>(file.watchers);
  while (watcher) {
    if (watcher instanceof EpollItem) {
      const outer = (<EpollItem>watcher).set.file;
      if (outer) longest = max(longest, left == 0 ? DEPTH_MAX + 1 : depthOf(outer, left - 1));
    }
    watcher = watcher.nextWatcher;
  }
  return longest + 1;
}
