/**
 * Header and descriptor of VMDK files.
 *
 * Reference: VMware, "Virtual Disk Format 5.0", technical note. Little-endian; positions and sizes
 * count sectors. Neighbours: `vmdk-writer.ts`, `vmdk-reader.ts`.
 */
import { geometryOf } from "../geometry.ts";

export const sectorBytes = 512;
export const vmdkMagic = 0x564d444b;
/** Grains of 64 KiB, tables of 512 entries: the values that VMware itself uses. */
export const grainSectors = 128;
export const grainBytes = grainSectors * sectorBytes;
export const entriesPerTable = 512;
export const tableSectors = (entriesPerTable * 4) / sectorBytes;
export const descriptorSectors = 20;
/** Position of the grain directory in stream-optimised files: "see the footer". */
export const directoryAtEnd = 0xffff_ffff_ffff_ffffn;

export const flagNewlineTest = 0x1;
export const flagRedundantTables = 0x2;
export const flagCompressed = 0x1_0000;
export const flagMarkers = 0x2_0000;
const compressionDeflate = 1;

/** The header, also used as the footer. */
export interface VmdkHeader {
  readonly version: number;
  readonly flags: number;
  readonly capacitySectors: number;
  readonly grainSectors: number;
  readonly entriesPerTable: number;
  readonly redundantDirectoryAt: number;
  readonly directoryAt: bigint;
  /** Sectors before the first grain. */
  readonly overheadSectors: number;
}

/** Encodes a header; the descriptor always follows it. */
export function encodeHeader(header: VmdkHeader): Buffer {
  const bytes = Buffer.alloc(sectorBytes);
  const isCompressed = (header.flags & flagCompressed) !== 0;
  bytes.writeUInt32LE(vmdkMagic, 0);
  bytes.writeUInt32LE(header.version, 4);
  bytes.writeUInt32LE(header.flags, 8);
  bytes.writeBigUInt64LE(BigInt(header.capacitySectors), 12);
  bytes.writeBigUInt64LE(BigInt(header.grainSectors), 20);
  bytes.writeBigUInt64LE(1n, 28);
  bytes.writeBigUInt64LE(BigInt(descriptorSectors), 36);
  bytes.writeUInt32LE(header.entriesPerTable, 44);
  bytes.writeBigUInt64LE(BigInt(header.redundantDirectoryAt), 48);
  bytes.writeBigUInt64LE(header.directoryAt, 56);
  bytes.writeBigUInt64LE(BigInt(header.overheadSectors), 64);
  bytes.write("\n \r\n", 73, "latin1"); // shows whether a text-mode transfer damaged the file
  bytes.writeUInt16LE(isCompressed ? compressionDeflate : 0, 77);
  return bytes;
}

/** Decodes a header. */
export function decodeHeader(bytes: Buffer): VmdkHeader {
  return {
    version: bytes.readUInt32LE(4),
    flags: bytes.readUInt32LE(8),
    capacitySectors: Number(bytes.readBigUInt64LE(12)),
    grainSectors: Number(bytes.readBigUInt64LE(20)),
    entriesPerTable: bytes.readUInt32LE(44),
    redundantDirectoryAt: Number(bytes.readBigUInt64LE(48)),
    directoryAt: bytes.readBigUInt64LE(56),
    overheadSectors: Number(bytes.readBigUInt64LE(64)),
  };
}

/** What tells the two kinds of file apart in the descriptor. */
export type VmdkType = "monolithicSparse" | "streamOptimized";

/**
 * The descriptor, filled up with zeros.
 * @param hash of the disk; the content id is taken from it
 */
export function encodeDescriptor(type: VmdkType, capacitySectors: number, hash: Buffer): Buffer {
  const { cylinders, heads, sectorsPerTrack } = geometryOf(capacitySectors);
  // The two highest values mean "no parent".
  const contentId = (hash.readUInt32BE(0) % 0xffff_fff0).toString(16).padStart(8, "0");
  const text = `# Disk DescriptorFile
version=1
CID=${contentId}
parentCID=ffffffff
createType="${type}"

# Extent description
RW ${capacitySectors} SPARSE "disk.vmdk"

# The Disk Data Base
#DDB

ddb.virtualHWVersion = "4"
ddb.geometry.cylinders = "${cylinders}"
ddb.geometry.heads = "${heads}"
ddb.geometry.sectors = "${sectorsPerTrack}"
ddb.adapterType = "lsilogic"
`;
  const bytes = Buffer.alloc(descriptorSectors * sectorBytes);
  bytes.write(text, "latin1");
  return bytes;
}
