/**
 * Finds the parts of a disk that are not zero, in units ("grains") of the size that a format
 * allocates. Formats call it once to plan their tables and once to copy.
 */
import type { DiskImage, DiskOutput, Extent } from "./disk-image.ts";

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
  readonly isZero: boolean;
}

/** Runs of whole grains that cover extents, at most a chunk long. */
function* runs(
  extents: Iterable<Extent>,
  grainBytes: number,
): Generator<{ first: number; end: number }> {
  const most = Math.max(1, CHUNK_BYTES / grainBytes);
  let next = 0;
  for (const { startBytes, endBytes } of extents) {
    const last = Math.ceil(endBytes / grainBytes);
    for (let first = Math.max(next, Math.floor(startBytes / grainBytes)); first < last; ) {
      const end = Math.min(last, first + most);
      yield { first, end };
      first = end;
    }
    next = Math.max(next, last);
  }
}

/** The extents of either of two disks, cut off at `endBytes`; may overlap, but ascend. */
export function* unionOfExtents(
  one: Iterable<Extent>,
  other: Iterable<Extent>,
  limitBytes: number,
): Generator<Extent> {
  const a = [...one, ...other].sort((x, y) => x.startBytes - y.startBytes);
  let pending: Extent | undefined;
  for (const { startBytes, endBytes: end } of a) {
    const endBytes = Math.min(end, limitBytes);
    if (startBytes >= endBytes) continue;
    if (pending !== undefined && startBytes <= pending.endBytes) {
      pending = {
        startBytes: pending.startBytes,
        endBytes: Math.max(pending.endBytes, endBytes),
      };
      continue;
    }
    if (pending !== undefined) yield pending;
    pending = { startBytes, endBytes };
  }
  if (pending !== undefined) yield pending;
}

/** Fills `target` from a disk, with zeros behind its end. */
function readPadded(disk: DiskImage, target: Buffer, offsetBytes: number): void {
  const stored = Math.max(0, Math.min(target.length, disk.sizeBytes - offsetBytes));
  if (stored > 0) disk.read(target.subarray(0, stored), offsetBytes);
  target.fill(0, stored);
}

/**
 * All grains in which a disk differs from another one, or from zeros, in ascending order.
 * @param grainBytes a power of two
 * @param pause awaited after each chunk
 */
export async function* differingGrains(
  disk: DiskImage,
  base: DiskImage | undefined,
  grainBytes: number,
  pause: () => Promise<void>,
): AsyncGenerator<readonly Grain[]> {
  const buffer = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, grainBytes));
  const other = base === undefined ? undefined : Buffer.allocUnsafe(buffer.length);
  const extents =
    base === undefined
      ? disk.extents()
      : unionOfExtents(disk.extents(), base.extents(), disk.sizeBytes);
  for (const { first, end } of runs(extents, grainBytes)) {
    const start = first * grainBytes;
    const size = (end - first) * grainBytes;
    readPadded(disk, buffer.subarray(0, size), start);
    if (base !== undefined && other !== undefined) readPadded(base, other.subarray(0, size), start);
    const grains: Grain[] = [];
    for (let index = first; index < end; index++) {
      const at = (index - first) * grainBytes;
      const bytes = buffer.subarray(at, at + grainBytes);
      const isZero = isZeroGrain(bytes);
      const isSame =
        other === undefined ? isZero : bytes.equals(other.subarray(at, at + grainBytes));
      if (!isSame) grains.push({ index, bytes, isZero });
    }
    if (grains.length > 0) yield grains;
    await pause();
  }
}

/** All grains that are not zero, in ascending order. */
export function dataGrains(
  disk: DiskImage,
  grainBytes: number,
  pause: () => Promise<void>,
): AsyncGenerator<readonly Grain[]> {
  return differingGrains(disk, undefined, grainBytes, pause);
}

function isZeroGrain(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    if (!isZero(bytes.subarray(at, at + CHUNK_BYTES))) return false;
  }
  return true;
}

/** Unit in which a block that is mostly zeros is written with holes. */
const PIECE_BYTES = 64 * 1024;

/** Appends bytes, with holes for zeros. */
export function appendSparse(output: DiskOutput, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, at + PIECE_BYTES);
    if (isZero(piece)) output.padTo(output.positionBytes + piece.length);
    else output.append(piece);
  }
}

/**
 * Appends grains one after the other; the disk's last one is filled up with zeros.
 * @param before called before each grain, to put something in front of it
 */
export async function copyGrains(
  disk: DiskImage,
  output: DiskOutput,
  grains: readonly number[],
  grainBytes: number,
  before: () => void = () => {},
): Promise<void> {
  const buffer = Buffer.allocUnsafe(grainBytes);
  for (const grain of grains) {
    const start = grain * grainBytes;
    const stored = Math.min(grainBytes, disk.sizeBytes - start);
    disk.read(buffer.subarray(0, stored), start);
    buffer.fill(0, stored);
    before();
    appendSparse(output, buffer);
    await output.pause();
  }
}
