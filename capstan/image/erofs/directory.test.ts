import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { arrangeDirectory, decodeDirectoryBlock, encodeDirectoryBlock } from "./directory.ts";

const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,40}$/), { minLength: 1, maxLength: 400 });

test("entries come back in order, whatever the number of blocks", () => {
  fc.assert(
    fc.property(names, fc.nat(20), (list, wantedBlocks) => {
      const entries = list.map((name, target) => ({ name: Buffer.from(name), target }));
      const { blocks, sizeBytes } = arrangeDirectory(entries, wantedBlocks * 4096);
      const decoded = blocks.flatMap((block) => {
        const bytes = encodeDirectoryBlock(block, (nid) => ({ nid, direntType: 1 }));
        assert.ok(bytes.length <= 4096);
        return decodeDirectoryBlock(bytes);
      });
      assert.deepEqual(
        decoded.map(({ name }) => name),
        [...list].sort(),
      );
      for (const { name, nid } of decoded) assert.equal(list[nid], name);
      assert.equal(Math.ceil(sizeBytes / 4096), blocks.length);
    }),
  );
});

test("a wanted size is kept if there are enough entries for it", () => {
  const entries = Array.from({ length: 10 }, (_, target) => ({
    name: Buffer.from(`name-${target}`),
    target,
  }));
  assert.equal(arrangeDirectory(entries).blocks.length, 1);
  assert.equal(arrangeDirectory(entries, 4096).blocks.length, 1);
  assert.equal(arrangeDirectory(entries, 5 * 4096).blocks.length, 5);
  assert.equal(arrangeDirectory(entries, 11 * 4096).blocks.length, 1);
});
