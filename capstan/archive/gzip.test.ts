import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { gzipMembers } from "./gzip.ts";

async function compressed(pieces: readonly Buffer[]): Promise<Buffer> {
  async function* source() {
    yield* pieces;
  }
  const members: Buffer[] = [];
  for await (const member of gzipMembers(source())) members.push(member);
  return Buffer.concat(members);
}

/** Pieces of up to some mebibytes, filled by a pattern that is seldom the same. */
const manyPieces = fc.array(
  fc
    .record({ sizeBytes: fc.oneof(fc.nat(2000), fc.nat(3_000_000)), step: fc.nat(1000) })
    .map(({ sizeBytes, step }) => {
      const bytes = Buffer.alloc(sizeBytes);
      for (let at = 0; at < sizeBytes; at += 1 + step) bytes[at] = at;
      return bytes;
    }),
  { maxLength: 5 },
);

test("what goes in comes out, and the bytes depend on the contents alone", () =>
  fc.assert(
    fc.asyncProperty(manyPieces, async (pieces) => {
      const whole = Buffer.concat(pieces);
      const file = await compressed(pieces);
      assert.ok(gunzipSync(file).equals(whole));
      assert.ok((await compressed([whole])).equals(file));
    }),
    { numRuns: 20 },
  ));

test("gzip(1) reads files of several members", async () => {
  const bytes = Buffer.alloc(3_000_000, "some contents ");
  const { stdout } = spawnSync("gzip", ["-dc"], {
    input: await compressed([bytes]),
    maxBuffer: 2 ** 24,
  });
  assert.ok(stdout.equals(bytes));
});

test("what the source throws is thrown", () =>
  assert.rejects(async () => {
    async function* source() {
      yield Buffer.alloc(2 ** 21);
      throw new Error("unreadable");
    }
    for await (const member of gzipMembers(source())) assert.ok(member.length > 0);
  }, /unreadable/));
