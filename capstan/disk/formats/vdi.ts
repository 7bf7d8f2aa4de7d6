/**
 * VDI, VirtualBox's own format: a header, one table of 1 MiB blocks, the blocks.
 *
 *     0      header, 512 bytes        512    block map: u32 for each block
 *            (0xffffffff: not stored)        then, from a multiple of 4096, the stored blocks
 *
 * Reference: VirtualBox source, src/VBox/Storage/VDICore.h (fields of the header, version 1.1).
 */
import { BlockMappedDisk } from "../block-map.ts";
import { derivedUuid, surveyDisk } from "../content-id.ts";
import {
  type DiskFormat,
  DiskFormatError,
  type DiskImage,
  type DiskOutput,
} from "../disk-image.ts";
import { geometryOf } from "../geometry.ts";
import { copyGrains } from "../grains.ts";
import { type InputFile, opening } from "../input-file.ts";

const banner = "<<< Oracle VM VirtualBox Disk Image >>>\n";
const SIGNATURE = 0xbeda107f;
const VERSION_1_1 = 0x0001_0001;
const HEADER_BYTES = 400;
const TYPE_DYNAMIC = 1;
const TYPE_FIXED = 2;
const MAP_AT = 512;
const ALIGNMENT_BYTES = 4096;
const BLOCK_BYTES = 1024 * 1024;
/** Map entries from here on are not stored: never written (all ones) or known to be zero. */
const FIRST_SPECIAL = 0xffff_fffe;
const MOST_BLOCKS = 2 ** 26;

/** Offsets of header fields. */
const at = {
  signature: 0x40,
  version: 0x44,
  headerBytes: 0x48,
  type: 0x4c,
  map: 0x154,
  data: 0x158,
  cylinders: 0x15c,
  heads: 0x160,
  sectors: 0x164,
  sectorBytes: 0x168,
  sizeBytes: 0x170,
  blockBytes: 0x178,
  blockExtraBytes: 0x17c,
  blocks: 0x180,
  stored: 0x184,
  uuid: 0x188,
  snapshotUuid: 0x198,
} as const;

async function write(disk: DiskImage, output: DiskOutput): Promise<void> {
  const { grains, hash } = await surveyDisk(disk, BLOCK_BYTES, () => output.pause());
  const blocks = Math.ceil(disk.sizeBytes / BLOCK_BYTES);
  const dataAt = Math.ceil((MAP_AT + blocks * 4) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  const header = Buffer.alloc(MAP_AT);
  const { cylinders, heads, sectorsPerTrack } = geometryOf(disk.sizeBytes / 512);
  header.write(banner, 0, "latin1");
  header.writeUInt32LE(SIGNATURE, at.signature);
  header.writeUInt32LE(VERSION_1_1, at.version);
  header.writeUInt32LE(HEADER_BYTES, at.headerBytes);
  header.writeUInt32LE(TYPE_DYNAMIC, at.type);
  header.writeUInt32LE(MAP_AT, at.map);
  header.writeUInt32LE(dataAt, at.data);
  header.writeUInt32LE(cylinders, at.cylinders);
  header.writeUInt32LE(heads, at.heads);
  header.writeUInt32LE(sectorsPerTrack, at.sectors);
  header.writeUInt32LE(512, at.sectorBytes);
  header.writeBigUInt64LE(BigInt(disk.sizeBytes), at.sizeBytes);
  header.writeUInt32LE(BLOCK_BYTES, at.blockBytes);
  header.writeUInt32LE(blocks, at.blocks);
  header.writeUInt32LE(grains.length, at.stored);
  derivedUuid(hash, "vdi image").copy(header, at.uuid);
  derivedUuid(hash, "vdi snapshot").copy(header, at.snapshotUuid);
  const map = Buffer.alloc(blocks * 4, 0xff);
  for (const [position, block] of grains.entries()) map.writeUInt32LE(position, block * 4);
  output.append(header);
  output.append(map);
  output.padTo(dataAt);
  await copyGrains(disk, output, grains, BLOCK_BYTES);
}

class VdiDisk extends BlockMappedDisk {
  readonly blockBytes: number;
  readonly sizeBytes: number;
  readonly #map: Buffer;
  readonly #dataAt: number;
  readonly #strideBytes: number;

  constructor(source: InputFile) {
    super(source);
    const header = this.file.read(0, MAP_AT);
    const type = header.readUInt32LE(at.type);
    this.sizeBytes = Number(header.readBigUInt64LE(at.sizeBytes));
    this.blockBytes = header.readUInt32LE(at.blockBytes);
    this.#dataAt = header.readUInt32LE(at.data);
    this.#strideBytes = this.blockBytes + header.readUInt32LE(at.blockExtraBytes);
    const blocks = header.readUInt32LE(at.blocks);
    if (
      header.readUInt32LE(at.version) >>> 16 !== 1 ||
      (type !== TYPE_DYNAMIC && type !== TYPE_FIXED)
    ) {
      throw new DiskFormatError(
        `a VDI file of type ${type} or an unknown version is not supported`,
      );
    }
    const isPlausible =
      this.blockBytes >= 512 &&
      blocks <= MOST_BLOCKS &&
      this.sizeBytes <= blocks * this.blockBytes &&
      this.sizeBytes % 512 === 0;
    if (!isPlausible) throw new DiskFormatError("sizes in the VDI header contradict each other");
    this.#map = this.file.read(header.readUInt32LE(at.map), blocks * 4);
  }

  protected *storedBlocks(): Generator<number> {
    const blocks = Math.ceil(this.sizeBytes / this.blockBytes);
    for (let block = 0; block < blocks; block++) {
      if (this.#map.readUInt32LE(block * 4) < FIRST_SPECIAL) yield block;
    }
  }

  protected offsetOf(block: number): number | undefined {
    const position = this.#map.readUInt32LE(block * 4);
    return position < FIRST_SPECIAL ? this.#dataAt + position * this.#strideBytes : undefined;
  }
}

/** The format. */
export const vdiFormat: DiskFormat = {
  name: "vdi",
  summary: "VirtualBox",
  extension: ".vdi",
  recognises: (head) => head.length >= MAP_AT && head.readUInt32LE(at.signature) === SIGNATURE,
  open: (path) => opening(path, (file) => new VdiDisk(file)),
  write,
};
