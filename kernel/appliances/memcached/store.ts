/**
 * The cache itself: items by key, the least recently used of a size evicted when memory is full.
 * Protocols (`text-protocol.ts`, `binary-protocol.ts`) call it and turn results into words.
 *
 *     hash table ──► items ──► slab classes, each with its order of use
 *
 * Lock: `lock`, held by whoever carries out a request, from the look-up to the copy of the value: an
 * item may go when it is released. Interrupts are off meanwhile, as wherever a packet is worked on.
 */
import { SpinLock } from "../../arch/spinlock";
import { free } from "../../lib/object";
import { heapAllocate, heapFree } from "../../mm/heap";
import { HashTable, hashKey } from "./hash-table";
import { Item, endValue, itemBytes } from "./item";
import { linkNewest, touchUsed, unlinkUsed } from "./lru";
import { SlabClass, Slabs } from "./slabs";
import { Statistics } from "./statistics";

/** Longest key. */
export const KEY_MAX: u32 = 250;

// Results.
export const STORED: u32 = 0;
export const NOT_STORED: u32 = 1;
export const EXISTS: u32 = 2;
export const NOT_FOUND: u32 = 3;
export const TOO_LARGE: u32 = 4;
export const NO_MEMORY: u32 = 5;
export const NOT_A_NUMBER: u32 = 6;

// What `put` requires.
export const PUT_SET: u32 = 0;
export const PUT_ADD: u32 = 1;
export const PUT_REPLACE: u32 = 2;
export const PUT_APPEND: u32 = 3;
export const PUT_PREPEND: u32 = 4;

/** How many of the least used are looked at for one that has expired, before one is evicted. */
const LOOK_FOR_EXPIRED: u32 = 5;
const SCRATCH_BYTES: usize = 32;

export class Store {
  readonly lock: SpinLock = new SpinLock();
  readonly statistics: Statistics = new Statistics();
  readonly slabs: Slabs;
  readonly table: HashTable = new HashTable();
  private lastUnique: u64 = 0;
  /** Items up to this one are gone (flush_all). */
  private flushedUnique: u64 = 0;
  /** Second at which everything then stored goes; 0 = none is planned. */
  private flushAt: u32 = 0;
  /** The store's clock in seconds, which the services keep current; never 0. */
  nowSeconds: u32 = 1;
  /** `-M`: an error rather than an eviction. */
  keepsEverything: bool = false;
  /** unique of what `put`, `add` or `touch` has changed last; valid under the lock. */
  unique: u64 = 0;
  /** What `addTo` came to; valid under the lock. */
  number: u64 = 0;
  private seed: u64;
  /** Room for the digits of a number. */
  private scratch: usize = heapAllocate(SCRATCH_BYTES);

  /** @param limitBytes memory for items @param itemMax largest item @param seed of the hash */
  constructor(limitBytes: u64, itemMax: u32, growthPercent: u32, seed: u64) {
    this.slabs = new Slabs(limitBytes, itemMax, growthPercent);
    this.seed = seed;
  }

  get isComplete(): bool {
    return this.slabs.isComplete && this.table.isComplete && this.scratch != 0;
  }

  /** The item with a key, or null. Does not count as use. */
  peek(key: usize, keyBytes: u32): Item | null {
    if (this.flushAt != 0 && this.flushAt <= this.nowSeconds) this.flushNow();
    const item = this.table.find(key, keyBytes, hashKey(key, keyBytes, this.seed));
    if (!item) return null;
    if (item.unique <= this.flushedUnique) {
      this.statistics.getFlushed++;
      this.drop(item);
      return null;
    }
    if (item.expiry != 0 && item.expiry <= this.nowSeconds) {
      this.statistics.getExpired++;
      this.drop(item);
      return null;
    }
    return item;
  }

  /** `peek`, counted as a use: for get. */
  find(key: usize, keyBytes: u32): Item | null {
    const item = this.peek(key, keyBytes);
    this.statistics.gets++;
    if (!item) {
      this.statistics.getMisses++;
      return null;
    }
    this.statistics.getHits++;
    item.wasFetched = true;
    touchUsed(this.slabs.at(item.slabClass), item, this.nowSeconds);
    return item;
  }

  /**
   * Stores a value: set, add, replace, append, prepend, cas.
   * @param condition PUT_*
   * @param unique 0, or what the item's must still be
   * @param expiry second of the store's clock, 0 = never; in the past: stored and gone
   * @returns STORED, NOT_STORED, EXISTS, NOT_FOUND, TOO_LARGE or NO_MEMORY
   */
  put(
    condition: u32,
    key: usize,
    keyBytes: u32,
    value: usize,
    valueBytes: u32,
    flags: u32,
    expiry: u32,
    unique: u64,
  ): u32 {
    const statistics = this.statistics;
    statistics.sets++;
    const old = this.peek(key, keyBytes);
    if (unique != 0) {
      if (!old) {
        statistics.casMisses++;
        return NOT_FOUND;
      }
      if (old.unique != unique) {
        statistics.casBad++;
        return EXISTS;
      }
      statistics.casHits++;
    }
    if (condition == PUT_ADD ? old != null : condition != PUT_SET && !old) return NOT_STORED;
    const joins = condition >= PUT_APPEND;
    const total = <u64>valueBytes + (joins && old ? old.valueBytes : 0);
    const index = total > u32.MAX_VALUE / 2 ? -1 : this.classOf(keyBytes, <u32>total);
    if (index < 0) {
      // What a failed set was to replace must not be taken for its value.
      if (condition == PUT_SET && old) this.drop(old);
      return TOO_LARGE;
    }
    const chunk = this.room(<u32>index, old);
    if (chunk == 0) {
      if (condition == PUT_SET && old) this.drop(old);
      return NO_MEMORY;
    }
    const item = changetype<Item>(chunk);
    item.slabClass = <u8>index;
    item.keyBytes = <u8>keyBytes;
    item.hash = hashKey(key, keyBytes, this.seed);
    item.valueBytes = <u32>total;
    item.wasFetched = false;
    memory.copy(item.key, key, keyBytes);
    if (joins && old) {
      const ahead = condition == PUT_PREPEND ? valueBytes : 0;
      const behind = condition == PUT_PREPEND ? 0 : old.valueBytes;
      memory.copy(item.value + ahead, old.value, old.valueBytes);
      memory.copy(item.value + behind, value, valueBytes);
      item.flags = old.flags;
      item.expiry = old.expiry;
    } else {
      memory.copy(item.value, value, valueBytes);
      item.flags = flags;
      item.expiry = expiry;
    }
    endValue(item);
    if (old) this.drop(old);
    this.link(item);
    return STORED;
  }

  private classOf(keyBytes: u32, valueBytes: u32): i32 {
    return this.slabs.classFor(itemBytes(keyBytes, valueBytes));
  }

  private link(item: Item): void {
    const slab = this.slabs.at(item.slabClass);
    item.unique = ++this.lastUnique;
    this.unique = item.unique;
    this.table.insert(item);
    linkNewest(slab, item, this.nowSeconds);
    slab.storedTotal++;
    this.statistics.totalItems++;
  }

  /** Takes an item out and frees its chunk. */
  private drop(item: Item): void {
    this.table.remove(item);
    unlinkUsed(this.slabs.at(item.slabClass), item);
    this.slabs.release(item);
  }

  /** A chunk of a class, if need be that of the item used least; `kept` stays. 0 = no memory. */
  private room(index: u32, kept: Item | null): usize {
    const chunk = this.slabs.allocate(index);
    if (chunk != 0) return chunk;
    const slab = this.slabs.at(index);
    if (!this.reclaim(slab, kept)) {
      slab.outOfMemory++;
      return 0;
    }
    return this.slabs.allocate(index);
  }

  /** Frees one chunk of a class. */
  private reclaim(slab: SlabClass, kept: Item | null): bool {
    let at = slab.oldest;
    let victim: usize = 0;
    for (let i: u32 = 0; i < LOOK_FOR_EXPIRED && at != 0; i++) {
      const item = changetype<Item>(at);
      at = item.newer;
      if (item == kept) continue;
      const isDead =
        item.unique <= this.flushedUnique || (item.expiry != 0 && item.expiry <= this.nowSeconds);
      if (isDead) {
        slab.reclaimed++;
        this.statistics.reclaimed++;
        this.drop(item);
        return true;
      }
      if (victim == 0) victim = changetype<usize>(item);
    }
    if (victim == 0 || this.keepsEverything) return false;
    const item = changetype<Item>(victim);
    slab.evictions++;
    if (!item.wasFetched) slab.evictedUnfetched++;
    this.statistics.evictions++;
    this.drop(item);
    return true;
  }

  /** delete. @param unique as for `put` @returns STORED, NOT_FOUND or EXISTS */
  remove(key: usize, keyBytes: u32, unique: u64): u32 {
    const item = this.peek(key, keyBytes);
    if (!item) {
      this.statistics.deleteMisses++;
      return NOT_FOUND;
    }
    if (unique != 0 && item.unique != unique) return EXISTS;
    this.statistics.deleteHits++;
    this.drop(item);
    return STORED;
  }

  /** Changes when an item ends: touch, gat. @returns the item, or null */
  touch(key: usize, keyBytes: u32, expiry: u32): Item | null {
    const item = this.peek(key, keyBytes);
    this.statistics.touches++;
    if (!item) {
      this.statistics.touchMisses++;
      return null;
    }
    this.statistics.touchHits++;
    item.expiry = expiry;
    touchUsed(this.slabs.at(item.slabClass), item, this.nowSeconds);
    return item;
  }

  /**
   * incr and decr: the value is a decimal number of up to 20 digits; sums wrap at 2^64, differences
   * stop at 0. As in memcached a shorter number keeps the value's length, filled with blanks. The
   * result is in `number`.
   * @returns STORED, NOT_FOUND, NOT_A_NUMBER, EXISTS or NO_MEMORY
   */
  addTo(key: usize, keyBytes: u32, amount: u64, isDecrement: bool, unique: u64): u32 {
    const item = this.peek(key, keyBytes);
    const statistics = this.statistics;
    if (!item) {
      if (isDecrement) statistics.decrementMisses++;
      else statistics.incrementMisses++;
      return NOT_FOUND;
    }
    if (unique != 0 && item.unique != unique) return EXISTS;
    if (!this.readNumber(item)) return NOT_A_NUMBER;
    if (isDecrement) this.number = this.number > amount ? this.number - amount : 0;
    else this.number += amount;
    if (isDecrement) statistics.decrementHits++;
    else statistics.incrementHits++;
    const digits = digitsOf(this.number);
    let target = item;
    if (digits > item.valueBytes) {
      const index = this.classOf(keyBytes, digits);
      const chunk = index < 0 ? 0 : this.room(<u32>index, item);
      if (chunk == 0) return NO_MEMORY;
      target = changetype<Item>(chunk);
      target.slabClass = <u8>index;
      target.keyBytes = item.keyBytes;
      target.hash = item.hash;
      target.valueBytes = digits;
      target.flags = item.flags;
      target.expiry = item.expiry;
      target.wasFetched = false;
      memory.copy(target.key, item.key, keyBytes);
      endValue(target);
      this.drop(item);
      this.link(target);
    } else {
      target.unique = ++this.lastUnique;
      this.unique = target.unique;
      memory.fill(target.value + digits, 0x20, target.valueBytes - digits);
    }
    writeDigits(this.number, target.value, digits);
    return STORED;
  }

  /** Stores `number` as a value of its own: what incr and decr of the binary protocol may begin with. */
  putNumber(key: usize, keyBytes: u32, expiry: u32): u32 {
    const digits = digitsOf(this.number);
    writeDigits(this.number, this.scratch, digits);
    return this.put(PUT_SET, key, keyBytes, this.scratch, digits, 0, expiry, 0);
  }

  /** Reads a number, which blanks may follow, into `number`. */
  private readNumber(item: Item): bool {
    let at: u32 = 0;
    let value: u64 = 0;
    while (at < item.valueBytes) {
      const byte = load<u8>(item.value + at);
      if (byte < 0x30 || byte > 0x39) break;
      if (at == 20) return false;
      const next = value * 10 + (byte - 0x30);
      if (at == 19 && (value > u64.MAX_VALUE / 10 || next < value)) return false;
      value = next;
      at++;
    }
    if (at == 0) return false;
    for (let i = at; i < item.valueBytes; i++) {
      if (load<u8>(item.value + i) != 0x20) return false;
    }
    this.number = value;
    return true;
  }

  /** flush_all. @param atSeconds when; at or before now: at once */
  flush(atSeconds: u32): void {
    this.statistics.flushes++;
    if (atSeconds <= this.nowSeconds) this.flushNow();
    else this.flushAt = atSeconds;
  }

  private flushNow(): void {
    this.flushedUnique = this.lastUnique;
    this.flushAt = 0;
  }

  /** Bytes of all items that are stored, with what they take besides (`bytes` of stats). */
  get usedBytes(): u64 {
    let sum: u64 = 0;
    for (let i: u32 = 0; i < this.slabs.count; i++) {
      const slab = this.slabs.at(i);
      sum += <u64>slab.usedChunks * slab.chunkBytes;
    }
    return sum;
  }

  dispose(): void {
    heapFree(this.scratch);
    this.table.dispose();
    this.slabs.dispose();
    free(this.statistics);
    free(this.lock);
    free(this);
  }
}

/** Decimal digits of a number. */
export function digitsOf(value: u64): u32 {
  let digits: u32 = 1;
  for (let rest = value / 10; rest != 0; rest /= 10) digits++;
  return digits;
}

/** Writes a number as `digits` decimal digits. */
export function writeDigits(value: u64, at: usize, digits: u32): void {
  let rest = value;
  for (let i = <i32>digits - 1; i >= 0; i--) {
    store<u8>(at + i, 0x30 + <u8>(rest % 10));
    rest /= 10;
  }
}
