/**
 * The footer of VHD files, which both kinds have at their end and the dynamic kind also in front.
 *
 * Reference: Microsoft, "Virtual Hard Disk Image Format Specification", version 1.0. All numbers are
 * big-endian. Neighbours: `vhd.ts`.
 */
import { DiskFormatError } from "../disk-image.ts";
import { geometryOf } from "../geometry.ts";

export const footerBytes = 512;
export const cookie = "conectix";

/** Kinds of disk. */
export const vhdType = { fixed: 2, dynamic: 3 } as const;

const FEATURES_RESERVED = 2;
const VERSION_1_0 = 0x0001_0000;
const NO_OFFSET = 0xffff_ffff_ffff_ffffn;
const checksumAt = 64;

/** What a footer says. */
export interface VhdFooter {
  readonly type: number;
  readonly sizeBytes: number;
  /** Where the dynamic disk header is; undefined in fixed disks. */
  readonly headerAt: number | undefined;
}

/** The sum that footers and headers carry: the complement of the sum of all other bytes. */
export function vhdChecksum(bytes: Buffer, at: number): number {
  let sum = 0;
  for (const [index, byte] of bytes.entries()) {
    if (index < at || index >= at + 4) sum += byte;
  }
  return ~sum >>> 0;
}

/** Encodes a footer. */
export function encodeFooter(footer: VhdFooter, uuid: Buffer): Buffer {
  const bytes = Buffer.alloc(footerBytes);
  const { cylinders, heads, sectorsPerTrack } = geometryOf(footer.sizeBytes / 512);
  bytes.write(cookie, 0, "latin1");
  bytes.writeUInt32BE(FEATURES_RESERVED, 8);
  bytes.writeUInt32BE(VERSION_1_0, 12);
  bytes.writeBigUInt64BE(footer.headerAt === undefined ? NO_OFFSET : BigInt(footer.headerAt), 16);
  // Creation time (24) stays 0. Readers take the size from the geometry, which is rounded, unless
  // they know the creator to fill in the size field: so this is Hyper-V's signature.
  bytes.write("win ", 28, "latin1");
  bytes.writeUInt32BE(0x000a_0000, 32);
  bytes.write("Wi2k", 36, "latin1");
  bytes.writeBigUInt64BE(BigInt(footer.sizeBytes), 40);
  bytes.writeBigUInt64BE(BigInt(footer.sizeBytes), 48);
  bytes.writeUInt16BE(cylinders, 56);
  bytes.writeUInt8(heads, 58);
  bytes.writeUInt8(sectorsPerTrack, 59);
  bytes.writeUInt32BE(footer.type, 60);
  uuid.copy(bytes, 68);
  bytes.writeUInt32BE(vhdChecksum(bytes, checksumAt), checksumAt);
  return bytes;
}

/** Decodes a footer. @throws DiskFormatError */
export function decodeFooter(bytes: Buffer): VhdFooter {
  if (bytes.readUInt32BE(checksumAt) !== vhdChecksum(bytes, checksumAt)) {
    throw new DiskFormatError("the checksum of the VHD footer is wrong");
  }
  const headerAt = bytes.readBigUInt64BE(16);
  return {
    type: bytes.readUInt32BE(60),
    sizeBytes: Number(bytes.readBigUInt64BE(48)),
    headerAt: headerAt === NO_OFFSET ? undefined : Number(headerAt),
  };
}
