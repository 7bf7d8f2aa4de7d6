/**
 * Taking pages of a file out of every mapping in every address space, once the file has lost them:
 * truncate(2) and FALLOC_FL_PUNCH_HOLE. There is no list of a file's mappings; all spaces are looked
 * through, and files without a mapping never get here.
 *
 * Neighbours: `fs/vnode` calls it, `relieve` keeps the list of spaces.
 * Lock: each space's in turn; the caller may hold the file's write lock, which comes first.
 */
import { AddressSpace } from "./address-space";
import { nextSpace, releaseFileRange } from "./relieve";
import { zapRange } from "./unmap";

/**
 * Unmaps the pages of the bytes `start` … `end` - 1 (multiples of the page size). May sleep.
 * @param key `Pager.contentKey` of the file
 * @param takesCopies also private copies
 */
export function unmapContent(key: usize, start: u64, end: u64, takesCopies: bool): void {
  let space = nextSpace(null);
  while (space) {
    unmapIn(space, key, start, end, takesCopies);
    const next = nextSpace(space);
    space.release();
    space = next;
  }
}

function unmapIn(space: AddressSpace, key: usize, start: u64, end: u64, takesCopies: bool): void {
  space.lock();
  let vma = space.tree.first;
  while (vma) {
    const pager = vma.pager;
    const first = max(start, vma.offset);
    const last = min(end, vma.offset + <u64>vma.length);
    if (pager && first < last && pager.contentKey() == key) {
      const from = vma.start + <usize>(first - vma.offset);
      const to = vma.start + <usize>(last - vma.offset);
      // Pages of files are small, so nothing has to be divided and nothing can fail.
      if (takesCopies) zapRange(space, from, to);
      else releaseFileRange(space, from, to, true);
    }
    vma = space.tree.next(vma);
  }
  space.unlock();
}

/** How many mappings of the content there are in all address spaces (struct shmid_ds). May sleep. */
export function countMappings(key: usize): u64 {
  let count: u64 = 0;
  let space = nextSpace(null);
  while (space) {
    space.lock();
    let vma = space.tree.first;
    while (vma) {
      const pager = vma.pager;
      if (pager && pager.contentKey() == key) count++;
      vma = space.tree.next(vma);
    }
    space.unlock();
    const next = nextSpace(space);
    space.release();
    space = next;
  }
  return count;
}
