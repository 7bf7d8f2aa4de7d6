/**
 * Open files on their way from one process to another (SCM_RIGHTS, unix(7)). A bundle owns one
 * reference to each of its files and belongs to a message, or to whoever took it out of one.
 *
 * Dropping a bundle may end a socket whose queue holds further bundles, and so on: they are put on
 * a list and dropped one after the other, so the depth of the kernel stack does not depend on the
 * application. Sockets that are only reachable through their own queues are not found.
 *
 * Lock: `doomedLock` guards the list of bundles to drop.
 */
import { SpinLock } from "../../arch/spinlock";
import { File } from "../../fs/file";
import { free } from "../../lib/object";
import { heapAllocate, heapFree } from "../../mm/heap";

/** Most files in one message (SCM_MAX_FD of Linux). */
export const RIGHTS_MAX: u32 = 253;

export class Rights {
  next: Rights | null = null;
  count: u32 = 0;
  private files: usize;

  /** @param capacity most files that will be added, at least 1 */
  constructor(capacity: u32) {
    this.files = heapAllocate(<usize>capacity * sizeof<usize>());
    assert(this.files != 0, "out of kernel memory");
  }

  /** Adds a file; takes over the caller's reference. */
  add(file: File): void {
    store<usize>(this.files + <usize>this.count * sizeof<usize>(), changetype<usize>(file));
    this.count++;
  }

  file(index: u32): File {
    return changetype<File>(load<usize>(this.files + <usize>index * sizeof<usize>()));
  }

  /** A bundle of the same files, with references of its own (MSG_PEEK). */
  copy(): Rights {
    const copy = new Rights(max<u32>(this.count, 1));
    for (let i: u32 = 0; i < this.count; i++) {
      this.file(i).retain();
      copy.add(this.file(i));
    }
    return copy;
  }

  /** Gives the references back and frees the bundle. */
  dispose(): void {
    for (let i: u32 = 0; i < this.count; i++) this.file(i).release();
    heapFree(this.files);
    free(this);
  }
}

const doomedLock = new SpinLock();
let firstDoomed: Rights | null = null;
let isDropping: bool = false;

/** Closes the files of a bundle and frees it. May sleep. */
export function dropRights(rights: Rights): void {
  doomedLock.acquire();
  rights.next = firstDoomed;
  firstDoomed = rights;
  const isFirst = !isDropping;
  isDropping = true;
  doomedLock.release();
  while (isFirst) {
    doomedLock.acquire();
    const doomed = firstDoomed;
    if (doomed) firstDoomed = doomed.next;
    else isDropping = false;
    doomedLock.release();
    if (!doomed) break;
    doomed.dispose();
  }
}
