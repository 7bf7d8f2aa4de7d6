/**
 * Writes dynamic VHDX files with an empty log. Neighbours: `vhdx-layout.ts` has the encoding.
 */
import { derivedUuid, surveyDisk } from "../content-id.ts";
import type { DiskImage, DiskOutput } from "../disk-image.ts";
import { copyGrains } from "../grains.ts";
import {
  blockState,
  chunkRatio,
  fileIdentifier,
  headerAt,
  headerBytes,
  item,
  mebibyte,
  metadataEntryBytes,
  metadataItemsAt,
  offsetShift,
  region,
  regionEntryBytes,
  regionTableAt,
  regionTableBytes,
  sealStructure,
  tableIndex,
} from "./vhdx-layout.ts";

const BLOCK_BYTES = mebibyte;
const SECTOR_BYTES = 512;
/** What disks of today write at once. */
const PHYSICAL_SECTOR_BYTES = 4096;
const LOG_AT = mebibyte;
const METADATA_AT = 2 * mebibyte;
const TABLE_AT = 3 * mebibyte;
/** Flags of metadata items. */
const isVirtualDisk = 2;
const isRequired = 4;

function encodeHeader(sequence: number, hash: Buffer): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  bytes.write("head", 0, "latin1");
  bytes.writeBigUInt64LE(BigInt(sequence), 8);
  derivedUuid(hash, "vhdx file").copy(bytes, 16);
  derivedUuid(hash, "vhdx data").copy(bytes, 32);
  // The log's identity (48) stays zero: there is nothing to replay.
  bytes.writeUInt16LE(1, 66); // version
  bytes.writeUInt32LE(mebibyte, 68);
  bytes.writeBigUInt64LE(BigInt(LOG_AT), 72);
  sealStructure(bytes);
  return bytes;
}

function encodeRegionTable(tableBytes: number): Buffer {
  const bytes = Buffer.alloc(regionTableBytes);
  const entries: [Buffer, number, number][] = [
    [region.blockTable, TABLE_AT, tableBytes],
    [region.metadata, METADATA_AT, mebibyte],
  ];
  bytes.write("regi", 0, "latin1");
  bytes.writeUInt32LE(entries.length, 8);
  for (const [index, [guid, offset, length]] of entries.entries()) {
    const at = 16 + index * regionEntryBytes;
    guid.copy(bytes, at);
    bytes.writeBigUInt64LE(BigInt(offset), at + 16);
    bytes.writeUInt32LE(length, at + 24);
    bytes.writeUInt32LE(1, at + 28); // required
  }
  sealStructure(bytes);
  return bytes;
}

function encodeMetadata(sizeBytes: number, hash: Buffer): Buffer {
  const u32 = (...values: number[]): Buffer => {
    const value = Buffer.alloc(values.length * 4);
    for (const [index, number] of values.entries()) value.writeUInt32LE(number, index * 4);
    return value;
  };
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(sizeBytes));
  const items: [Buffer, Buffer, number][] = [
    [item.fileParameters, u32(BLOCK_BYTES, 0), isRequired],
    [item.diskSize, size, isVirtualDisk | isRequired],
    [item.diskId, derivedUuid(hash, "vhdx disk"), isVirtualDisk | isRequired],
    [item.logicalSectorBytes, u32(SECTOR_BYTES), isVirtualDisk | isRequired],
    [item.physicalSectorBytes, u32(PHYSICAL_SECTOR_BYTES), isVirtualDisk | isRequired],
  ];
  const bytes = Buffer.alloc(metadataItemsAt + 64);
  bytes.write("metadata", 0, "latin1");
  bytes.writeUInt16LE(items.length, 10);
  let valueAt = metadataItemsAt;
  for (const [index, [guid, value, flags]] of items.entries()) {
    const at = 32 + index * metadataEntryBytes;
    guid.copy(bytes, at);
    bytes.writeUInt32LE(valueAt, at + 16);
    bytes.writeUInt32LE(value.length, at + 20);
    bytes.writeUInt32LE(flags, at + 24);
    value.copy(bytes, valueAt);
    valueAt += value.length;
  }
  return bytes;
}

/** Writes a disk. */
export async function writeVhdx(disk: DiskImage, output: DiskOutput): Promise<void> {
  const { grains, hash } = await surveyDisk(disk, BLOCK_BYTES, () => output.pause());
  const blocks = Math.max(1, Math.ceil(disk.sizeBytes / BLOCK_BYTES));
  const ratio = chunkRatio(BLOCK_BYTES, SECTOR_BYTES);
  const entries = tableIndex(blocks - 1, ratio) + 1;
  const tableBytes = Math.ceil((entries * 8) / mebibyte) * mebibyte;
  const firstBlock = (TABLE_AT + tableBytes) / mebibyte;
  const table = Buffer.alloc(entries * 8);
  for (const [position, block] of grains.entries()) {
    const place = BigInt(firstBlock + position) << offsetShift;
    table.writeBigUInt64LE(place | BigInt(blockState.fullyPresent), tableIndex(block, ratio) * 8);
  }
  output.append(Buffer.from(fileIdentifier, "latin1"));
  for (const [index, at] of headerAt.entries()) {
    output.padTo(at);
    output.append(encodeHeader(index, hash));
  }
  for (const at of regionTableAt) {
    output.padTo(at);
    output.append(encodeRegionTable(tableBytes));
  }
  output.padTo(METADATA_AT);
  output.append(encodeMetadata(disk.sizeBytes, hash));
  output.padTo(TABLE_AT);
  output.append(table);
  output.padTo(firstBlock * mebibyte);
  await copyGrains(disk, output, grains, BLOCK_BYTES);
}
