/**
 * Finds items by key: buckets of linked items, a power of two of them, doubled when there are more
 * than 1.5 items a bucket. Growing moves a few buckets with each change, so that no request waits long.
 *
 * Lock: the store's. Neighbours: `item.ts`, `store.ts`.
 */
import { equalBytes } from "../../lib/bytes";
import { free } from "../../lib/object";
import { heapAllocate, heapFree } from "../../mm/heap";
import { Item } from "./item";

const FIRST_BUCKETS: u32 = 1 << 12;
const BUCKETS_MAX: u32 = 1 << 26;
/** Old buckets that each insertion empties while the table grows. */
const MOVED_AT_ONCE: u32 = 8;

/** Hash of a key: 8 bytes at a time, multiplied and folded (after wyhash; not for hostile keys alone). */
export function hashKey(key: usize, bytes: u32, seed: u64): u32 {
  let hash: u64 = seed ^ (<u64>bytes * 0x9e3779b97f4a7c15);
  let at = key;
  let left = bytes;
  while (left >= 8) {
    hash = mix(hash ^ load<u64>(at));
    at += 8;
    left -= 8;
  }
  let last: u64 = 0;
  while (left > 0) {
    left--;
    last = (last << 8) | load<u8>(at + left);
  }
  hash = mix(hash ^ last);
  return <u32>(hash ^ (hash >> 32));
}

function mix(value: u64): u64 {
  const product = value * 0xd6e8feb86659fd93;
  return product ^ (product >> 32);
}

export class HashTable {
  private buckets: usize = 0;
  private mask: u32 = 0;
  /** While the table grows: the smaller one, and how many of its buckets are empty already. */
  private oldBuckets: usize = 0;
  private oldMask: u32 = 0;
  private moved: u32 = 0;
  count: u32 = 0;

  constructor() {
    this.buckets = makeBuckets(FIRST_BUCKETS);
    this.mask = FIRST_BUCKETS - 1;
  }

  get isComplete(): bool {
    return this.buckets != 0;
  }

  /** Bytes of the table. */
  get bytes(): u64 {
    return (<u64>this.mask + 1) * 8;
  }

  /** Where the first item of a hash's bucket is linked. */
  private slot(hash: u32): usize {
    if (this.oldBuckets != 0 && (hash & this.oldMask) >= this.moved) {
      return this.oldBuckets + <usize>(hash & this.oldMask) * 8;
    }
    return this.buckets + <usize>(hash & this.mask) * 8;
  }

  /** The item with this key, or null. */
  find(key: usize, keyBytes: u32, hash: u32): Item | null {
    let at = load<usize>(this.slot(hash));
    while (at != 0) {
      const item = changetype<Item>(at);
      if (item.hash == hash && item.keyBytes == keyBytes && equalBytes(item.key, key, keyBytes)) {
        return item;
      }
      at = item.hashNext;
    }
    return null;
  }

  /** Adds an item whose key is not there. */
  insert(item: Item): void {
    this.moveSome();
    const slot = this.slot(item.hash);
    item.hashNext = load<usize>(slot);
    store<usize>(slot, changetype<usize>(item));
    this.count++;
    if (this.oldBuckets == 0 && this.count > this.mask + 1 + (this.mask + 1) / 2) this.grow();
  }

  /** Takes an item out. */
  remove(item: Item): void {
    let slot = this.slot(item.hash);
    while (load<usize>(slot) != changetype<usize>(item)) {
      slot = load<usize>(slot) + offsetof<Item>("hashNext");
    }
    store<usize>(slot, item.hashNext);
    this.count--;
  }

  /** Begins to double the table; without memory it stays as it is. */
  private grow(): void {
    if (this.mask + 1 >= BUCKETS_MAX) return;
    const larger = makeBuckets((this.mask + 1) * 2);
    if (larger == 0) return;
    this.oldBuckets = this.buckets;
    this.oldMask = this.mask;
    this.moved = 0;
    this.buckets = larger;
    this.mask = this.mask * 2 + 1;
  }

  private moveSome(): void {
    if (this.oldBuckets == 0) return;
    for (let i: u32 = 0; i < MOVED_AT_ONCE; i++) {
      let at = load<usize>(this.oldBuckets + <usize>this.moved * 8);
      while (at != 0) {
        const item = changetype<Item>(at);
        at = item.hashNext;
        const slot = this.buckets + <usize>(item.hash & this.mask) * 8;
        item.hashNext = load<usize>(slot);
        store<usize>(slot, changetype<usize>(item));
      }
      this.moved++;
      if (this.moved > this.oldMask) {
        heapFree(this.oldBuckets);
        this.oldBuckets = 0;
        return;
      }
    }
  }

  dispose(): void {
    if (this.oldBuckets != 0) heapFree(this.oldBuckets);
    if (this.buckets != 0) heapFree(this.buckets);
    free(this);
  }
}

function makeBuckets(count: u32): usize {
  const bytes = <usize>count * 8;
  const buckets = heapAllocate(bytes);
  if (buckets != 0) memory.fill(buckets, 0, bytes);
  return buckets;
}
