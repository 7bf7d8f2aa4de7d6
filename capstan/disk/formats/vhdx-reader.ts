/**
 * Reads VHDX files whose log is empty and that have no parent.
 * Neighbours: `vhdx-layout.ts` has the encoding.
 */
import { BlockMappedDisk } from "../block-map.ts";
import { DiskFormatError } from "../disk-image.ts";
import type { InputFile } from "../input-file.ts";
import {
  blockState,
  chunkRatio,
  headerAt,
  headerBytes,
  item,
  metadataEntryBytes,
  offsetShift,
  region,
  regionEntryBytes,
  regionTableAt,
  regionTableBytes,
  structureChecksum,
  tableIndex,
} from "./vhdx-layout.ts";

const MOST_ENTRIES = 2047;
const MOST_BLOCKS = 2 ** 26;
const GUID_BYTES = 16;
const METADATA_TABLE_BYTES = 64 * 1024;
const flagHasParent = 2;

/** A structure with this signature and a right checksum; undefined if it is damaged. */
function validStructure(file: InputFile, at: number, sizeBytes: number, signature: string) {
  const bytes = file.read(at, sizeBytes);
  const isValid =
    bytes.toString("latin1", 0, 4) === signature &&
    bytes.readUInt32LE(4) === structureChecksum(bytes);
  return isValid ? bytes : undefined;
}

function checkLog(file: InputFile): void {
  let current: Buffer | undefined;
  for (const at of headerAt) {
    const header = validStructure(file, at, headerBytes, "head");
    if (header === undefined) continue;
    const isNewer = current === undefined || header.readBigUInt64LE(8) > current.readBigUInt64LE(8);
    if (isNewer) current = header;
  }
  if (current === undefined) throw new DiskFormatError("both headers of the VHDX are damaged");
  if (current.subarray(48, 48 + GUID_BYTES).some((byte) => byte !== 0)) {
    throw new DiskFormatError(
      "its log holds changes that were not applied: qemu-img check -r all applies them",
    );
  }
}

/** Where a region lies. */
function findRegion(file: InputFile, guid: Buffer): { offset: number; length: number } {
  for (const at of regionTableAt) {
    const table = validStructure(file, at, regionTableBytes, "regi");
    if (table === undefined) continue;
    const count = Math.min(table.readUInt32LE(8), MOST_ENTRIES);
    for (let index = 0; index < count; index++) {
      const entry = table.subarray(16 + index * regionEntryBytes);
      if (!entry.subarray(0, GUID_BYTES).equals(guid)) continue;
      return { offset: Number(entry.readBigUInt64LE(16)), length: entry.readUInt32LE(24) };
    }
  }
  throw new DiskFormatError("the VHDX lacks a region that it must have");
}

/** The value of a metadata item. */
function metadataItem(file: InputFile, guid: Buffer): Buffer {
  const { offset } = findRegion(file, region.metadata);
  const table = file.read(offset, METADATA_TABLE_BYTES);
  if (table.toString("latin1", 0, 8) !== "metadata") {
    throw new DiskFormatError("the metadata of the VHDX is damaged");
  }
  const count = Math.min(table.readUInt16LE(10), MOST_ENTRIES);
  for (let index = 0; index < count; index++) {
    const entry = table.subarray(32 + index * metadataEntryBytes);
    if (!entry.subarray(0, GUID_BYTES).equals(guid)) continue;
    return file.read(offset + entry.readUInt32LE(16), entry.readUInt32LE(20));
  }
  throw new DiskFormatError("the VHDX lacks metadata that it must have");
}

export class VhdxDisk extends BlockMappedDisk {
  readonly blockBytes: number;
  readonly sizeBytes: number;
  readonly #ratio: number;
  readonly #table: Buffer;

  constructor(source: InputFile) {
    super(source);
    checkLog(source);
    const parameters = metadataItem(source, item.fileParameters);
    this.blockBytes = parameters.readUInt32LE(0);
    this.sizeBytes = Number(metadataItem(source, item.diskSize).readBigUInt64LE(0));
    const sectorBytes = metadataItem(source, item.logicalSectorBytes).readUInt32LE(0);
    if ((parameters.readUInt32LE(4) & flagHasParent) !== 0) {
      throw new DiskFormatError("a VHDX with a parent is not supported: merge them first");
    }
    const blocks = Math.ceil(this.sizeBytes / this.blockBytes);
    const isPlausible =
      this.blockBytes >= 2 ** 20 &&
      this.blockBytes <= 2 ** 28 &&
      (sectorBytes === 512 || sectorBytes === 4096) &&
      this.sizeBytes % 512 === 0 &&
      blocks <= MOST_BLOCKS;
    if (!isPlausible) throw new DiskFormatError("sizes in the VHDX metadata contradict each other");
    this.#ratio = chunkRatio(this.blockBytes, sectorBytes);
    const { offset } = findRegion(source, region.blockTable);
    this.#table = source.read(offset, (tableIndex(Math.max(0, blocks - 1), this.#ratio) + 1) * 8);
  }

  protected *storedBlocks(): Generator<number> {
    const blocks = Math.ceil(this.sizeBytes / this.blockBytes);
    for (let block = 0; block < blocks; block++) {
      if (this.offsetOf(block) !== undefined) yield block;
    }
  }

  protected offsetOf(block: number): number | undefined {
    const entry = this.#table.readBigUInt64LE(tableIndex(block, this.#ratio) * 8);
    if (Number(entry & 7n) !== blockState.fullyPresent) return undefined;
    return Number(entry >> offsetShift) * 2 ** Number(offsetShift);
  }
}
