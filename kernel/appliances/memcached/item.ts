/**
 * One stored value: a header, the key, the value, all in one chunk of a slab.
 *
 *     +--------+----------+------------------+------+
 *     | Item   | key …    | value …          | \r\n |
 *     +--------+----------+------------------+------+
 *
 * The value carries the line end of the text protocol, so that a reply is one copy. Neighbours:
 * `slabs.ts` (where chunks come from), `hash-table.ts` and `lru.ts` (what links items), `store.ts`.
 */

@unmanaged
export class Item {
  /** Next item of the bucket. */
  hashNext: usize;
  /** Neighbours in the order of use of the slab class; also the link of free chunks. */
  newer: usize;
  older: usize;
  /** Changes with every change of the value (cas, gets). */
  unique: u64;
  hash: u32;
  /** Second of the store's clock at which it ends; 0 = never. */
  expiry: u32;
  /** Second at which it was last used, and moved to the front of the order. */
  usedAt: u32;
  /** Opaque to us. */
  flags: u32;
  /** Without the line end. */
  valueBytes: u32;
  keyBytes: u8;
  slabClass: u8;
  /** Somebody has read it since it was stored. */
  wasFetched: bool;

  get key(): usize {
    return changetype<usize>(this) + ITEM_HEADER;
  }

  get value(): usize {
    return changetype<usize>(this) + ITEM_HEADER + this.keyBytes;
  }
}

/** Bytes before the key. */
export const ITEM_HEADER: usize = offsetof<Item>();
export const LINE_END_BYTES: u32 = 2;
/** "\r\n", little-endian. */
const LINE_END: u16 = 0x0a0d;

/** Bytes that an item takes. */
export function itemBytes(keyBytes: u32, valueBytes: u32): u32 {
  return <u32>ITEM_HEADER + keyBytes + valueBytes + LINE_END_BYTES;
}

/** Puts the line end behind the value. */
export function endValue(item: Item): void {
  store<u16>(item.value + item.valueBytes, LINE_END);
}
