/**
 * Decodes superblock and inodes, checking everything that a damaged image could get wrong.
 *
 * Neighbours: `format.ts` describes the fields and encodes them, `reader.ts` is the user.
 */
import { crc32c } from "./crc32c.ts";
import {
  BLOCK_SIZE_BITS,
  COMPACT_INODE_SIZE_BYTES,
  type DiskInode,
  EXTENDED_INODE_SIZE_BYTES,
  FEATURE_COMPAT_CHECKSUM,
  type InodeKind,
  KINDS,
  LAYOUT_FLAT_INLINE,
  LAYOUT_FLAT_PLAIN,
  MAGIC,
  MODE_TYPE_MASK,
  SUPERBLOCK_OFFSET_BYTES,
  type Superblock,
  xattrAreaSizeBytes,
} from "./format.ts";

/** The image is not EROFS, is damaged, or uses a feature that the reader does not know. */
export class ErofsFormatError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ErofsFormatError";
  }
}

const NS_PER_S = 1_000_000_000n;

/** Decodes the superblock in block 0 and verifies its checksum. Throws an ErofsFormatError. */
export function decodeSuperblock(block0: Buffer): Superblock {
  const bytes = block0.subarray(SUPERBLOCK_OFFSET_BYTES);
  if (bytes.length < 128 || bytes.readUInt32LE(0) !== MAGIC) {
    throw new ErofsFormatError("no EROFS superblock");
  }
  const blockSizeBits = bytes.readUInt8(12);
  if (blockSizeBits !== BLOCK_SIZE_BITS) {
    throw new ErofsFormatError(`blocks of 2^${blockSizeBits} bytes: only 4096 are supported`);
  }
  const incompatible = bytes.readUInt32LE(80);
  if (incompatible !== 0) {
    throw new ErofsFormatError(`unsupported features 0x${incompatible.toString(16)}`);
  }
  if ((bytes.readUInt32LE(8) & FEATURE_COMPAT_CHECKSUM) !== 0) {
    const stored = bytes.readUInt32LE(4);
    const covered = Buffer.from(bytes);
    covered.writeUInt32LE(0, 4);
    const computed = crc32c(0xffff_ffff, covered);
    if (stored !== computed) {
      throw new ErofsFormatError(`superblock checksum is ${stored}, should be ${computed}`);
    }
  }
  const name = bytes.subarray(64, 80);
  const nameEnd = name.indexOf(0);
  return {
    rootNid: bytes.readUInt16LE(14),
    inodeCount: Number(bytes.readBigUInt64LE(16)),
    buildTimeNs: bytes.readBigInt64LE(24) * NS_PER_S + BigInt(bytes.readUInt32LE(32)),
    blockCount: bytes.readUInt32LE(36),
    metaBlock: bytes.readUInt32LE(40),
    uuid: Uint8Array.from(bytes.subarray(48, 64)),
    volumeName: name.toString("utf8", 0, nameEnd === -1 ? name.length : nameEnd),
  };
}

function kindOfMode(mode: number): InodeKind {
  for (const kind of Object.keys(KINDS) as InodeKind[]) {
    if (KINDS[kind].modeBits === (mode & MODE_TYPE_MASK)) return kind;
  }
  throw new ErofsFormatError(`unknown file type in mode 0${mode.toString(8)}`);
}

/** Size in bytes of the inode that starts with these two bytes: 32 or 64. */
export function inodeSizeBytes(format: number): number {
  return (format & 1) === 1 ? EXTENDED_INODE_SIZE_BYTES : COMPACT_INODE_SIZE_BYTES;
}

/**
 * Decodes an inode of `inodeSizeBytes` bytes; `buildTimeNs` is the superblock's.
 * Throws an ErofsFormatError for a layout that we do not write.
 */
export function decodeInode(bytes: Buffer, buildTimeNs: bigint): DiskInode {
  const format = bytes.readUInt16LE(0);
  const isExtended = (format & 1) === 1;
  const layout = format >> 1;
  if (layout !== LAYOUT_FLAT_PLAIN && layout !== LAYOUT_FLAT_INLINE) {
    throw new ErofsFormatError(`unsupported inode layout ${layout}`);
  }
  const mode = bytes.readUInt16LE(4);
  const sizeBytes = isExtended ? Number(bytes.readBigUInt64LE(8)) : bytes.readUInt32LE(8);
  if (!Number.isSafeInteger(sizeBytes)) throw new ErofsFormatError(`file size ${sizeBytes}`);
  return {
    kind: kindOfMode(mode),
    isExtended,
    layout,
    xattrSizeBytes: xattrAreaSizeBytes(bytes.readUInt16LE(2)),
    mode: mode & 0o7777,
    linkCount: isExtended ? bytes.readUInt32LE(44) : bytes.readUInt16LE(6),
    sizeBytes,
    startBlockOrDevice: bytes.readUInt32LE(16),
    ino: bytes.readUInt32LE(20),
    uid: isExtended ? bytes.readUInt32LE(24) : bytes.readUInt16LE(24),
    gid: isExtended ? bytes.readUInt32LE(28) : bytes.readUInt16LE(26),
    mtimeNs: isExtended
      ? bytes.readBigInt64LE(32) * NS_PER_S + BigInt(bytes.readUInt32LE(40))
      : buildTimeNs,
  };
}
