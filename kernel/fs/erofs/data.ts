/**
 * Where the data of a file lies, and reading it: into page-cache frames for regular files, into
 * kernel memory for links.
 *
 * Neighbours: `layout`, `erofs-vnode`; directories find their blocks by `metadataBlock` here.
 */
import { EIO, EUCLEAN } from "../../lib/errno";
import { frameOf, releaseFrame, toVirtual } from "../../mm/frames";
import { PAGE_SECTORS, readSectors } from "../block-io";
import { ErofsVnode } from "./erofs-vnode";
import { BLOCK_BYTES, BLOCK_SHIFT, HOLE, LAYOUT_CHUNK, LAYOUT_FLAT_INLINE } from "./layout";

/** What `blockOf` returns for a block without data on disk, and for the tail behind the inode. */
const BLOCK_IS_HOLE: i64 = i64.MAX_VALUE;
const BLOCK_IS_INLINE: i64 = i64.MAX_VALUE - 1;

/** Number of blocks of the file, the last perhaps not full. */
function blockCount(vnode: ErofsVnode): u64 {
  return (vnode.size + BLOCK_BYTES - 1) >> BLOCK_SHIFT;
}

/** The disk block that holds block `index` of the file, BLOCK_IS_…, or a negative error. */
function blockOf(vnode: ErofsVnode, index: u64): i64 {
  if (vnode.layout == LAYOUT_CHUNK) return chunkBlockOf(vnode, index);
  if (vnode.layout == LAYOUT_FLAT_INLINE && index + 1 == blockCount(vnode)) return BLOCK_IS_INLINE;
  return <u64>vnode.place + index;
}

function chunkBlockOf(vnode: ErofsVnode, index: u64): i64 {
  const chunk = index >> vnode.chunkShift;
  const at = vnode.inlineOffset + (chunk << vnode.chunkEntryShift);
  const page = vnode.erofs.metadataPage(at >> BLOCK_SHIFT);
  if (page < 0) return page;
  // An 8-byte entry has its block address in the second half, behind the device number.
  const within = (<usize>at & (BLOCK_BYTES - 1)) + (vnode.chunkEntryShift == 3 ? 4 : 0);
  const block = load<u32>(toVirtual(page) + within);
  releaseFrame(frameOf(page));
  if (block == HOLE) return BLOCK_IS_HOLE;
  return <u64>block + (index & (((<u64>1) << vnode.chunkShift) - 1));
}

/**
 * Fills page frames with file data; what lies behind the end of the file becomes zero.
 * @returns 0 or a negative error
 */
export function fillPages(vnode: ErofsVnode, first: u64, frames: usize, count: u32): i32 {
  let done: u32 = 0;
  while (done < count) {
    const index = first + done;
    const block = index < blockCount(vnode) ? blockOf(vnode, index) : BLOCK_IS_HOLE;
    if (block < 0) return <i32>block;
    const at = frames + done * 8;
    if (block == BLOCK_IS_HOLE) {
      memory.fill(toVirtual(load<u64>(at)), 0, BLOCK_BYTES);
      done++;
    } else if (block == BLOCK_IS_INLINE) {
      const status = fillInline(vnode, load<u64>(at));
      if (status < 0) return <i32>status;
      done++;
    } else {
      const run = runLength(vnode, index, block, count - done);
      const bytes = (<u64>run) << BLOCK_SHIFT;
      const status = readSectors(vnode.erofs.disk.device, block * PAGE_SECTORS, at, run, bytes);
      if (status < 0) return status;
      done += run;
    }
  }
  clearBehindEnd(vnode, first, frames, count);
  return 0;
}

/** How many blocks of the file from `index` on follow each other on the disk from `block` on. */
function runLength(vnode: ErofsVnode, index: u64, block: i64, limit: u32): u32 {
  const left = blockCount(vnode) - index;
  let run = <u32>min<u64>(limit, left);
  if (vnode.layout == LAYOUT_FLAT_INLINE) return run == left ? run - 1 : run;
  if (vnode.layout != LAYOUT_CHUNK) return run;
  run = 1;
  while (run < limit && run < left && blockOf(vnode, index + run) == block + run) run++;
  return run;
}

/** Copies the tail behind the inode into a frame and clears the rest. */
function fillInline(vnode: ErofsVnode, physical: u64): i64 {
  const tail = <usize>vnode.size & (BLOCK_BYTES - 1);
  const target = toVirtual(physical);
  memory.fill(target + tail, 0, BLOCK_BYTES - tail);
  return vnode.erofs.readMetadata(vnode.inlineOffset, target, tail);
}

/** Clears what the last block holds behind the end of the file, which a mapping would show. */
function clearBehindEnd(vnode: ErofsVnode, first: u64, frames: usize, count: u32): void {
  const last = vnode.size >> BLOCK_SHIFT;
  const used = <usize>vnode.size & (BLOCK_BYTES - 1);
  if (used == 0 || last < first || last >= first + count) return;
  memory.fill(
    toVirtual(load<u64>(frames + <usize>(last - first) * 8)) + used,
    0,
    BLOCK_BYTES - used,
  );
}

/**
 * The disk page that holds block `index` of a directory or link, with a reference.
 * @param offsetOut where to store (usize) the offset in the page at which the block's data begins
 * @returns physical address, -EUCLEAN for a hole, or another negative error
 */
export function metadataBlock(vnode: ErofsVnode, index: u64, offsetOut: usize): i64 {
  const block = blockOf(vnode, index);
  if (block < 0) return block;
  if (block == BLOCK_IS_HOLE) return -EUCLEAN;
  if (block == BLOCK_IS_INLINE) {
    store<usize>(offsetOut, <usize>vnode.inlineOffset & (BLOCK_BYTES - 1));
    return vnode.erofs.metadataPage(vnode.inlineOffset >> BLOCK_SHIFT);
  }
  store<usize>(offsetOut, 0);
  return vnode.erofs.metadataPage(block);
}

/** Copies `length` bytes of a small file's data from `offset` to kernel memory; 0 or an error. */
export function readData(vnode: ErofsVnode, offset: u64, buffer: usize, length: usize): i64 {
  if (offset + length > vnode.size) return -EIO;
  let done: usize = 0;
  while (done < length) {
    const at = offset + done;
    const block = blockOf(vnode, at >> BLOCK_SHIFT);
    if (block < 0) return block;
    if (block == BLOCK_IS_HOLE) return -EUCLEAN;
    const within = at & (BLOCK_BYTES - 1);
    const chunk = <usize>min<u64>(BLOCK_BYTES - within, length - done);
    const place = block == BLOCK_IS_INLINE ? vnode.inlineOffset : (<u64>block) << BLOCK_SHIFT;
    const status = vnode.erofs.readMetadata(place + within, buffer + done, chunk);
    if (status < 0) return status;
    done += chunk;
  }
  return 0;
}
