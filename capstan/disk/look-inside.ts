/**
 * Looks into an image file of any format: what it starts, and the files in it.
 * Neighbours: `formats.ts` opens disks, `../image/erofs/reader.ts` the file system; the commands
 * `image inspect`, `ls`, `cat`, `cp` and `verify` are the users.
 */
import { UserError } from "../errors.ts";
import { MAGIC, SUPERBLOCK_OFFSET_BYTES } from "../image/erofs/format.ts";
import { ErofsImage, type ImageSource } from "../image/erofs/reader.ts";
import { decodeBootInformation } from "./boot/boot-information.ts";
import { type BootParameters, decodeBootCode } from "./boot/boot-sector.ts";
import { decodeFirstSector, type Partition, sectorBytes } from "./boot/partition-table.ts";
import { rootPartitionType } from "./bootable-disk.ts";
import type { DiskFormat, DiskImage } from "./disk-image.ts";
import { explainedDiskError, explainingDisk, openDisk } from "./formats.ts";

/** How a disk starts. */
export interface BootFacts {
  readonly parameters: BootParameters;
  /** What the kernel is told: options, `--`, the program. */
  readonly configuration: string;
}

/** What is on a disk. */
export interface DiskInside {
  readonly disk: DiskImage;
  /** Undefined for a file system without a disk around it. */
  readonly table:
    | { readonly signature: number; readonly partitions: readonly Partition[] }
    | undefined;
  /** Undefined for a disk that our boot loader does not start. */
  readonly boot: BootFacts | undefined;
  /** Undefined for a disk without an EROFS file system. */
  readonly root: ErofsImage | undefined;
}

/** An opened image file. Close it when done. */
export interface ImageInside extends DiskInside {
  readonly path: string;
  readonly format: DiskFormat;
  close(): void;
}

/** Part of a disk; closing it leaves the disk open. */
class DiskPartSource implements ImageSource {
  readonly sizeBytes: number;
  readonly #disk: DiskImage;
  readonly #startBytes: number;

  constructor(disk: DiskImage, startBytes: number, sizeBytes: number) {
    this.#disk = disk;
    this.#startBytes = startBytes;
    this.sizeBytes = Math.max(0, Math.min(sizeBytes, disk.sizeBytes - startBytes));
  }

  read(target: Buffer, offsetBytes: number): void {
    this.#disk.read(target, this.#startBytes + offsetBytes);
  }

  close(): void {}
}

function readDisk(disk: DiskImage, offsetBytes: number, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  const available = Math.max(0, Math.min(sizeBytes, disk.sizeBytes - offsetBytes));
  disk.read(bytes.subarray(0, available), offsetBytes);
  return bytes;
}

function bootFacts(disk: DiskImage, firstSector: Buffer): BootFacts | undefined {
  const parameters = decodeBootCode(firstSector);
  if (parameters === undefined) return undefined;
  const information = readDisk(disk, sectorBytes, parameters.infoSectors * sectorBytes);
  const configuration = decodeBootInformation(information);
  return configuration === undefined ? undefined : { parameters, configuration };
}

/** The file system: in the whole file, or in the partition made for it. */
function findRoot(disk: DiskImage, partitions: readonly Partition[]): ErofsImage | undefined {
  const places = [
    { start: 0, size: disk.sizeBytes },
    ...partitions
      .filter(({ type }) => type === rootPartitionType)
      .map(({ firstSector, sectors }) => ({
        start: firstSector * sectorBytes,
        size: sectors * sectorBytes,
      })),
  ];
  for (const { start, size } of places) {
    if (readDisk(disk, start + SUPERBLOCK_OFFSET_BYTES, 4).readUInt32LE(0) !== MAGIC) continue;
    return new ErofsImage(new DiskPartSource(disk, start, size));
  }
  return undefined;
}

/** Looks at what is on a disk. @throws DiskFormatError, ErofsFormatError */
export function lookInsideDisk(disk: DiskImage): DiskInside {
  const firstSector = readDisk(disk, 0, sectorBytes);
  const table = decodeFirstSector(firstSector);
  const root = findRoot(disk, table?.partitions ?? []);
  return { disk, table, boot: bootFacts(disk, firstSector), root };
}

/**
 * Opens an image file and looks into it.
 * @throws UserError when it is missing, damaged or of no known format
 */
export function lookInside(path: string): ImageInside {
  const { format, disk } = openDisk(path);
  try {
    const found = explainingDisk(path, () => lookInsideDisk(disk));
    return { ...found, path, format, close: () => disk.close() };
  } catch (error) {
    disk.close();
    throw error;
  }
}

/**
 * Does something with the files in an image.
 * @throws UserError also when there is no file system in it
 */
export async function withFilesOf<Result>(
  path: string,
  use: (root: ErofsImage, inside: ImageInside) => Result | Promise<Result>,
): Promise<Result> {
  const inside = lookInside(path);
  try {
    if (inside.root === undefined) {
      throw new UserError({
        code: "NoFileSystem",
        what: `cannot look at the files of ${path}`,
        why: `the ${inside.format.name} disk holds no EROFS file system`,
        fix: "give an image that capstan built",
      });
    }
    return await use(inside.root, inside);
  } catch (error) {
    throw explainedDiskError(path, error);
  } finally {
    inside.close();
  }
}
