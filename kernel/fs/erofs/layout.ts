/**
 * EROFS on disk (Linux: Documentation/filesystems/erofs.rst, fs/erofs/erofs_fs.h): all numbers
 * little endian, blocks of 4096 bytes.
 *
 *   +0     1024 bytes unused
 *   +1024  superblock (128 bytes)
 *   ...    metadata: inodes in slots of 32 bytes; slot n ("nid") lies at metaBlock * 4096 + n * 32
 *   ...    data blocks of files and directories, anywhere
 *
 * Everything read from here is untrusted.
 */

export const SUPERBLOCK_OFFSET: usize = 1024;
export const SUPERBLOCK_BYTES: usize = 128;
export const SUPERBLOCK_MAGIC: u32 = 0xe0f5e1e2;
export const BLOCK_SHIFT: u32 = 12;
export const BLOCK_BYTES: usize = 4096;
export const SLOT_SHIFT: u32 = 5;

/** Incompatible features that do not change how uncompressed files are read, or that we know. */
export const FEATURE_LZ4_ZERO_PADDING: u32 = 0x1;
export const FEATURE_CHUNKED_FILE: u32 = 0x4;
export const FEATURE_XATTR_PREFIXES: u32 = 0x40;
export const FEATURES_KNOWN: u32 =
  FEATURE_LZ4_ZERO_PADDING | FEATURE_CHUNKED_FILE | FEATURE_XATTR_PREFIXES;

@unmanaged
export class Superblock {
  magic: u32;
  checksum: u32;
  compatibleFeatures: u32;
  /** log2 of the block size. */
  blockShift: u8;
  extensionSlots: u8;
  rootNid: u16;
  inodeCount: u64;
  /** Time of compact inodes. */
  buildSeconds: u64;
  buildNs: u32;
  /** Size of the file system in blocks. */
  blocks: u32;
  metaBlock: u32;
  xattrBlock: u32;
  uuidLow: u64;
  uuidHigh: u64;
  volumeNameLow: u64;
  volumeNameHigh: u64;
  incompatibleFeatures: u32;
  compressionAlgorithms: u16;
  extraDevices: u16;
  deviceTableSlot: u16;
  /** log2 of the directory block size relative to the block size. */
  directoryBlockShift: u8;
  xattrPrefixCount: u8;
  xattrPrefixStart: u32;
}

/** Bit 0 of `format`: 64-byte inode. */
export const FORMAT_EXTENDED: u32 = 1;
/** Bits 1 to 3 of `format`: how the data lies. */
export const LAYOUT_SHIFT: u32 = 1;
export const LAYOUT_MASK: u32 = 7;
/** Consecutive blocks. */
export const LAYOUT_FLAT_PLAIN: u32 = 0;
/** Consecutive blocks but for the last, which follows the inode and its attributes. */
export const LAYOUT_FLAT_INLINE: u32 = 2;
/** Chunks of 2^n blocks, each anywhere. */
export const LAYOUT_CHUNK: u32 = 4;

export const COMPACT_BYTES: usize = 32;
export const EXTENDED_BYTES: usize = 64;

@unmanaged
export class CompactInode {
  format: u16;
  /** 0: no extended attributes; else (bytes - 12) / 4 + 1. */
  xattrCount: u16;
  mode: u16;
  linkCount: u16;
  size: u32;
  reserved: u32;
  /** First block, device number, or chunk format. */
  place: u32;
  inode: u32;
  uid: u16;
  gid: u16;
  reserved2: u32;
}

@unmanaged
export class ExtendedInode {
  format: u16;
  xattrCount: u16;
  mode: u16;
  reserved: u16;
  size: u64;
  place: u32;
  inode: u32;
  uid: u32;
  gid: u32;
  modifySeconds: u64;
  modifyNs: u32;
  linkCount: u32;
}

/** Fixed part of the attribute area behind an inode, and the unit of the rest. */
export const XATTR_HEADER_BYTES: u64 = 12;
export const XATTR_UNIT_BYTES: u64 = 4;

/** Chunk format (`place` of a chunk-based inode): log2 of blocks per chunk; 8-byte index entries. */
export const CHUNK_SHIFT_MASK: u32 = 0x1f;
export const CHUNK_INDEXES: u32 = 0x20;
/** Block address of a hole. */
export const HOLE: u32 = 0xffffffff;

/** Directory entry: 12 bytes, packed, so read by offset. Names follow the entries of a block. */
export const DIRENT_BYTES: u32 = 12;
export const DIRENT_NAME_OFFSET: usize = 8;
export const DIRENT_TYPE: usize = 10;

/** File type of an entry (1 regular, 2 directory, …) as the type bits of a mode. */
export function modeTypeOf(entryType: u8): u32 {
  switch (entryType) {
    case 1:
      return 0x8000;
    case 2:
      return 0x4000;
    case 3:
      return 0x2000;
    case 4:
      return 0x6000;
    case 5:
      return 0x1000;
    case 6:
      return 0xc000;
    case 7:
      return 0xa000;
    default:
      return 0;
  }
}
