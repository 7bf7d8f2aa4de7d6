/**
 * Helpers of the tests of disks: random sparse disks, comparison, writing to files.
 * Neighbours: the `*.test.ts` files of this folder and of `formats/`.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { DiskFormat, DiskImage, Extent, WriteOptions } from "./disk-image.ts";
import { writeWhole } from "./output-file.ts";
import { type DiskPart, PartsDisk } from "./parts-disk.ts";

const SECTOR_BYTES = 512;

/** A disk of some size with a few stretches of data, which may hold zeros, too. */
export const sparseDisks: fc.Arbitrary<PartsDisk> = fc
  .record({
    sectors: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 9000 })),
    parts: fc.array(
      fc.record({
        skipBytes: fc.oneof(fc.nat(5000), fc.nat(1_500_000)),
        sizeBytes: fc.oneof(fc.nat(3000), fc.nat(200_000)),
        fill: fc.constantFrom(0, 1, 0xff),
        noise: fc.nat(255),
      }),
      { maxLength: 6 },
    ),
  })
  .map(({ sectors, parts }) => {
    const sizeBytes = sectors * SECTOR_BYTES;
    const made: DiskPart[] = [];
    let position = 0;
    for (const { skipBytes, sizeBytes: wanted, fill, noise } of parts) {
      const offsetBytes = position + skipBytes;
      const content = Buffer.alloc(Math.max(0, Math.min(wanted, sizeBytes - offsetBytes)), fill);
      if (content.length > 0) content[noise % content.length] = noise;
      made.push({ offsetBytes, content });
      position = offsetBytes + content.length;
    }
    return new PartsDisk(
      sizeBytes,
      made.filter(({ content }) => content instanceof Buffer && content.length > 0),
    );
  });

/** All bytes of a disk, read in pieces of odd sizes. */
export function contentsOf(disk: DiskImage): Buffer {
  const bytes = Buffer.alloc(disk.sizeBytes, 0xaa);
  const pieceBytes = 77_777;
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    disk.read(bytes.subarray(at, at + pieceBytes), at);
  }
  return bytes;
}

/** Fails unless two disks hold the same; `a` may be shorter if zeros follow in `b`. */
export function assertSameContents(b: DiskImage, a: DiskImage): void {
  const [wanted, found] = [contentsOf(a), contentsOf(b)];
  assert.ok(found.length >= wanted.length, `${found.length} < ${wanted.length}`);
  assert.ok(found.subarray(0, wanted.length).equals(wanted), "contents differ");
  assert.ok(
    found.subarray(wanted.length).every((byte) => byte === 0),
    "the rest is not zero",
  );
  let gapStart = 0;
  for (const { startBytes, endBytes } of [...b.extents(), endOf(b)]) {
    assert.ok(isZero(found.subarray(gapStart, startBytes)), "data outside of the extents");
    gapStart = endBytes;
  }
}

function endOf({ sizeBytes }: DiskImage): Extent {
  return { startBytes: sizeBytes, endBytes: sizeBytes };
}

function isZero(bytes: Buffer): boolean {
  return bytes.equals(Buffer.alloc(bytes.length));
}

/** Writes a disk to a file. */
export function writeDisk(
  format: DiskFormat,
  disk: DiskImage,
  path: string,
  options: WriteOptions = {},
): Promise<number> {
  return writeWhole(path, undefined, (output) => format.write(disk, output, options));
}
