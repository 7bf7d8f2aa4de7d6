/**
 * The structures of VHDX files.
 *
 *     0        file identifier         192 KiB  region table (copy at 256 KiB)
 *     64 KiB   header (second at 128)  1 MiB    log (empty), then metadata and block table (BAT),
 *                                               each at whole mebibytes; then the blocks
 *
 * Reference: Microsoft, [MS-VHDX] "Virtual Hard Disk v2 (VHDX) File Format". Little-endian.
 * Neighbours: `vhdx-writer.ts`, `vhdx-reader.ts`.
 */
import { crc32c } from "../../image/erofs/crc32c.ts";
import { guidBytes } from "../../image/uuid.ts";

export const mebibyte = 1024 * 1024;
const kibibyte = 1024;
export const fileIdentifier = "vhdxfile";
export const headerAt = [64 * kibibyte, 128 * kibibyte] as const;
export const headerBytes = 4096;
export const regionTableAt = [192 * kibibyte, 256 * kibibyte] as const;
export const regionTableBytes = 64 * kibibyte;
export const regionEntryBytes = 32;
export const metadataEntryBytes = 32;
/** Values of metadata items lie behind the table, from here on. */
export const metadataItemsAt = 64 * kibibyte;

/** Identities of regions. */
export const region = {
  blockTable: guidBytes("2dc27766-f623-4200-9d64-115e9bfd4a08"),
  metadata: guidBytes("8b7ca206-4790-4b9a-b8fe-575f050f886e"),
} as const;

/** Identities of metadata items. */
export const item = {
  fileParameters: guidBytes("caa16737-fa36-4d43-b3b6-33f0aa44e76b"),
  diskSize: guidBytes("2fa54224-cd1b-4876-b211-5dbed83bf4b8"),
  diskId: guidBytes("beca12ab-b2e6-4523-93ef-c309e000c746"),
  logicalSectorBytes: guidBytes("8141bf1d-a96f-4709-ba47-f233a8faab5f"),
  physicalSectorBytes: guidBytes("cda348c7-445d-4471-9cc9-e9885251c556"),
} as const;

/** States of a block in the table's low 3 bits. */
export const blockState = { notPresent: 0, fullyPresent: 6 } as const;
/** Bits 20 to 63 of a table entry: where the block is, in mebibytes. */
export const offsetShift = 20n;

/** Payload blocks between two entries of sector bitmaps in the block table. */
export function chunkRatio(blockBytes: number, sectorBytes: number): number {
  return (2 ** 23 * sectorBytes) / blockBytes;
}

/** Index in the block table of a payload block. */
export function tableIndex(block: number, ratio: number): number {
  return block + Math.floor(block / ratio);
}

/** Writes the CRC-32C of a structure, over its bytes with the field as zero, at offset 4. */
export function sealStructure(bytes: Buffer): void {
  bytes.writeUInt32LE(structureChecksum(bytes), 4);
}

/** The CRC-32C that a structure should have at offset 4. */
export function structureChecksum(bytes: Buffer): number {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(0, 4);
  return (crc32c(0xffff_ffff, copy) ^ 0xffff_ffff) >>> 0;
}
