import assert from "node:assert/strict";
import test from "node:test";
import { crc32c } from "./crc32c.ts";

/** The published check values include the final inversion. */
function published(bytes: Uint8Array): number {
  return (crc32c(0xffff_ffff, bytes) ^ 0xffff_ffff) >>> 0;
}

test("CRC-32C of the test vectors in RFC 3720, B.4", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);
  assert.equal(published(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(published(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(published(ascending), 0x46dd794e);
  assert.equal(published(ascending.toReversed()), 0x113fdb5c);
  assert.equal(published(Buffer.from("123456789")), 0xe3069283);
});

test("a CRC can be continued piece by piece", () => {
  const whole = Buffer.from("a longer text");
  const half = crc32c(0xffff_ffff, whole.subarray(0, 5));
  assert.equal(crc32c(half, whole.subarray(5)), crc32c(0xffff_ffff, whole));
});
