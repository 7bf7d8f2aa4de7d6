/**
 * Google Compute Engine: `disk.raw` in a compressed archive of GNU tar, as a sparse file, since the
 * disk must have a size of whole gibibytes.
 *
 * Reference: Google Cloud documentation, "Import a boot disk image" (requirements of the archive).
 * Neighbours: `archive.ts`.
 */
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { bootableDisk } from "../disk/bootable-disk.ts";
import type { DiskImage, DiskOutput, Extent } from "../disk/disk-image.ts";
import { dataGrains } from "../disk/grains.ts";
import { appendAll, archiveEnd, filePadding, sparseFileHeader } from "./archive.ts";
import { diskParts, type FileTarget } from "./target.ts";

const gibibyte = 2 ** 30;
const grainBytes = 64 * 1024;
const compressionLevel = 3;

/** The stretches of a disk that hold data, in whole grains. */
async function dataExtents(disk: DiskImage, output: DiskOutput): Promise<Extent[]> {
  const extents: { startBytes: number; endBytes: number }[] = [];
  for await (const grains of dataGrains(disk, grainBytes, () => output.pause())) {
    for (const { index } of grains) {
      const startBytes = index * grainBytes;
      const endBytes = startBytes + grainBytes;
      const last = extents.at(-1);
      if (last?.endBytes === startBytes) last.endBytes = endBytes;
      else extents.push({ startBytes, endBytes });
    }
  }
  return extents;
}

/** The archive's bytes, uncompressed. */
async function* archive(disk: DiskImage, output: DiskOutput): AsyncGenerator<Buffer> {
  const extents = await dataExtents(disk, output);
  const realSizeBytes = Math.ceil(disk.sizeBytes / gibibyte) * gibibyte;
  yield sparseFileHeader("disk.raw", realSizeBytes, extents);
  let storedBytes = 0;
  for await (const grains of dataGrains(disk, grainBytes, () => output.pause())) {
    // The chunk's buffer is used again, and compression takes its time: hence the copies.
    for (const { bytes } of grains) yield Buffer.from(bytes);
    storedBytes += grains.length * grainBytes;
  }
  yield filePadding(storedBytes);
  yield archiveEnd();
}

/** The target. */
export const gceTarget: FileTarget = {
  kind: "file",
  name: "gce",
  summary: "Google Compute Engine (disk.raw in a tar.gz)",
  extension: ".tar.gz",
  async write(application, output) {
    const disk = bootableDisk(diskParts(application));
    // No name and no date in the header, so the same disk gives the same bytes.
    const gzip = createGzip({ level: compressionLevel });
    try {
      await pipeline(archive(disk, output), gzip, (compressed) => appendAll(output, compressed));
    } finally {
      disk.close();
    }
  },
};
