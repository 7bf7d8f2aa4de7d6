/**
 * Who wants to know that an open file ends: entries of epoll sets (a closed file leaves its sets by
 * itself) and flock(2) locks (they go with the open file description).
 *
 * Lock: `watchersLock` guards the lists of all files; it is held for a few instructions. A watcher is
 * taken off the list of its file either by its owner or by the end of the file, whoever comes first.
 *
 * Neighbours: `fs/file.ts` calls `endWatches`; `epoll-item.ts` and `file-lock.ts` watch.
 */
import { SpinLock } from "../arch/spinlock";
import { File, setWatchEnd } from "../fs/file";
import { WaitEntry } from "../sched/wait";

const watchersLock = new SpinLock();

/** Something that watches one file; it may sit on the file's wait queue too (epoll does). */
export abstract class FileWatcher extends WaitEntry {
  nextWatcher: FileWatcher | null = null;
  previousWatcher: FileWatcher | null = null;
  watched: File | null = null;

  /**
   * The watched file has no references left. It is still whole, and stays so until this returns.
   * The implementation calls `stopWatching` on this watcher.
   */
  abstract fileEnded(): void;

  /**
   * Called with the list locked just before `fileEnded`, to keep the watcher alive until then. It
   * must not sleep.
   */
  keepAlive(): void {}

  onWake(_events: u32): bool {
    return false;
  }
}

/** Puts a watcher on the list of `file`, to which the caller holds a reference. */
export function startWatching(watcher: FileWatcher, file: File): void {
  watchersLock.acquire();
  const first = changetype<FileWatcher | null>(file.watchers);
  watcher.watched = file;
  watcher.previousWatcher = null;
  watcher.nextWatcher = first;
  if (first) first.previousWatcher = watcher;
  file.watchers = changetype<usize>(watcher);
  watchersLock.release();
}

/** Takes a watcher off its file's list. @returns false if it was not on one any more */
export function stopWatching(watcher: FileWatcher): bool {
  watchersLock.acquire();
  const file = watcher.watched;
  if (file) {
    const next = watcher.nextWatcher;
    const previous = watcher.previousWatcher;
    if (next) next.previousWatcher = previous;
    if (previous) previous.nextWatcher = next;
    else file.watchers = changetype<usize>(next);
    watcher.watched = null;
    watcher.nextWatcher = null;
    watcher.previousWatcher = null;
  }
  watchersLock.release();
  return file != null;
}

/** Tells all watchers of a file that it ends. */
function endWatches(file: File): void {
  while (true) {
    watchersLock.acquire();
    const watcher = changetype<FileWatcher | null>(file.watchers);
    if (watcher) watcher.keepAlive();
    watchersLock.release();
    if (!watcher) return;
    watcher.fileEnded();
  }
}

/** Keeps the watchers of all files as they are until `unlockWatchers`; do not sleep meanwhile. */
export function lockWatchers(): void {
  watchersLock.acquire();
}

/** Ends `lockWatchers`. */
export function unlockWatchers(): void {
  watchersLock.release();
}

setWatchEnd(endWatches);
