/**
 * Identities of disks that formats store, made from the disk's contents: the same disk has the same
 * identity whenever and wherever it is written, and different disks have different ones.
 * Neighbours: `grains.ts` finds the data, formats write the identities.
 */
import { createHash } from "node:crypto";
import { uuidFromHash } from "../image/uuid.ts";
import type { DiskImage } from "./disk-image.ts";
import { dataGrains } from "./grains.ts";

/** Unit in which contents are hashed, whatever the format: so that all formats agree. */
const HASH_GRAIN_BYTES = 64 * 1024;

/** Where a disk's data lies, and what it is. */
export interface DiskSurvey {
  /** Positions of the grains that are not zero, ascending, in units of the grain size. */
  readonly grains: readonly number[];
  /**
   * SHA-256 over positions (in decimal, with a line feed) and contents of all 64 KiB pieces that are
   * not zero. Zeros behind the end make no difference.
   */
  readonly hash: Buffer;
}

/**
 * Reads a disk once.
 * @param grainBytes of the result; a power of two, at least 64 KiB
 */
export async function surveyDisk(
  disk: DiskImage,
  grainBytes: number,
  pause: () => Promise<void>,
): Promise<DiskSurvey> {
  const hash = createHash("sha256");
  const grains: number[] = [];
  for await (const pieces of dataGrains(disk, HASH_GRAIN_BYTES, pause)) {
    for (const { index, bytes } of pieces) {
      hash.update(`${index}\n`).update(bytes);
      const grain = Math.floor((index * HASH_GRAIN_BYTES) / grainBytes);
      if (grains.at(-1) !== grain) grains.push(grain);
    }
  }
  return { grains, hash: hash.digest() };
}

/** A UUID for a purpose: formats that want several different ones derive them. */
export function derivedUuid(hash: Buffer, purpose: string): Buffer {
  return uuidFromHash(createHash("sha256").update(hash).update(purpose).digest());
}
