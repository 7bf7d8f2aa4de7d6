/**
 * Decodes an inode of either size into a vnode, and checks what can be checked cheaply: sizes, the
 * layout, and that inline data lies where the format demands.
 *
 * Neighbours: `layout`, `erofs-vnode`.
 */
import { ENOMEM, EOPNOTSUPP, EUCLEAN } from "../../lib/errno";
import { heapAllocate, heapFree } from "../../mm/heap";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../constants";
import { ErofsVnode } from "./erofs-vnode";
import { ErofsFileSystem } from "./file-system";
import {
  BLOCK_BYTES,
  BLOCK_SHIFT,
  CHUNK_INDEXES,
  CHUNK_SHIFT_MASK,
  COMPACT_BYTES,
  CompactInode,
  EXTENDED_BYTES,
  ExtendedInode,
  FORMAT_EXTENDED,
  LAYOUT_CHUNK,
  LAYOUT_FLAT_INLINE,
  LAYOUT_FLAT_PLAIN,
  LAYOUT_MASK,
  LAYOUT_SHIFT,
  XATTR_HEADER_BYTES,
  XATTR_UNIT_BYTES,
} from "./layout";

/** Largest size of a file (off_t is signed). */
const SIZE_MAX: u64 = 0x7fff_ffff_ffff_ffff;

/** Fills in the vnode from the disk. @returns 0, -EUCLEAN, -EOPNOTSUPP, -EIO, -ENOMEM */
export function readInode(fs: ErofsFileSystem, vnode: ErofsVnode): i64 {
  const buffer = heapAllocate(EXTENDED_BYTES);
  if (!buffer) return -ENOMEM;
  const offset = fs.inodeOffset(vnode.inode);
  let status = fs.readMetadata(offset, buffer, COMPACT_BYTES);
  if (status == 0) {
    const isExtended = (load<u16>(buffer) & FORMAT_EXTENDED) != 0;
    if (isExtended) {
      // The second half may lie in the next block.
      status = fs.readMetadata(
        offset + COMPACT_BYTES,
        buffer + COMPACT_BYTES,
        EXTENDED_BYTES - COMPACT_BYTES,
      );
    }
    if (status == 0) status = decode(fs, vnode, buffer, offset, isExtended);
  }
  heapFree(buffer);
  return status;
}

function decode(
  fs: ErofsFileSystem,
  vnode: ErofsVnode,
  buffer: usize,
  offset: u64,
  isExtended: bool,
): i64 {
  const xattrCount = load<u16>(buffer, offsetof<CompactInode>("xattrCount"));
  let end = offset + (isExtended ? EXTENDED_BYTES : COMPACT_BYTES);
  if (xattrCount) end += XATTR_HEADER_BYTES + <u64>(xattrCount - 1) * XATTR_UNIT_BYTES;
  vnode.mode = load<u16>(buffer, offsetof<CompactInode>("mode"));
  vnode.layout = (load<u16>(buffer) >> LAYOUT_SHIFT) & LAYOUT_MASK;
  if (isExtended) {
    const inode = changetype<ExtendedInode>(buffer);
    vnode.size = inode.size;
    vnode.place = inode.place;
    vnode.uid = inode.uid;
    vnode.gid = inode.gid;
    vnode.linkCount = inode.linkCount;
    vnode.modifySeconds = inode.modifySeconds;
    vnode.modifyNs = inode.modifyNs;
  } else {
    const inode = changetype<CompactInode>(buffer);
    vnode.size = inode.size;
    vnode.place = inode.place;
    vnode.uid = inode.uid;
    vnode.gid = inode.gid;
    vnode.linkCount = inode.linkCount;
    vnode.modifySeconds = fs.buildSeconds;
    vnode.modifyNs = fs.buildNs;
  }
  const type = vnode.mode & S_IFMT;
  const hasData = type == S_IFREG || type == S_IFDIR || type == S_IFLNK;
  // Linux's 32-bit form of a device number is the low half of makedev(3)'s.
  if (type == S_IFCHR || type == S_IFBLK) vnode.deviceNumber = vnode.place;
  if (!hasData) {
    vnode.size = 0;
    return 0;
  }
  return checkLayout(vnode, end);
}

/** `end` is the byte offset behind the inode and its attributes. */
function checkLayout(vnode: ErofsVnode, end: u64): i64 {
  if (vnode.size > SIZE_MAX) return -EUCLEAN;
  const tail = vnode.size & (BLOCK_BYTES - 1);
  switch (vnode.layout) {
    case LAYOUT_FLAT_PLAIN:
      return 0;
    case LAYOUT_FLAT_INLINE:
      vnode.inlineOffset = end;
      if (vnode.size != 0 && tail == 0) return -EUCLEAN;
      // The tail must not run over the end of the inode's block.
      return (end & (BLOCK_BYTES - 1)) + tail > BLOCK_BYTES ? -EUCLEAN : 0;
    case LAYOUT_CHUNK: {
      vnode.chunkEntryShift = vnode.place & CHUNK_INDEXES ? 3 : 2;
      vnode.chunkShift = vnode.place & CHUNK_SHIFT_MASK;
      const alignment = (<u64>1) << vnode.chunkEntryShift;
      vnode.inlineOffset = (end + alignment - 1) & ~(alignment - 1);
      return vnode.chunkShift + BLOCK_SHIFT > 62 ? -EUCLEAN : 0;
    }
    default:
      // Compressed data.
      return -EOPNOTSUPP;
  }
}
