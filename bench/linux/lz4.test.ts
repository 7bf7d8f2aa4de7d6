import assert from "node:assert/strict";
import { test } from "node:test";
import { decompressLegacyLz4, isLegacyLz4 } from "./lz4.ts";

/** A frame of one block. */
function frame(...block: number[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184c2102, 0);
  head.writeUInt32LE(block.length, 4);
  return Buffer.concat([head, Buffer.from(block)]);
}

const [a, b, c] = [0x61, 0x62, 0x63];

test("literals", () => {
  assert.equal(decompressLegacyLz4(frame(0x30, a, b, c), 3).toString(), "abc");
});

test("a match that overlaps itself repeats a pattern", () => {
  // Two literals, then six bytes from two bytes back, then one literal.
  const bytes = frame(0x22, a, b, 2, 0, 0x10, c);
  assert.equal(decompressLegacyLz4(bytes, 9).toString(), "abababab" + "c");
});

test("lengths beyond 15 are continued in further bytes", () => {
  const literals = Array.from({ length: 15 + 255 + 3 }, (_, index) => index & 0xff);
  const bytes = frame(0xf0, 255, 3, ...literals);
  assert.deepEqual([...decompressLegacyLz4(bytes, literals.length)], literals);
  const long = frame(0x1f, a, 1, 0, 10, 0x10, b);
  assert.equal(decompressLegacyLz4(long, 31).toString(), `${"a".repeat(30)}b`);
});

test("damage is noticed", () => {
  assert.throws(() => decompressLegacyLz4(frame(0x30, a), 3));
  assert.throws(() => decompressLegacyLz4(frame(0x12, a, 9, 0, 0x10, b), 8), /outside/);
  assert.throws(() => decompressLegacyLz4(frame(0x10, a), 5), /instead of 5/);
  assert.equal(isLegacyLz4(Buffer.from("abcdef")), false);
});
