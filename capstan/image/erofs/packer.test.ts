import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { MetadataPacker } from "./packer.ts";

test("nothing overlaps, crosses a block's end or touches what was taken before", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4096 }), { maxLength: 500 }), (sizes) => {
      const packer = new MetadataPacker(1152);
      const taken = new Set<number>();
      for (let slot = 0; slot < 36; slot++) taken.add(slot);
      for (const sizeBytes of sizes) {
        const first = packer.place(sizeBytes);
        const last = first + Math.ceil(sizeBytes / 32) - 1;
        assert.equal(Math.floor(first / 128), Math.floor(last / 128));
        assert.ok(last < packer.blockCount * 128);
        for (let slot = first; slot <= last; slot++) {
          assert.ok(!taken.has(slot), `slot ${slot} twice`);
          taken.add(slot);
        }
      }
    }),
  );
});

test("gaps are filled", () => {
  const packer = new MetadataPacker(1152);
  for (let round = 0; round < 100; round++) packer.place(3000);
  for (let round = 0; round < 100; round++) packer.place(1000);
  assert.ok(packer.blockCount <= 101);
});
