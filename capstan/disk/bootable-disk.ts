/**
 * A disk that starts by itself in a machine with a BIOS.
 *
 *     sector 0       boot loader, partition table
 *     sector 1       boot information: what to run          (up to 63.5 KiB)
 *     sector 128     kernel, as it will lie in memory
 *     whole 64 KiB   EROFS root file system
 *     whole MiB      end
 *
 * Partition 1 covers boot information and kernel, partition 2 the file system. The disk's signature
 * is a hash, so the same parts always give the same disk.
 *
 * Neighbours: `boot/` encodes the parts, `../commands/image-build.ts` is the user.
 */
import { createHash } from "node:crypto";
import { UserError } from "../errors.ts";
import { SUPERBLOCK_OFFSET_BYTES, SUPERBLOCK_SIZE_BYTES } from "../image/erofs/format.ts";
import { encodeBootInformation, mostConfigurationBytes } from "./boot/boot-information.ts";
import { encodeBootCode } from "./boot/boot-sector.ts";
import { readFlatKernel } from "./boot/kernel-image.ts";
import { encodeFirstSector, partitionName, sectorBytes } from "./boot/partition-table.ts";
import { InputFile } from "./input-file.ts";
import { PartsDisk } from "./parts-disk.ts";

/** First sector of the kernel: boot loader and information fill one cluster of other formats. */
const kernelFirstSector = 128;
/** The file system begins with a cluster of other formats; clouds want disks of whole mebibytes. */
const rootAlignmentBytes = 64 * 1024;
const diskAlignmentBytes = 1024 * 1024;
/** Partition types (see `boot/partition-table.ts`). */
export const bootPartitionType = 0xda;
export const rootPartitionType = 0x83;

/** What goes on the disk. */
export interface BootableDiskParts {
  readonly kernelPath: string;
  /** An EROFS image. */
  readonly rootImagePath: string;
  /** The kernel's configuration, given how `root=` names the file system. */
  readonly configuration: (root: string) => string;
}

function aligned(bytes: number, alignmentBytes: number): number {
  return Math.ceil(bytes / alignmentBytes) * alignmentBytes;
}

/** Puts a disk together. @throws UserError if the configuration is too long; system errors */
export function bootableDisk(parts: BootableDiskParts): PartsDisk {
  const kernel = readFlatKernel(parts.kernelPath);
  const kernelSectors = Math.ceil(kernel.bytes.length / sectorBytes);
  const root = new InputFile(parts.rootImagePath);
  const rootStartBytes = aligned(
    (kernelFirstSector + kernelSectors) * sectorBytes,
    rootAlignmentBytes,
  );
  // The superblock holds a hash of the file system's contents.
  const superblock = root.read(SUPERBLOCK_OFFSET_BYTES, SUPERBLOCK_SIZE_BYTES);
  const hash = createHash("sha256").update(superblock).update(kernel.bytes).digest();
  const signature = hash.readUInt32LE(0);
  const configuration = parts.configuration(partitionName(signature, 2));
  checkConfiguration(configuration);
  const information = encodeBootInformation(configuration);
  const code = encodeBootCode({
    infoSectors: information.length / sectorBytes,
    kernelFirstSector,
    kernelSectors,
    kernelAddress: kernel.address,
    // The last sector's rest is loaded, too.
    zeroBytes: Math.max(0, kernel.zeroBytes - (kernelSectors * sectorBytes - kernel.bytes.length)),
    kernelEntry: kernel.entry,
  });
  const sectorsOf = (bytes: number): number => Math.ceil(bytes / sectorBytes);
  const firstSector = encodeFirstSector(code, signature, [
    {
      type: bootPartitionType,
      isActive: true,
      firstSector: 1,
      sectors: kernelFirstSector + kernelSectors - 1,
    },
    {
      type: rootPartitionType,
      isActive: false,
      firstSector: rootStartBytes / sectorBytes,
      sectors: sectorsOf(root.sizeBytes),
    },
  ]);
  return new PartsDisk(aligned(rootStartBytes + root.sizeBytes, diskAlignmentBytes), [
    { offsetBytes: 0, content: firstSector },
    { offsetBytes: sectorBytes, content: information },
    { offsetBytes: kernelFirstSector * sectorBytes, content: kernel.bytes },
    { offsetBytes: rootStartBytes, content: root },
  ]);
}

function checkConfiguration(configuration: string): void {
  if (configuration.length <= mostConfigurationBytes) return;
  throw new UserError({
    code: "CommandLineTooLong",
    what: "cannot make a bootable disk",
    why:
      `arguments and environment take ${configuration.length} bytes; ` +
      `the boot loader has room for ${mostConfigurationBytes}`,
    fix: "pass long arguments in a file of the image",
  });
}
