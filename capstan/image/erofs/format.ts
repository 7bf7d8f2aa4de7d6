/**
 * The EROFS on-disk format: constants, superblock and inode, as far as we write and read it.
 *
 * Uncompressed images with 4 KiB blocks, all numbers little-endian. Reference: Linux,
 * Documentation/filesystems/erofs.rst and the structures named in fs/erofs/erofs_fs.h.
 *
 *     image   | 1 KiB | superblock | inodes with tails ...        | data blocks ...          |
 *             0       1024         1152          whole blocks ->  first data block
 *
 *     An inode's number ("nid") is its address: byte offset = metaBlock * 4096 + nid * 32.
 *     We keep metaBlock 0, so the first inode, the root directory, is nid 36.
 *
 *     one inode in the metadata area, aligned to 32 bytes, never across a block's end:
 *     | inode, 32 or 64 bytes | extended attributes | tail of the contents |
 *
 *     FLAT_PLAIN:  contents = ceil(size / 4096) consecutive blocks from startBlock.
 *     FLAT_INLINE: contents = floor(size / 4096) blocks from startBlock, then the tail, which lies
 *                  behind the inode in the same metadata block.
 *
 * Neighbours: `layout.ts` decides addresses, `writer.ts` writes, `reader.ts` reads.
 */

export const BLOCK_SIZE_BYTES = 4096;
export const BLOCK_SIZE_BITS = 12;
/** Inode addresses count slots of this size. */
export const SLOT_SIZE_BYTES = 32;
export const SUPERBLOCK_OFFSET_BYTES = 1024;
export const SUPERBLOCK_SIZE_BYTES = 128;
export const MAGIC = 0xe0f5e1e2;

/** The checksum field of the superblock is valid. */
export const FEATURE_COMPAT_CHECKSUM = 0x1;
/** Time stamps are modification times. */
export const FEATURE_COMPAT_MTIME = 0x2;

export const COMPACT_INODE_SIZE_BYTES = 32;
export const EXTENDED_INODE_SIZE_BYTES = 64;

/** Data layouts, bits 1 to 3 of an inode's format field (bit 0: extended). */
export const LAYOUT_FLAT_PLAIN = 0;
export const LAYOUT_FLAT_INLINE = 2;

export const DIRENT_SIZE_BYTES = 12;
export const MAX_NAME_BYTES = 255;
/** Linux's PATH_MAX without the terminating zero: the longest target symlink(2) accepts. */
export const MAX_SYMLINK_BYTES = 4095;
/** Block addresses have 32 bits; the all-ones one means "none". */
export const MAX_BLOCKS = 0xffff_ffff;

/** File type bits of `st_mode`, inode(7). */
export const MODE_TYPE_MASK = 0o170000;
export type InodeKind =
  | "file"
  | "directory"
  | "symlink"
  | "character"
  | "block"
  | "fifo"
  | "socket";

/** For each kind: `st_mode` type bits, inode(7), and the code in directory entries. */
export const KINDS: Readonly<Record<InodeKind, { modeBits: number; direntType: number }>> = {
  file: { modeBits: 0o100000, direntType: 1 },
  directory: { modeBits: 0o040000, direntType: 2 },
  character: { modeBits: 0o020000, direntType: 3 },
  block: { modeBits: 0o060000, direntType: 4 },
  fifo: { modeBits: 0o010000, direntType: 5 },
  socket: { modeBits: 0o140000, direntType: 6 },
  symlink: { modeBits: 0o120000, direntType: 7 },
};

/** The fields of the superblock that we use. */
export interface Superblock {
  readonly rootNid: number;
  readonly inodeCount: number;
  /** Modification time of all compact inodes, nanoseconds since 1970. */
  readonly buildTimeNs: bigint;
  readonly blockCount: number;
  readonly metaBlock: number;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  /** At most 15 bytes of UTF-8. */
  readonly volumeName: string;
}

const NS_PER_S = 1_000_000_000n;

/** Splits nanoseconds into whole seconds (rounded down, so also right before 1970) and the rest. */
export function splitTime(timeNs: bigint): { seconds: bigint; nanoseconds: number } {
  const rest = ((timeNs % NS_PER_S) + NS_PER_S) % NS_PER_S;
  return { seconds: (timeNs - rest) / NS_PER_S, nanoseconds: Number(rest) };
}

/** Encodes a superblock without its checksum (4 zero bytes at offset 4). */
export function encodeSuperblock(superblock: Superblock): Buffer {
  const bytes = Buffer.alloc(SUPERBLOCK_SIZE_BYTES);
  const { seconds, nanoseconds } = splitTime(superblock.buildTimeNs);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(FEATURE_COMPAT_CHECKSUM | FEATURE_COMPAT_MTIME, 8);
  bytes.writeUInt8(BLOCK_SIZE_BITS, 12);
  bytes.writeUInt16LE(superblock.rootNid, 14);
  bytes.writeBigUInt64LE(BigInt(superblock.inodeCount), 16);
  bytes.writeBigInt64LE(seconds, 24);
  bytes.writeUInt32LE(nanoseconds, 32);
  bytes.writeUInt32LE(superblock.blockCount, 36);
  bytes.writeUInt32LE(superblock.metaBlock, 40);
  bytes.set(superblock.uuid, 48);
  // 15 bytes at most: some readers expect a terminating zero within the 16.
  bytes.set(Buffer.from(superblock.volumeName).subarray(0, 15), 64);
  return bytes;
}

/** One inode as it lies on the disk. */
export interface DiskInode {
  readonly kind: InodeKind;
  readonly isExtended: boolean;
  readonly layout: number;
  /** Size of the extended attribute area behind the inode. */
  readonly xattrSizeBytes: number;
  /** Permission bits, 07777. */
  readonly mode: number;
  readonly linkCount: number;
  readonly sizeBytes: number;
  /** First data block, or the device number of a device. */
  readonly startBlockOrDevice: number;
  /** A small number for programs that cannot handle the 64-bit nid. */
  readonly ino: number;
  readonly uid: number;
  readonly gid: number;
  /** Ignored in compact inodes: they take the superblock's build time. */
  readonly mtimeNs: bigint;
}

/**
 * The size of the extended attribute area is stored as a count: 0 for none, else 1 for the 12-byte
 * header and 1 for every 4 bytes behind it.
 */
function xattrCount(xattrSizeBytes: number): number {
  return xattrSizeBytes === 0 ? 0 : 1 + (xattrSizeBytes - 12) / 4;
}

/** Size in bytes of the extended attribute area with a given count field. */
export function xattrAreaSizeBytes(count: number): number {
  return count === 0 ? 0 : 12 + (count - 1) * 4;
}

/** Encodes an inode into 32 (compact) or 64 (extended) bytes. */
export function encodeInode(inode: DiskInode): Buffer {
  const bytes = Buffer.alloc(
    inode.isExtended ? EXTENDED_INODE_SIZE_BYTES : COMPACT_INODE_SIZE_BYTES,
  );
  bytes.writeUInt16LE((inode.layout << 1) | (inode.isExtended ? 1 : 0), 0);
  bytes.writeUInt16LE(xattrCount(inode.xattrSizeBytes), 2);
  bytes.writeUInt16LE(KINDS[inode.kind].modeBits | (inode.mode & 0o7777), 4);
  bytes.writeUInt32LE(inode.startBlockOrDevice, 16);
  bytes.writeUInt32LE(inode.ino, 20);
  if (inode.isExtended) {
    const { seconds, nanoseconds } = splitTime(inode.mtimeNs);
    bytes.writeBigUInt64LE(BigInt(inode.sizeBytes), 8);
    bytes.writeUInt32LE(inode.uid, 24);
    bytes.writeUInt32LE(inode.gid, 28);
    bytes.writeBigInt64LE(seconds, 32);
    bytes.writeUInt32LE(nanoseconds, 40);
    bytes.writeUInt32LE(inode.linkCount, 44);
  } else {
    bytes.writeUInt16LE(inode.linkCount, 6);
    bytes.writeUInt32LE(inode.sizeBytes, 8);
    bytes.writeUInt16LE(inode.uid, 24);
    bytes.writeUInt16LE(inode.gid, 26);
  }
  return bytes;
}

/** Linux's 32-bit device number: minor bits 0-7, major bits 8-19, minor bits 8-19 above. */
export function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

/** The inverse of `encodeDevice`. */
export function decodeDevice(device: number): { major: number; minor: number } {
  return { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & 0xfff00) };
}
