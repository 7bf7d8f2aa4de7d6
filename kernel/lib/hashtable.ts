/**
 * Intrusive hash table with chaining. The table grows with its elements; when there is no memory to
 * grow, chains become longer and nothing fails.
 *
 * The element declares two adjacent fields, `hashNext: usize` and `hashValue: u64`. A subclass or the
 * owner finds an element by walking the chain of a hash value:
 *
 *   for (let node = table.firstWith(hash); node; node = table.nextWith(node)) if (node.id == id) …
 *
 * Only elements of exactly that hash value are visited. Lock: the owner's.
 */
import { heapAllocate, heapFree } from "../mm/heap";

/** Distance of the field `hashValue` from the field `hashNext`. */
const VALUE: usize = sizeof<usize>();

/** Spreads the bits of an integer key over all 64 bits (the finaliser of SplitMix64). */
export function hashInteger(key: u64): u64 {
  let value = key;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

/** Hash of `length` bytes (FNV-1a, 64 bits, with a final spread). */
export function hashBytes(address: usize, length: usize, seed: u64 = 0): u64 {
  let value: u64 = 0xcbf29ce484222325 ^ seed;
  for (let i: usize = 0; i < length; i++) value = (value ^ load<u8>(address + i)) * 0x100000001b3;
  return value ^ (value >> 29);
}

export class HashTable<T> {
  private buckets: usize = 0;
  private bucketCount: usize = 0;
  private count: usize = 0;
  /** Chain used until the first bucket array exists. */
  private soleBucket: usize = 0;

  /** @param linkOffset offset in bytes of the element's `hashNext` field; `hashValue` follows it */
  constructor(private linkOffset: usize) {}

  get length(): usize {
    return this.count;
  }

  /** Adds an element, which is on no table, under a hash value. Never fails. */
  insert(element: T, hash: u64): void {
    if (this.count >= this.bucketCount) this.grow();
    const links = changetype<usize>(element) + this.linkOffset;
    const bucket = this.bucketOf(hash);
    store<usize>(links, load<usize>(bucket));
    store<u64>(links, hash, VALUE);
    store<usize>(bucket, changetype<usize>(element));
    this.count++;
  }

  /** Takes `element`, which is on this table, off it. */
  remove(element: T): void {
    const node = changetype<usize>(element);
    let link = this.bucketOf(load<u64>(node + this.linkOffset, VALUE));
    for (let at = load<usize>(link); at != node; at = load<usize>(link)) {
      assert(at != 0, "element is not on the hash table");
      link = at + this.linkOffset;
    }
    store<usize>(link, load<usize>(node + this.linkOffset));
    store<usize>(node + this.linkOffset, 0);
    this.count--;
  }

  /** First element with exactly this hash value, or null. */
  firstWith(hash: u64): T | null {
    return this.find(load<usize>(this.bucketOf(hash)), hash);
  }

  /** Next element with the same hash value as `element`, or null. */
  nextWith(element: T): T | null {
    const links = changetype<usize>(element) + this.linkOffset;
    return this.find(load<usize>(links), load<u64>(links, VALUE));
  }

  /** First element of the table in no particular order, or null; `nextAny` walks on. */
  firstAny(): T | null {
    return this.firstFrom(0);
  }

  /** Element after `element` in no particular order. The table must not change in between. */
  nextAny(element: T): T | null {
    const links = changetype<usize>(element) + this.linkOffset;
    const next = load<usize>(links);
    if (next) return changetype<T | null>(next);
    if (!this.bucketCount) return null;
    return this.firstFrom((<usize>load<u64>(links, VALUE) & (this.bucketCount - 1)) + 1);
  }

  /** Gives the bucket array back; the table must be empty. */
  dispose(): void {
    assert(this.count == 0, "a hash table was disposed of with elements on it");
    if (this.buckets) heapFree(this.buckets);
    this.buckets = 0;
    this.bucketCount = 0;
  }

  private firstFrom(index: usize): T | null {
    if (!this.bucketCount) return changetype<T | null>(index == 0 ? this.soleBucket : 0);
    for (let i = index; i < this.bucketCount; i++) {
      const head = load<usize>(this.buckets + i * sizeof<usize>());
      if (head) return changetype<T | null>(head);
    }
    return null;
  }

  private find(start: usize, hash: u64): T | null {
    let node = start;
    while (node && load<u64>(node + this.linkOffset, VALUE) != hash) {
      node = load<usize>(node + this.linkOffset);
    }
    return changetype<T | null>(node);
  }

  private bucketOf(hash: u64): usize {
    if (!this.bucketCount) return changetype<usize>(this) + offsetof<HashTable<T>>("soleBucket");
    return this.buckets + (<usize>hash & (this.bucketCount - 1)) * sizeof<usize>();
  }

  private grow(): void {
    const newCount: usize = this.bucketCount ? this.bucketCount * 4 : 16;
    const newBuckets = heapAllocate(newCount * sizeof<usize>());
    if (!newBuckets) return;
    memory.fill(newBuckets, 0, newCount * sizeof<usize>());
    const oldBuckets = this.buckets;
    const oldCount = this.bucketCount ? this.bucketCount : 1;
    const oldStart = oldBuckets
      ? oldBuckets
      : changetype<usize>(this) + offsetof<HashTable<T>>("soleBucket");
    this.buckets = newBuckets;
    this.bucketCount = newCount;
    for (let i: usize = 0; i < oldCount; i++) {
      let node = load<usize>(oldStart + i * sizeof<usize>());
      while (node) {
        const links = node + this.linkOffset;
        const next = load<usize>(links);
        const bucket = this.bucketOf(load<u64>(links, VALUE));
        store<usize>(links, load<usize>(bucket));
        store<usize>(bucket, node);
        node = next;
      }
    }
    this.soleBucket = 0;
    if (oldBuckets) heapFree(oldBuckets);
  }
}
