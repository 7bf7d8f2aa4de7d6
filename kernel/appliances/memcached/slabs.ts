/**
 * Memory for items: pages cut into chunks of one size, a class for each size, sizes growing by a
 * factor (Bonwick, "The Slab Allocator"; memcached's doc/memory_management). A page stays with its class.
 *
 *     class 0:  | 96 | 96 | 96 | …        class 1:  | 120 | 120 | …        … one item a page
 *
 * Lock: the store's. Neighbours: `item.ts`, `store.ts` (evicts when `allocate` says there is none).
 */
import { free } from "../../lib/object";
import { heapAllocate, heapFree } from "../../mm/heap";
import { Item } from "./item";

/** Most classes there can be; item headers have one byte. */
export const CLASSES_MAX: u32 = 64;
const CHUNK_MIN: u32 = 96;
const CHUNK_ALIGNMENT: u32 = 8;
/** A page begins with the link to the next one. */
const PAGE_HEADER: usize = 16;

/** The chunks of one size. */
@unmanaged
export class SlabClass {
  chunkBytes: u32;
  pages: u32;
  /** Free chunks, linked by `newer`. */
  firstFree: usize;
  freeChunks: u32;
  usedChunks: u32;
  /** Least and most recently used item (`lru.ts`). */
  oldest: usize;
  newest: usize;
  evictions: u64;
  /** Evicted though never read. */
  evictedUnfetched: u64;
  /** Taken from items that had expired. */
  reclaimed: u64;
  outOfMemory: u64;
  storedTotal: u64;
}

export class Slabs {
  count: u32 = 0;
  private classes: usize;
  private pageBytes: u32;
  private pagesMax: u32;
  pagesUsed: u32 = 0;
  /** All pages, linked by their first word, for `dispose`. */
  private firstPage: usize = 0;

  /**
   * @param limitBytes for pages; a class without any gets one page all the same
   * @param itemMax largest item
   * @param growthPercent from class to class, more than 100
   */
  constructor(limitBytes: u64, itemMax: u32, growthPercent: u32) {
    this.pageBytes = (itemMax + CHUNK_ALIGNMENT - 1) & ~(CHUNK_ALIGNMENT - 1);
    this.pagesMax = <u32>max<u64>(limitBytes / this.pageBytes, 1);
    const bytes = <usize>CLASSES_MAX * offsetof<SlabClass>();
    this.classes = heapAllocate(bytes);
    if (this.classes != 0) {
      memory.fill(this.classes, 0, bytes);
      this.cutClasses(growthPercent);
    }
  }

  /** Chooses the sizes; the last class has room for every item. */
  private cutClasses(growthPercent: u32): void {
    let size = CHUNK_MIN;
    while (size < this.pageBytes / 2 && this.count < CLASSES_MAX - 1) {
      this.at(this.count++).chunkBytes = size;
      const next = <u32>((<u64>size * growthPercent) / 100);
      size = max((next + CHUNK_ALIGNMENT - 1) & ~(CHUNK_ALIGNMENT - 1), size + CHUNK_ALIGNMENT);
    }
    this.at(this.count++).chunkBytes = this.pageBytes;
  }

  get isComplete(): bool {
    return this.classes != 0;
  }

  /** Class number `index`. */
  at(index: u32): SlabClass {
    return changetype<SlabClass>(this.classes + <usize>index * offsetof<SlabClass>());
  }

  /** The smallest class for items of `bytes`, or -1 if they are too large. */
  classFor(bytes: u32): i32 {
    let low: u32 = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle).chunkBytes < bytes) low = middle + 1;
      else high = middle;
    }
    return low < this.count ? <i32>low : -1;
  }

  /** A chunk of a class; 0 if it has none and may not grow. */
  allocate(index: u32): usize {
    const slab = this.at(index);
    if (slab.firstFree == 0 && !this.grow(slab)) return 0;
    const chunk = slab.firstFree;
    slab.firstFree = changetype<Item>(chunk).newer;
    slab.freeChunks--;
    slab.usedChunks++;
    return chunk;
  }

  /** Gives a chunk back to its class. */
  release(item: Item): void {
    const slab = this.at(item.slabClass);
    item.newer = slab.firstFree;
    slab.firstFree = changetype<usize>(item);
    slab.freeChunks++;
    slab.usedChunks--;
  }

  /** Adds a page to a class. */
  private grow(slab: SlabClass): bool {
    if (this.pagesUsed >= this.pagesMax && slab.pages > 0) return false;
    const page = heapAllocate(PAGE_HEADER + this.pageBytes);
    if (page == 0) return false;
    store<usize>(page, this.firstPage);
    this.firstPage = page;
    this.pagesUsed++;
    slab.pages++;
    const count = this.chunksAPage(slab);
    for (let i: u32 = 0; i < count; i++) {
      const chunk = page + PAGE_HEADER + <usize>i * slab.chunkBytes;
      changetype<Item>(chunk).newer = slab.firstFree;
      slab.firstFree = chunk;
    }
    slab.freeChunks += count;
    return true;
  }

  /** How many chunks of a class fit a page. */
  chunksAPage(slab: SlabClass): u32 {
    return this.pageBytes / slab.chunkBytes;
  }

  /** Bytes of all pages. */
  get bytesUsed(): u64 {
    return <u64>this.pagesUsed * this.pageBytes;
  }

  dispose(): void {
    while (this.firstPage != 0) {
      const next = load<usize>(this.firstPage);
      heapFree(this.firstPage);
      this.firstPage = next;
    }
    if (this.classes != 0) heapFree(this.classes);
    free(this);
  }
}
