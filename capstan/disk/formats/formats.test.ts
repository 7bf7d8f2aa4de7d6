/** What holds for every format: what was written is read back, the same bytes each time. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "../../errors.ts";
import { withScratch } from "../../image/erofs/testing.ts";
import { DiskFormatError } from "../disk-image.ts";
import { diskFormats, openDisk, qcow2Format } from "../formats.ts";
import { PartsDisk } from "../parts-disk.ts";
import { assertSameContents, sparseDisks, writeDisk } from "../testing.ts";

for (const format of diskFormats) {
  test(`${format.name}: random sparse disks are read back`, () =>
    withScratch(async (scratch) => {
      const path = join(scratch, "disk");
      await fc.assert(
        fc.asyncProperty(sparseDisks, async (disk) => {
          const size = await writeDisk(format, disk, path);
          const bytes = readFileSync(path);
          assert.equal(bytes.length, size);
          await writeDisk(format, disk, path);
          assert.ok(readFileSync(path).equals(bytes), "not the same bytes each time");
          const opened = format.open(path);
          try {
            assertSameContents(opened, disk);
          } finally {
            opened.close();
          }
        }),
        { numRuns: 40 },
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
        // What is left of these is a raw disk, which has no end that could be missed.
        if (["raw", "vhd-fixed"].includes(format.name) && kept >= 512) continue;
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

/** Reads what the file claims to hold, as far as that is a few mebibytes. */
function readSome(path: string): void {
  const { disk } = openDisk(path);
  try {
    const bytes = Buffer.alloc(Math.min(disk.sizeBytes, 1 << 21));
    disk.read(bytes, 0);
    for (const { startBytes, endBytes } of disk.extents()) {
      assert.ok(startBytes <= endBytes);
      disk.read(bytes.subarray(0, Math.min(endBytes - startBytes, bytes.length)), startBytes);
    }
  } finally {
    disk.close();
  }
}

for (const format of diskFormats) {
  // What a raw disk holds cannot be wrong.
  if (format.name === "raw") continue;
  test(`${format.name}: a changed file is damaged or goes unnoticed, nothing else`, () =>
    withScratch(async (scratch) => {
      const path = join(scratch, "disk");
      const noise = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7919) >> 5));
      const disk = new PartsDisk(1 << 20, [
        { offsetBytes: 0, content: noise },
        { offsetBytes: 700_000, content: noise },
      ]);
      await writeDisk(format, disk, path);
      const whole = readFileSync(path);
      // Structures stand at both ends and, sparse, in between.
      const used = [...whole.keys()].filter((at) => whole[at] !== 0);
      const place = fc.oneof(
        fc.nat(Math.min(4096, whole.length - 1)),
        fc.integer({ min: Math.max(0, whole.length - 2048), max: whole.length - 1 }),
        fc.nat(used.length - 1).map((index) => used[index] ?? 0),
        fc.nat(whole.length - 1),
      );
      const edits = fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 8 });
      fc.assert(
        fc.property(edits, (changes) => {
          const bad = Buffer.from(whole);
          for (const [at, value] of changes) bad.writeUInt8(value, at);
          writeFileSync(path, bad);
          try {
            readSome(path);
          } catch (error) {
            const isKnown = error instanceof UserError || error instanceof DiskFormatError;
            assert.ok(isKnown, String(error));
          }
        }),
        { numRuns: 150 },
      );
    }));
}

test("qcow2: random disks over random backing disks are read back", () =>
  withScratch(async (scratch) => {
    const [base, over] = [join(scratch, "base"), join(scratch, "over")];
    const cases = fc.tuple(sparseDisks, sparseDisks, fc.constantFrom("raw", "qcow2", "vdi"));
    await fc.assert(
      fc.asyncProperty(cases, async ([below, disk, name]) => {
        const format = diskFormats.find((each) => each.name === name);
        assert.ok(format !== undefined);
        await writeDisk(format, below, base);
        const backing = { disk: below, name: "base", format: format.name };
        await writeDisk(qcow2Format, disk, over, { backing });
        const opened = openDisk(over);
        try {
          assert.equal(opened.format.name, "qcow2");
          assertSameContents(opened.disk, disk);
        } finally {
          opened.disk.close();
        }
      }),
      { numRuns: 40 },
    );
  }));

for (const format of diskFormats) {
  test(`${format.name}: a large disk with little data is small`, () =>
    withScratch(async (scratch) => {
      const path = join(scratch, "disk");
      const positions = [0, 33 * 2 ** 20, 511 * 2 ** 20, 513 * 2 ** 20 - 100, 19 * 2 ** 30];
      const parts = positions.map((offsetBytes, index) => ({
        offsetBytes,
        content: Buffer.alloc(5000, index + 1),
      }));
      const disk = new PartsDisk(20 * 2 ** 30, parts);
      await writeDisk(format, disk, path);
      assert.ok(statSync(path).blocks * 512 < 8 * 2 ** 20);
      const opened = format.open(path);
      try {
        assert.equal(opened.sizeBytes, disk.sizeBytes);
        for (const { offsetBytes, content } of parts) {
          const found = Buffer.alloc(content.length);
          opened.read(found, offsetBytes);
          assert.ok(found.equals(content), `at ${offsetBytes}`);
          opened.read(found, offsetBytes + content.length);
          assert.ok(found.equals(Buffer.alloc(found.length)), `behind ${offsetBytes}`);
        }
      } finally {
        opened.close();
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
