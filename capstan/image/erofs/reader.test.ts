import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { FsTree, neutralAttributes } from "../tree.ts";
import { ErofsFormatError } from "./decode.ts";
import { ErofsImage } from "./reader.ts";
import { withScratch } from "./testing.ts";
import { writeErofs } from "./writer.ts";

async function sample(path: string): Promise<Buffer> {
  const tree = new FsTree();
  for (const name of ["/a", "/b/c", "/b/d"]) {
    const bytes = Buffer.from(name.repeat(3000));
    const content = { from: "bytes", bytes } as const;
    tree.set(name, { kind: "file", attributes: neutralAttributes(0o644), content });
  }
  await writeErofs(tree, path);
  return readFileSync(path);
}

function readEverything(path: string): void {
  const image = new ErofsImage(path);
  try {
    const seen = new Set<number>();
    const pending = [image.root().nid];
    for (const nid of pending) {
      const inode = image.inode(nid);
      image.read(inode, 0, inode.sizeBytes);
      if (inode.kind !== "directory" || seen.has(nid)) continue;
      seen.add(nid);
      for (const entry of image.entries(inode)) {
        if (entry.name !== "." && entry.name !== "..") pending.push(entry.nid);
      }
    }
  } finally {
    image.close();
  }
}

test("a damaged superblock is noticed by its checksum", () =>
  withScratch(async (scratch) => {
    const path = join(scratch, "image");
    const good = await sample(path);
    readEverything(path);
    for (const offset of [1024, 1036, 1038, 1060, 1100, 1200]) {
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(offset) ^ 0x55, offset);
      writeFileSync(path, bad);
      assert.throws(() => new ErofsImage(path), ErofsFormatError, `byte ${offset}`);
    }
  }));

test("a truncated image is refused", () =>
  withScratch(async (scratch) => {
    const path = join(scratch, "image");
    const good = await sample(path);
    for (const length of [0, 1000, 4096, good.length - 1]) {
      writeFileSync(path, good.subarray(0, length));
      assert.throws(() => new ErofsImage(path), ErofsFormatError);
    }
  }));

test("damage behind block 0 is an ErofsFormatError or goes unnoticed, never another error", () =>
  withScratch(async (scratch) => {
    const path = join(scratch, "image");
    const good = await sample(path);
    const edits = fc.array(fc.tuple(fc.nat(good.length - 4097), fc.nat(255)), { minLength: 1 });
    fc.assert(
      fc.property(edits, (changes) => {
        const bad = Buffer.from(good);
        for (const [offset, value] of changes) bad.writeUInt8(value, 4096 + offset);
        writeFileSync(path, bad);
        try {
          readEverything(path);
        } catch (error) {
          assert.ok(error instanceof ErofsFormatError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  }));

test("other paths than those in the image are not found", () =>
  withScratch(async (scratch) => {
    const path = join(scratch, "image");
    await sample(path);
    const image = new ErofsImage(path);
    assert.equal(image.lookup("/b/c")?.kind, "file");
    assert.equal(image.lookup("/b/x"), undefined);
    assert.equal(image.lookup("/a/x"), undefined);
    image.close();
  }));
