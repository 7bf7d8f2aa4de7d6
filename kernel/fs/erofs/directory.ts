/**
 * Directories of EROFS: blocks of entries sorted by name, so a look-up is two binary searches.
 *
 *   block: entry 0 | entry 1 | … | name 0 | name 1 | …
 *
 * Entry 0 says by the offset of its name how many entries the block has. A name ends where the next
 * one begins; the last one at a zero byte or the end of the block. Names are sorted as bytes, across
 * blocks too.
 *
 * Neighbours: `data` finds the blocks, `erofs-vnode` calls.
 */
import { ENOENT, EUCLEAN } from "../../lib/errno";
import { free } from "../../lib/object";
import { frameOf, releaseFrame, toVirtual } from "../../mm/frames";
import { NAME_MAX } from "../constants";
import { DirectorySink } from "../vnode";
import { metadataBlock } from "./data";
import { ErofsVnode } from "./erofs-vnode";
import {
  BLOCK_BYTES,
  BLOCK_SHIFT,
  DIRENT_BYTES,
  DIRENT_NAME_OFFSET,
  DIRENT_TYPE,
  modeTypeOf,
} from "./layout";

/** One directory block in memory; `load` takes a reference of its page, `release` gives it back. */
class DirectoryBlock {
  private offset: usize = 0;
  private physical: u64 = 0;
  private address: usize = 0;
  private length: u32 = 0;
  /** Number of entries. */
  count: u32 = 0;
  /** After `select`: the name of that entry. */
  name: usize = 0;
  nameLength: u32 = 0;

  /** Brings block `index` of a directory in. @returns 0 or a negative error */
  load(vnode: ErofsVnode, index: u64): i64 {
    this.release();
    const offsetOut = changetype<usize>(this) + offsetof<DirectoryBlock>("offset");
    const physical = metadataBlock(vnode, index, offsetOut);
    if (physical < 0) return physical;
    this.physical = physical;
    this.address = toVirtual(physical) + this.offset;
    this.length = <u32>min<u64>(vnode.size - (index << BLOCK_SHIFT), BLOCK_BYTES);
    if (this.length < DIRENT_BYTES) return -EUCLEAN;
    const namesStart = <u32>load<u16>(this.address + DIRENT_NAME_OFFSET);
    if (namesStart < DIRENT_BYTES || namesStart >= this.length || namesStart % DIRENT_BYTES) {
      return -EUCLEAN;
    }
    this.count = namesStart / DIRENT_BYTES;
    return 0;
  }

  /** Finds the name of entry `index`, below `count`. @returns 0 or -EUCLEAN */
  select(index: u32): i64 {
    const entry = this.entry(index);
    const start = <u32>load<u16>(entry + DIRENT_NAME_OFFSET);
    const isLast = index + 1 == this.count;
    let end = isLast ? this.length : <u32>load<u16>(entry + DIRENT_BYTES + DIRENT_NAME_OFFSET);
    if (start < this.count * DIRENT_BYTES || start >= end || end > this.length) return -EUCLEAN;
    if (isLast) {
      let at = start;
      while (at < end && load<u8>(this.address + at)) at++;
      end = at;
    }
    this.name = this.address + start;
    this.nameLength = end - start;
    return this.nameLength == 0 || this.nameLength > NAME_MAX ? -EUCLEAN : 0;
  }

  nid(index: u32): u64 {
    return load<u64>(this.entry(index));
  }

  /** Type bits of the mode of entry `index`. */
  type(index: u32): u32 {
    return modeTypeOf(load<u8>(this.entry(index) + DIRENT_TYPE));
  }

  /** Order of the selected name relative to another: negative, 0, positive. */
  compare(name: usize, nameLength: usize): i32 {
    const own = <usize>this.nameLength;
    const order = memory.compare(this.name, name, min<usize>(own, nameLength));
    if (order) return order;
    return own < nameLength ? -1 : own > nameLength ? 1 : 0;
  }

  release(): void {
    if (this.physical) releaseFrame(frameOf(this.physical));
    this.physical = 0;
  }

  private entry(index: u32): usize {
    return this.address + index * DIRENT_BYTES;
  }
}

/** Finds a name. @returns the nid, -ENOENT, or -EUCLEAN, -EIO, -ENOMEM */
export function findEntry(vnode: ErofsVnode, name: usize, nameLength: usize): i64 {
  const block = new DirectoryBlock();
  const found = searchBlocks(block, vnode, name, nameLength);
  block.release();
  free(block);
  return found;
}

/** The name, if it exists, is in the last block whose first name is not greater. */
function searchBlocks(
  block: DirectoryBlock,
  vnode: ErofsVnode,
  name: usize,
  nameLength: usize,
): i64 {
  let low: u64 = 0;
  let high = (vnode.size + BLOCK_BYTES - 1) >> BLOCK_SHIFT;
  while (low < high) {
    const middle = low + ((high - low) >> 1);
    let status = block.load(vnode, middle);
    if (status == 0) status = block.select(0);
    if (status < 0) return status;
    if (block.compare(name, nameLength) > 0) {
      high = middle;
      continue;
    }
    const found = searchBlock(block, name, nameLength);
    // Beyond the last name of this block: it may be in a later one.
    if (found != -ENOENT || !isBehindLast(block, name, nameLength)) return found;
    low = middle + 1;
  }
  return -ENOENT;
}

function isBehindLast(block: DirectoryBlock, name: usize, nameLength: usize): bool {
  return block.select(block.count - 1) == 0 && block.compare(name, nameLength) < 0;
}

function searchBlock(block: DirectoryBlock, name: usize, nameLength: usize): i64 {
  let low: u32 = 0;
  let high = block.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    const status = block.select(middle);
    if (status < 0) return status;
    const order = block.compare(name, nameLength);
    if (order == 0) {
      const nid = <i64>block.nid(middle);
      return nid < 0 ? -EUCLEAN : nid;
    }
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -ENOENT;
}

/**
 * Reports entries from a position on, which is block number * 4096 + number in the block.
 * @returns the position to go on from, or a negative error
 */
export function listEntries(vnode: ErofsVnode, position: u64, sink: DirectorySink): i64 {
  const block = new DirectoryBlock();
  const next = listBlocks(block, vnode, position, sink);
  block.release();
  free(block);
  return next;
}

function listBlocks(
  block: DirectoryBlock,
  vnode: ErofsVnode,
  position: u64,
  sink: DirectorySink,
): i64 {
  const blocks = (vnode.size + BLOCK_BYTES - 1) >> BLOCK_SHIFT;
  let at = position;
  while (at >> BLOCK_SHIFT < blocks) {
    const index = at >> BLOCK_SHIFT;
    const status = block.load(vnode, index);
    if (status < 0) return status;
    let number = <u32>at & (<u32>BLOCK_BYTES - 1);
    for (; number < block.count; number++) {
      const selected = block.select(number);
      if (selected < 0) return selected;
      const isLast = number + 1 == block.count;
      const next = isLast ? (index + 1) << BLOCK_SHIFT : (index << BLOCK_SHIFT) + number + 1;
      const type = block.type(number);
      if (!sink.entry(block.name, block.nameLength, block.nid(number), type, next)) return at;
      at = next;
    }
    at = (index + 1) << BLOCK_SHIFT;
  }
  return at;
}
