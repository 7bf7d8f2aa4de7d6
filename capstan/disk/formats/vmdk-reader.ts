/**
 * Reads VMDK files of one piece: monolithicSparse and streamOptimized.
 * Neighbours: `vmdk-header.ts` has the encoding.
 */
import { inflateSync } from "node:zlib";
import { BlockMappedDisk } from "../block-map.ts";
import { DiskFormatError } from "../disk-image.ts";
import type { InputFile } from "../input-file.ts";
import {
  decodeHeader,
  directoryAtEnd,
  flagCompressed,
  sectorBytes,
  type VmdkHeader,
  vmdkMagic,
} from "./vmdk-header.ts";

/** The footer is the last sector but one (the end marker). */
const FOOTER_FROM_END_BYTES = 2 * sectorBytes;
const GRAIN_HEAD_BYTES = 12;
const MOST_TABLES = 2 ** 20;
/** Grain table entry of newer files: reads as zeros. */
const ZERO_GRAIN = 1;

function readHeader(file: InputFile): VmdkHeader {
  const header = decodeHeader(file.read(0, sectorBytes));
  if (header.directoryAt !== directoryAtEnd) return header;
  const footer = file.read(Math.max(0, file.sizeBytes - FOOTER_FROM_END_BYTES), sectorBytes);
  if (footer.readUInt32LE(0) !== vmdkMagic) {
    throw new DiskFormatError("the stream has no footer: its end is missing");
  }
  return decodeHeader(footer);
}

export class VmdkDisk extends BlockMappedDisk {
  readonly blockBytes: number;
  readonly sizeBytes: number;
  readonly #isCompressed: boolean;
  readonly #tableEntries: number;
  readonly #directory: Buffer;
  readonly #tables = new Map<number, Buffer>();
  #inflated: { readonly offset: number; readonly bytes: Buffer } | undefined;

  constructor(source: InputFile) {
    super(source);
    const header = readHeader(source);
    this.blockBytes = header.grainSectors * sectorBytes;
    this.sizeBytes = header.capacitySectors * sectorBytes;
    this.#isCompressed = (header.flags & flagCompressed) !== 0;
    this.#tableEntries = header.entriesPerTable;
    const tables = Math.ceil(this.sizeBytes / this.blockBytes / this.#tableEntries);
    const isPlausible =
      this.blockBytes >= 4096 &&
      this.blockBytes <= 2 ** 24 &&
      header.entriesPerTable >= 1 &&
      header.entriesPerTable <= 2 ** 16 &&
      tables <= MOST_TABLES &&
      Number.isSafeInteger(this.sizeBytes);
    if (!isPlausible) throw new DiskFormatError("sizes in the VMDK header contradict each other");
    this.#directory = source.read(Number(header.directoryAt) * sectorBytes, tables * 4);
  }

  protected *storedBlocks(): Generator<number> {
    const blocks = Math.ceil(this.sizeBytes / this.blockBytes);
    for (let first = 0; first < blocks; first += this.#tableEntries) {
      const table = this.#table(first / this.#tableEntries);
      if (table === undefined) continue;
      for (let index = 0; index < this.#tableEntries && first + index < blocks; index++) {
        if (table.readUInt32LE(index * 4) > ZERO_GRAIN) yield first + index;
      }
    }
  }

  protected offsetOf(block: number): number | undefined {
    const table = this.#table(Math.floor(block / this.#tableEntries));
    const sector = table?.readUInt32LE((block % this.#tableEntries) * 4) ?? 0;
    return sector > ZERO_GRAIN ? sector * sectorBytes : undefined;
  }

  protected override readBlock(target: Buffer, block: number, within: number): void {
    const offset = this.offsetOf(block);
    if (!this.#isCompressed || offset === undefined) super.readBlock(target, block, within);
    else this.#inflate(offset).copy(target, 0, within);
  }

  #table(index: number): Buffer | undefined {
    const known = this.#tables.get(index);
    if (known !== undefined) return known;
    const sector = this.#directory.readUInt32LE(index * 4);
    if (sector === 0) return undefined;
    const table = this.file.read(sector * sectorBytes, this.#tableEntries * 4);
    this.#tables.set(index, table);
    return table;
  }

  #inflate(offset: number): Buffer {
    if (this.#inflated?.offset === offset) return this.#inflated.bytes;
    const packedBytes = this.file.read(offset, GRAIN_HEAD_BYTES).readUInt32LE(8);
    const packed = this.file.read(offset + GRAIN_HEAD_BYTES, packedBytes);
    try {
      const bytes = Buffer.alloc(this.blockBytes);
      inflateSync(packed, { maxOutputLength: this.blockBytes }).copy(bytes);
      this.#inflated = { offset, bytes };
      return bytes;
    } catch (error) {
      throw new DiskFormatError(`a compressed grain is damaged: ${error}`);
    }
  }
}
