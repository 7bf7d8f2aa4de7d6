/**
 * The order of use of a slab class's items: the newest in front, what is evicted at the end. An item
 * moves to the front at most once a minute, which spares hot items the work.
 *
 * Lock: the store's. Neighbours: `slabs.ts` (holds both ends), `store.ts`.
 */
import { Item } from "./item";
import { SlabClass } from "./slabs";

const MOVE_SECONDS: u32 = 60;

/** Puts a new item in front. */
export function linkNewest(slab: SlabClass, item: Item, nowSeconds: u32): void {
  item.usedAt = nowSeconds;
  item.newer = 0;
  item.older = slab.newest;
  if (slab.newest != 0) changetype<Item>(slab.newest).newer = changetype<usize>(item);
  else slab.oldest = changetype<usize>(item);
  slab.newest = changetype<usize>(item);
}

/** Takes an item out of the order. */
export function unlinkUsed(slab: SlabClass, item: Item): void {
  if (item.newer != 0) changetype<Item>(item.newer).older = item.older;
  else slab.newest = item.older;
  if (item.older != 0) changetype<Item>(item.older).newer = item.newer;
  else slab.oldest = item.newer;
}

/** Notes that an item has been used. */
export function touchUsed(slab: SlabClass, item: Item, nowSeconds: u32): void {
  if (nowSeconds - item.usedAt < MOVE_SECONDS || slab.newest == changetype<usize>(item)) return;
  unlinkUsed(slab, item);
  linkNewest(slab, item, nowSeconds);
}
