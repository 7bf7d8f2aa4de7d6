/**
 * Raw: the disk's bytes as they are, with holes for zeros.
 *
 * Any file can be a raw disk, so this format is recognised last, by a boot sector or by an EROFS
 * file system in it.
 */
import { MAGIC, SUPERBLOCK_OFFSET_BYTES } from "../../image/erofs/format.ts";
import type { DiskFormat, DiskImage, DiskOutput, Extent } from "../disk-image.ts";
import { dataGrains } from "../grains.ts";
import { type InputFile, opening } from "../input-file.ts";

const SECTOR_BYTES = 512;
/** Granularity of holes: a page of the host's file systems. */
const GRAIN_BYTES = 4096;

class RawDisk implements DiskImage {
  readonly sizeBytes: number;
  readonly #file: InputFile;

  constructor(file: InputFile) {
    this.#file = file;
    this.sizeBytes = Math.ceil(this.#file.sizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
  }

  extents(): Extent[] {
    return this.sizeBytes === 0 ? [] : [{ startBytes: 0, endBytes: this.sizeBytes }];
  }

  read(target: Buffer, offsetBytes: number): void {
    // The last sector of a file that is no multiple of sectors ends with zeros.
    const stored = Math.max(0, Math.min(target.length, this.#file.sizeBytes - offsetBytes));
    this.#file.readInto(target.subarray(0, stored), offsetBytes);
    target.fill(0, stored);
  }

  close(): void {
    this.#file.close();
  }
}

/** Writes a disk as it is. */
export async function writeRaw(disk: DiskImage, output: DiskOutput): Promise<void> {
  for await (const grains of dataGrains(disk, GRAIN_BYTES, () => output.pause())) {
    for (const { index, bytes } of grains) {
      output.padTo(index * GRAIN_BYTES);
      output.append(bytes.subarray(0, Math.min(GRAIN_BYTES, disk.sizeBytes - index * GRAIN_BYTES)));
    }
  }
  output.padTo(disk.sizeBytes);
}

/** The format. */
export const rawFormat: DiskFormat = {
  name: "raw",
  summary: "the disk's bytes, sparse: for QEMU, dd, clouds",
  extension: ".img",
  recognises: (head) =>
    (head.length >= SECTOR_BYTES && head.readUInt16LE(510) === 0xaa55) ||
    (head.length >= 2048 && head.readUInt32LE(SUPERBLOCK_OFFSET_BYTES) === MAGIC),
  open: (path) => opening(path, (file) => new RawDisk(file)),
  write: writeRaw,
};
