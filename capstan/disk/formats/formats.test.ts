/** What holds for every format: what was written is read back, the same bytes each time. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "../../errors.ts";
import { withScratch } from "../../image/erofs/testing.ts";
import { diskFormats, openDisk } from "../formats.ts";
import { PartsDisk } from "../parts-disk.ts";
import { assertSameContents, sparseDisks, writeDisk } from "../testing.ts";

for (const format of diskFormats) {
  test(`${format.name}: random sparse disks are read back`, () =>
    withScratch(async (scratch) => {
      const path = join(scratch, "disk");
      await fc.assert(
        fc.asyncProperty(sparseDisks, async (disk) => {
          const size = await writeDisk(format, disk, path);
          assert.equal(readFileSync(path).length, size);
          const opened = format.open(path);
          try {
            assertSameContents(opened, disk);
          } finally {
            opened.close();
          }
        }),
        { numRuns: 60 },
      );
    }));

  test(`${format.name}: a file that was cut off is damaged, not misread`, () =>
    withScratch(async (scratch) => {
      const path = join(scratch, "disk");
      const data = Buffer.alloc(300_000, 7);
      data.writeUInt16LE(0xaa55, 510);
      const disk = new PartsDisk(1 << 20, [{ offsetBytes: 0, content: data }]);
      const size = await writeDisk(format, disk, path);
      const whole = readFileSync(path);
      for (const kept of [0, 100, 511, 5000, size >> 1, size - 600]) {
        writeFileSync(path, whole);
        truncateSync(path, kept);
        if (format.name === "raw" && kept >= 512) continue;
        assert.throws(
          () => {
            const { disk: opened } = openDisk(path);
            try {
              assertSameContents(opened, disk);
            } finally {
              opened.close();
            }
          },
          (error) => error instanceof Error && !(error instanceof TypeError),
          `${kept} of ${size} bytes`,
        );
      }
    }));
}

test("a file of no format is an error that lists the formats", () =>
  withScratch(async (scratch) => {
    const path = join(scratch, "text");
    writeFileSync(path, "hello\n".repeat(1000));
    assert.throws(
      () => openDisk(path),
      (error) => error instanceof UserError && error.code === "UnknownImage",
    );
    assert.throws(
      () => openDisk(join(scratch, "absent")),
      (error) => error instanceof UserError && error.code === "ImageNotFound",
    );
    assert.deepEqual(readdirSync(scratch), ["text"]);
  }));
