/**
 * VHD, the format of Virtual PC, old Hyper-V and Azure, in two kinds: fixed (the raw disk and a
 * footer; what Azure takes) and dynamic (a table of 2 MiB blocks).
 *
 *     dynamic: | footer | header, 1 KiB | block table, u32 sectors | (bitmap, block) ... | footer |
 *
 * Each block has a bitmap of its sectors in front; ours are all ones.
 * Reference: Microsoft, "Virtual Hard Disk Image Format Specification", version 1.0.
 * Neighbours: `vhd-footer.ts`, `raw.ts`.
 */
import { BlockMappedDisk } from "../block-map.ts";
import { derivedUuid, surveyDisk } from "../content-id.ts";
import {
  type DiskFormat,
  DiskFormatError,
  type DiskImage,
  type DiskOutput,
} from "../disk-image.ts";
import { copyGrains } from "../grains.ts";
import { type InputFile, opening } from "../input-file.ts";
import { writeRaw } from "./raw.ts";
import {
  cookie,
  decodeFooter,
  encodeFooter,
  footerBytes,
  vhdChecksum,
  vhdType,
} from "./vhd-footer.ts";

const SECTOR_BYTES = 512;
const BLOCK_BYTES = 2 * 1024 * 1024;
const BITMAP_BYTES = BLOCK_BYTES / SECTOR_BYTES / 8;
const HEADER_BYTES = 1024;
const NOT_STORED = 0xffff_ffff;
const headerCookie = "cxsparse";
const headerChecksumAt = 36;
const TABLE_AT = footerBytes + HEADER_BYTES;
/** 2 TiB of the smallest blocks that make sense. */
const MOST_BLOCKS = 2 ** 24;

function isVhd(bytes: Buffer): boolean {
  return bytes.length >= footerBytes && bytes.toString("latin1", 0, 8) === cookie;
}

async function writeDynamic(disk: DiskImage, output: DiskOutput): Promise<void> {
  const { grains, hash } = await surveyDisk(disk, BLOCK_BYTES, () => output.pause());
  const blocks = Math.ceil(disk.sizeBytes / BLOCK_BYTES);
  const type = vhdType.dynamic;
  const footer = encodeFooter(
    { type, sizeBytes: disk.sizeBytes, headerAt: footerBytes },
    derivedUuid(hash, "vhd"),
  );
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(headerCookie, 0, "latin1");
  header.fill(0xff, 8, 16);
  header.writeBigUInt64BE(BigInt(TABLE_AT), 16);
  header.writeUInt32BE(0x0001_0000, 24);
  header.writeUInt32BE(blocks, 28);
  header.writeUInt32BE(BLOCK_BYTES, 32);
  header.writeUInt32BE(vhdChecksum(header, headerChecksumAt), headerChecksumAt);
  const tableBytes = Math.ceil((blocks * 4) / SECTOR_BYTES) * SECTOR_BYTES;
  const table = Buffer.alloc(tableBytes, 0xff);
  const firstSector = (TABLE_AT + tableBytes) / SECTOR_BYTES;
  const strideSectors = (BITMAP_BYTES + BLOCK_BYTES) / SECTOR_BYTES;
  for (const [position, block] of grains.entries()) {
    table.writeUInt32BE(firstSector + position * strideSectors, block * 4);
  }
  for (const part of [footer, header, table]) output.append(part);
  const bitmap = Buffer.alloc(BITMAP_BYTES, 0xff);
  await copyGrains(disk, output, grains, BLOCK_BYTES, () => output.append(bitmap));
  output.append(footer);
}

async function writeFixed(disk: DiskImage, output: DiskOutput): Promise<void> {
  const { hash } = await surveyDisk(disk, BLOCK_BYTES, () => output.pause());
  await writeRaw(disk, output);
  output.append(
    encodeFooter(
      { type: vhdType.fixed, sizeBytes: disk.sizeBytes, headerAt: undefined },
      derivedUuid(hash, "vhd"),
    ),
  );
}

class DynamicVhd extends BlockMappedDisk {
  readonly blockBytes: number;
  readonly sizeBytes: number;
  readonly #table: Buffer;
  readonly #bitmapBytes: number;

  constructor(source: InputFile) {
    super(source);
    const { sizeBytes, headerAt = 0 } = decodeFooter(this.file.read(0, footerBytes));
    const header = this.file.read(headerAt, HEADER_BYTES);
    if (!isVhd(this.file.read(this.file.sizeBytes - footerBytes, footerBytes))) {
      throw new DiskFormatError("the VHD does not end with its footer: a part is missing");
    }
    if (
      header.toString("latin1", 0, 8) !== headerCookie ||
      header.readUInt32BE(headerChecksumAt) !== vhdChecksum(header, headerChecksumAt)
    ) {
      throw new DiskFormatError("the header of the dynamic VHD is damaged");
    }
    this.sizeBytes = sizeBytes;
    this.blockBytes = header.readUInt32BE(32);
    const blocks = header.readUInt32BE(28);
    const isPlausible =
      this.blockBytes >= SECTOR_BYTES * 8 &&
      blocks <= MOST_BLOCKS &&
      sizeBytes <= blocks * this.blockBytes &&
      sizeBytes % SECTOR_BYTES === 0;
    if (!isPlausible) throw new DiskFormatError("sizes in the VHD header contradict each other");
    const bits = this.blockBytes / SECTOR_BYTES;
    this.#bitmapBytes = Math.ceil(bits / 8 / SECTOR_BYTES) * SECTOR_BYTES;
    this.#table = this.file.read(Number(header.readBigUInt64BE(16)), blocks * 4);
  }

  protected *storedBlocks(): Generator<number> {
    const blocks = Math.ceil(this.sizeBytes / this.blockBytes);
    for (let block = 0; block < blocks; block++) {
      if (this.#table.readUInt32BE(block * 4) !== NOT_STORED) yield block;
    }
  }

  protected offsetOf(block: number): number | undefined {
    const sector = this.#table.readUInt32BE(block * 4);
    return sector === NOT_STORED ? undefined : sector * SECTOR_BYTES + this.#bitmapBytes;
  }
}

/** A fixed VHD is one block as large as the disk. */
class FixedVhd extends BlockMappedDisk {
  readonly blockBytes: number;
  readonly sizeBytes: number;

  constructor(source: InputFile) {
    super(source);
    const footer = this.file.read(this.file.sizeBytes - footerBytes, footerBytes);
    this.sizeBytes = decodeFooter(footer).sizeBytes;
    this.blockBytes = Math.max(this.sizeBytes, SECTOR_BYTES);
    if (this.sizeBytes % SECTOR_BYTES !== 0 || this.sizeBytes > this.file.sizeBytes - footerBytes) {
      throw new DiskFormatError(
        `the VHD should hold ${this.sizeBytes} bytes; its file has ${this.file.sizeBytes}`,
      );
    }
  }

  protected storedBlocks(): Iterable<number> {
    return this.sizeBytes === 0 ? [] : [0];
  }

  protected offsetOf(): number {
    return 0;
  }
}

function openVhd(path: string): DiskImage {
  return opening(path, (file) => {
    const isDynamic = isVhd(file.read(0, Math.min(footerBytes, file.sizeBytes)));
    return isDynamic ? new DynamicVhd(file) : new FixedVhd(file);
  });
}

/** The dynamic kind. */
export const vhdFormat: DiskFormat = {
  name: "vhd",
  summary: "Hyper-V, Xen (dynamic)",
  extension: ".vhd",
  recognises: (head) => isVhd(head),
  open: openVhd,
  write: writeDynamic,
};

/** The fixed kind. */
export const vhdFixedFormat: DiskFormat = {
  name: "vhd-fixed",
  summary: "Azure",
  extension: ".vhd",
  recognises: (_head, tail) => isVhd(tail),
  open: openVhd,
  write: writeFixed,
};
