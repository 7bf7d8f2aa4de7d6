/**
 * The page cache: file data in page frames, keyed by file and page index, shared with mmap (a
 * mapped page is the cache's own frame). Skeleton.
 */
import { Vnode } from "./vnode";

/** The cached pages of one vnode. */
export class FilePages {
  vnode: Vnode;
  constructor(vnode: Vnode) {
    this.vnode = vnode;
  }
}

/** Number of frames the cache holds now (for /proc/meminfo "Cached"). */
export function cachedFrameCount(): u64 {
  return 0;
}
