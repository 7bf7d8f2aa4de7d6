/**
 * Reads QCOW2, versions 2 and 3, with backing files and compressed clusters.
 *
 * L2 tables are read when they are needed, a few are kept.
 * Neighbours: `qcow2-layout.ts` has the encoding; `../formats.ts` opens backing files.
 */
import { dirname, resolve } from "node:path";
import { inflateRawSync } from "node:zlib";
import { BlockMappedDisk } from "../block-map.ts";
import { DiskFormatError, type DiskImage, type Extent } from "../disk-image.ts";
import { unionOfExtents } from "../grains.ts";
import type { InputFile } from "../input-file.ts";
import { compressedFlag, decodeHeader, offsetMask, zeroFlag } from "./qcow2-layout.ts";

const SECTOR_BYTES = 512;
const MOST_HEADER_BYTES = 2 ** 16;
/** The specification's limit of the L1 table: 32 MiB. */
const MOST_L1_ENTRIES = 2 ** 22;
const MOST_TABLES = 64;

/** Opens a backing file by its absolute path, of this format; undefined: to be recognised. */
export type OpenBacking = (path: string, format: string | undefined) => DiskImage;

export class Qcow2Disk extends BlockMappedDisk {
  readonly blockBytes: number;
  readonly sizeBytes: number;
  readonly #clusterBits: number;
  readonly #hasZeroFlag: boolean;
  readonly #l1: Buffer;
  readonly #tables = new Map<number, Buffer>();
  readonly #backing: DiskImage | undefined;

  constructor(source: InputFile, openBacking: OpenBacking) {
    super(source);
    const header = decodeHeader(source.read(0, Math.min(MOST_HEADER_BYTES, source.sizeBytes)));
    if (header.l1Entries > MOST_L1_ENTRIES) throw new DiskFormatError("the L1 table is too large");
    this.#clusterBits = header.clusterBits;
    this.blockBytes = 2 ** header.clusterBits;
    this.sizeBytes = header.sizeBytes;
    this.#hasZeroFlag = header.version >= 3;
    this.#l1 = source.read(header.l1TableAt, header.l1Entries * 8);
    this.#backing =
      header.backing === undefined
        ? undefined
        : openBacking(resolve(dirname(source.path), header.backing.name), header.backing.format);
  }

  override *extents(): Generator<Extent> {
    const own = super.extents();
    if (this.#backing === undefined) yield* own;
    else yield* unionOfExtents(own, this.#backing.extents(), this.sizeBytes);
  }

  override close(): void {
    super.close();
    this.#backing?.close();
  }

  protected *storedBlocks(): Generator<number> {
    const entries = this.blockBytes / 8;
    const blocks = Math.ceil(this.sizeBytes / this.blockBytes);
    for (let first = 0; first < blocks; first += entries) {
      const table = this.#table(first / entries);
      if (table === undefined) continue;
      for (let index = 0; index < entries && first + index < blocks; index++) {
        const entry = table.readBigUInt64BE(index * 8);
        if (entry !== 0n && !this.#isZero(entry)) yield first + index;
      }
    }
  }

  protected offsetOf(block: number): number | undefined {
    const offset = Number(this.#entry(block) & offsetMask);
    return offset === 0 ? undefined : offset;
  }

  protected override readBlock(target: Buffer, block: number, within: number): void {
    const entry = this.#entry(block);
    if ((entry & compressedFlag) !== 0n) {
      this.#inflate(entry).copy(target, 0, within);
    } else if (this.#isZero(entry)) {
      target.fill(0);
    } else if ((entry & offsetMask) !== 0n) {
      this.file.readInto(target, Number(entry & offsetMask) + within);
    } else {
      this.#readBacking(target, block * this.blockBytes + within);
    }
  }

  #isZero(entry: bigint): boolean {
    return this.#hasZeroFlag && (entry & compressedFlag) === 0n && (entry & zeroFlag) !== 0n;
  }

  #entry(block: number): bigint {
    const entries = this.blockBytes / 8;
    const table = this.#table(Math.floor(block / entries));
    return table === undefined ? 0n : table.readBigUInt64BE((block % entries) * 8);
  }

  #table(index: number): Buffer | undefined {
    const known = this.#tables.get(index);
    if (known !== undefined) return known;
    const offset = Number(this.#l1.readBigUInt64BE(index * 8) & offsetMask);
    if (offset === 0) return undefined;
    const table = this.file.read(offset, this.blockBytes);
    if (this.#tables.size === MOST_TABLES) this.#tables.clear();
    this.#tables.set(index, table);
    return table;
  }

  /** The backing disk may be shorter. */
  #readBacking(target: Buffer, offsetBytes: number): void {
    const available = (this.#backing?.sizeBytes ?? 0) - offsetBytes;
    const count = Math.max(0, Math.min(target.length, available));
    this.#backing?.read(target.subarray(0, count), offsetBytes);
    target.fill(0, count);
  }

  /** A compressed cluster: bits from 62 - (clusterBits - 8) on count further sectors. */
  #inflate(entry: bigint): Buffer {
    const countBit = BigInt(62 - (this.#clusterBits - 8));
    const offset = Number(entry & ((1n << countBit) - 1n));
    const sectors = Number((entry & ~compressedFlag & ~(1n << 63n)) >> countBit) + 1;
    const most = sectors * SECTOR_BYTES - (offset % SECTOR_BYTES);
    const packed = this.file.read(offset, Math.min(most, this.file.sizeBytes - offset));
    try {
      const bytes = inflateRawSync(packed, { maxOutputLength: this.blockBytes, finishFlush: 2 });
      if (bytes.length === this.blockBytes) return bytes;
    } catch (error) {
      throw new DiskFormatError(`a compressed cluster is damaged: ${error}`);
    }
    throw new DiskFormatError("a compressed cluster is too short");
  }
}
