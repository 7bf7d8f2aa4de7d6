/**
 * Finds the parts of a disk that are not zero, in units ("grains") of the size that a format
 * allocates. Formats call it once to plan their tables and once to copy.
 */
import type { DiskImage } from "./disk-image.ts";

/** How much is read at once. */
const CHUNK_BYTES = 1024 * 1024;
const zeros = Buffer.alloc(CHUNK_BYTES);

/** Whether all bytes are zero; at most a mebibyte. */
export function isZero(bytes: Buffer): boolean {
  return bytes.equals(zeros.subarray(0, bytes.length));
}

/** A grain with its contents, which are valid until the next one is asked for. */
export interface Grain {
  /** Position of the grain in units of the grain size. */
  readonly index: number;
  /** Its bytes; the last one of the disk is filled up with zeros. */
  readonly bytes: Buffer;
}

/** Runs of whole grains that cover the extents of a disk, at most a chunk long. */
function* runs(disk: DiskImage, grainBytes: number): Generator<{ first: number; end: number }> {
  const most = Math.max(1, CHUNK_BYTES / grainBytes);
  let next = 0;
  for (const { startBytes, endBytes } of disk.extents()) {
    const last = Math.ceil(endBytes / grainBytes);
    for (let first = Math.max(next, Math.floor(startBytes / grainBytes)); first < last; ) {
      const end = Math.min(last, first + most);
      yield { first, end };
      first = end;
    }
    next = Math.max(next, last);
  }
}

/**
 * All grains that are not zero, in ascending order.
 * @param grainBytes a power of two
 * @param pause awaited after each chunk
 */
export async function* dataGrains(
  disk: DiskImage,
  grainBytes: number,
  pause: () => Promise<void>,
): AsyncGenerator<readonly Grain[]> {
  const buffer = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, grainBytes));
  for (const { first, end } of runs(disk, grainBytes)) {
    const start = first * grainBytes;
    const size = (end - first) * grainBytes;
    const stored = Math.min(size, disk.sizeBytes - start);
    disk.read(buffer.subarray(0, stored), start);
    buffer.fill(0, stored, size);
    const grains: Grain[] = [];
    for (let index = first; index < end; index++) {
      const at = (index - first) * grainBytes;
      const bytes = buffer.subarray(at, at + grainBytes);
      if (!isZeroGrain(bytes)) grains.push({ index, bytes });
    }
    if (grains.length > 0) yield grains;
    await pause();
  }
}

function isZeroGrain(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    if (!isZero(bytes.subarray(at, at + CHUNK_BYTES))) return false;
  }
  return true;
}

/** The positions of all grains that are not zero, ascending. */
export async function dataGrainIndexes(
  disk: DiskImage,
  grainBytes: number,
  pause: () => Promise<void>,
): Promise<number[]> {
  const indexes: number[] = [];
  for await (const grains of dataGrains(disk, grainBytes, pause)) {
    for (const { index } of grains) indexes.push(index);
  }
  return indexes;
}
