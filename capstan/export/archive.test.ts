/** Archives of single and of sparse files: GNU tar unpacks what is written, whatever it is. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { withScratch } from "../image/erofs/testing.ts";
import { archiveEnd, blockBytes, fileHeader, filePadding, sparseFileHeader } from "./archive.ts";

/** Pieces of data with holes between: up to a hundred, so that the map needs several blocks. */
const sparseFiles = fc.record({
  pieces: fc.array(
    fc.record({ holeBlocks: fc.nat(20), dataBlocks: fc.integer({ min: 1, max: 8 }) }),
    { maxLength: 100 },
  ),
  endBlocks: fc.nat(2000),
});

test("a sparse file has its data and its holes", () =>
  withScratch(async (scratch) => {
    fc.assert(
      fc.property(sparseFiles, ({ pieces, endBlocks }) => {
        const extents: { startBytes: number; endBytes: number }[] = [];
        const data: Buffer[] = [];
        let at = 0;
        for (const [index, { holeBlocks, dataBlocks }] of pieces.entries()) {
          const startBytes = at + holeBlocks * blockBytes;
          at = startBytes + dataBlocks * blockBytes;
          extents.push({ startBytes, endBytes: at });
          data.push(Buffer.alloc(at - startBytes, index + 1));
        }
        const wanted = Buffer.alloc(at + endBlocks * blockBytes);
        for (const [index, { startBytes }] of extents.entries()) {
          data[index]?.copy(wanted, startBytes);
        }
        const header = sparseFileHeader("disk", wanted.length, extents);
        const path = join(scratch, "x.tar");
        writeFileSync(path, Buffer.concat([header, ...data, archiveEnd()]));
        execFileSync("tar", ["-C", scratch, "-xf", path]);
        assert.ok(readFileSync(join(scratch, "disk")).equals(wanted));
      }),
      { numRuns: 40 },
    );
    const far = 2 ** 40;
    const whole = Buffer.concat([sparseFileHeader("far", far, []), archiveEnd()]);
    writeFileSync(join(scratch, "x.tar"), whole);
    execFileSync("tar", ["-C", scratch, "-xf", join(scratch, "x.tar")]);
    assert.equal(statSync(join(scratch, "far")).size, far);
  }));

const files = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^[\w-]{1,90}$/),
    bytes: fc.uint8Array({ maxLength: 2000 }),
  }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 5 },
);

test("files of any size follow each other", () =>
  withScratch(async (scratch) => {
    fc.assert(
      fc.property(files, (list) => {
        const path = join(scratch, "x.tar");
        const parts = list.flatMap(({ name, bytes }) => {
          return [fileHeader(name, bytes.length), bytes, filePadding(bytes.length)];
        });
        writeFileSync(path, Buffer.concat([...parts, archiveEnd()]));
        const listed = execFileSync("tar", ["-tf", path], { encoding: "utf8" }).trim().split("\n");
        assert.deepEqual(
          listed,
          list.map(({ name }) => name),
        );
        for (const { name, bytes } of list) {
          const found = execFileSync("tar", ["-xOf", path, "--", name]);
          assert.ok(found.equals(bytes), name);
        }
      }),
      { numRuns: 10 },
    );
  }));
