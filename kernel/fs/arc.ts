/**
 * Which page to evict: ARC, the adaptive replacement cache, in its clock form (CAR: Bansal and
 * Modha, "CAR: Clock with Adaptive Replacement", FAST 2004). A hit only sets a bit in the frame; the
 * lists move when a victim is sought, so the read path takes no cache-wide lock.
 *
 *   recent ("T1"): pages used once since they came     ─evicted─► recentGhosts   ("B1")
 *   frequent ("T2"): pages used again                  ─evicted─► frequentGhosts ("B2")
 *
 * `target` is the wanted length of `recent`. A page that returns while its ghost is remembered says
 * that its list should have been longer, and moves the target.
 *
 * Two things differ from the published algorithm. Its capacity c is fixed; here the cache may fill
 * memory, and c is the number of pages it held when memory last became short. And it keeps
 * T1 + B1 <= c, so that a cache full of new pages remembers no ghosts and learns nothing from a loop
 * that is a little too large for it; here only B1 + B2 <= c.
 *
 * Lock: the owner's (`page-cache` cacheLock). Nothing here sleeps.
 */
import { Frame } from "../mm/frame";
import { FrameList } from "./frame-list";
import { GhostList, GhostTable } from "./ghosts";

/** Values of `Frame.tag` for frames of the page cache. */
export const LIST_NONE: u8 = 0;
export const LIST_RECENT: u8 = 1;
export const LIST_FREQUENT: u8 = 2;

// What `ArcPages.judge` says about the oldest page of a list.
/** It was used since it was looked at last (the mark is cleared by the call). */
export const PAGE_USED: u32 = 0;
/** It cannot go now: somebody holds it. */
export const PAGE_HELD: u32 = 1;
/** It is unused: the call took it out of its file, and `discard` will free it. */
export const PAGE_EVICTED: u32 = 2;

/** What the policy must know and do about pages. */
export abstract class ArcPages {
  /** A number that stands for the file and the index of a page. */
  abstract keyOf(frame: Frame): u64;
  /** Takes the page out of its file if it is unused and nobody holds it; returns PAGE_*. */
  abstract judge(frame: Frame): u32;
  /** Frees a page that `judge` took out of its file. */
  abstract discard(frame: Frame): void;
}

export class Arc {
  private recent: FrameList = new FrameList();
  private frequent: FrameList = new FrameList();
  private ghosts: GhostTable = new GhostTable();
  private recentGhosts: GhostList = new GhostList(this.ghosts);
  private frequentGhosts: GhostList = new GhostList(this.ghosts);
  /** Wanted length of `recent`. */
  private target: u64 = 0;
  /** Pages the cache held when memory last became short. */
  private capacity: u64 = 0;

  constructor(private pages: ArcPages) {}

  /** Number of pages in the cache. */
  get length(): u64 {
    return this.recent.length + this.frequent.length;
  }
  get recentLength(): u64 {
    return this.recent.length;
  }
  get recentTarget(): u64 {
    return this.target;
  }
  get recentGhostCount(): u64 {
    return this.recentGhosts.length;
  }
  get frequentGhostCount(): u64 {
    return this.frequentGhosts.length;
  }

  /** Takes in a page that has just been read. */
  insert(frame: Frame): void {
    const ghost = this.ghosts.find(this.pages.keyOf(frame));
    if (!ghost) {
      this.put(frame, LIST_RECENT);
      return;
    }
    const recentGhosts = this.recentGhosts.length;
    const frequentGhosts = this.frequentGhosts.length;
    const list = ghost.list;
    if (list == this.recentGhosts) {
      const step = max<u64>(1, frequentGhosts / recentGhosts);
      this.target = min<u64>(this.target + step, this.capacity);
    } else {
      const step = max<u64>(1, recentGhosts / frequentGhosts);
      this.target = this.target > step ? this.target - step : 0;
    }
    if (list) list.drop(ghost);
    this.put(frame, LIST_FREQUENT);
  }

  /** Takes out a page that leaves for another reason than eviction (its file is gone). */
  remove(frame: Frame): void {
    if (frame.tag == LIST_RECENT) this.recent.remove(frame);
    else if (frame.tag == LIST_FREQUENT) this.frequent.remove(frame);
    frame.tag = LIST_NONE;
  }

  /** Evicts up to `wanted` pages; returns how many went. */
  evict(wanted: u64): u64 {
    this.capacity = this.length;
    // Every page may be passed twice (used, then unused) before it can go or proves to be held.
    let steps = 3 * this.capacity;
    let evicted: u64 = 0;
    while (evicted < wanted && steps > 0) {
      steps--;
      if (this.step()) evicted++;
    }
    return evicted;
  }

  /** Looks at one page; true if it went. */
  private step(): bool {
    const fromRecent = this.recent.length >= max<u64>(1, this.target) || !this.frequent.length;
    const list = fromRecent ? this.recent : this.frequent;
    const frame = list.front;
    if (!frame) return false;
    const key = this.pages.keyOf(frame);
    const verdict = this.pages.judge(frame);
    list.remove(frame);
    if (verdict != PAGE_EVICTED) {
      this.put(frame, LIST_FREQUENT);
      return false;
    }
    frame.tag = LIST_NONE;
    this.pages.discard(frame);
    this.remember(fromRecent ? this.recentGhosts : this.frequentGhosts, key);
    return true;
  }

  /** Remembers an evicted page; the longer list makes room. */
  private remember(list: GhostList, key: u64): void {
    if (this.recentGhosts.length + this.frequentGhosts.length >= this.capacity) {
      if (this.recentGhosts.length > this.frequentGhosts.length) this.recentGhosts.dropOldest();
      else this.frequentGhosts.dropOldest();
    }
    list.remember(key);
  }

  private put(frame: Frame, tag: u8): void {
    frame.tag = tag;
    if (tag == LIST_RECENT) this.recent.pushBack(frame);
    else this.frequent.pushBack(frame);
  }
}
