import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { withScratch } from "../image/erofs/testing.ts";
import { encodeLdCache, lookUpLdCache, parseLdCache } from "./ld-cache.ts";

const cachePath = "/etc/ld.so.cache";
const ldconfig = ["/sbin/ldconfig", "/usr/sbin/ldconfig"].find((path) => existsSync(path));

/** The `name => path` lines of `ldconfig -p`. */
function listing(cache: string): string[] {
  const result = spawnSync(ldconfig ?? "ldconfig", ["-p", "-C", cache], { encoding: "utf8" });
  assert.equal(result.status, 0, result.stderr);
  return result.stdout
    .split("\n")
    .filter((line) => line.includes("=>"))
    .map((line) => line.trim().replace(/ \(.*\)/, ""));
}

const hasCache = existsSync(cachePath) && ldconfig !== undefined;
const skip = hasCache ? false : "this machine has no /etc/ld.so.cache of glibc";

test("this machine's cache is read as ldconfig reads it", { skip }, () => {
  const entries = parseLdCache(readFileSync(cachePath));
  assert.deepEqual(
    entries.map(({ name, path }) => `${name} => ${path}`),
    listing(cachePath),
  );
  assert.ok(lookUpLdCache(entries).get("libc.so.6")?.[0]?.endsWith("/libc.so.6"));
});

test("a reduced cache is accepted by ldconfig", { skip }, () =>
  withScratch(async (scratch) => {
    const all = parseLdCache(readFileSync(cachePath));
    const kept = all.filter((entry, index) => index % 3 === 0 && entry.hardware === 0n);
    const path = join(scratch, "cache");
    writeFileSync(path, encodeLdCache(kept));
    assert.deepEqual(
      listing(path),
      kept.map((entry) => `${entry.name} => ${entry.path}`),
    );
  }),
);

test("what was encoded is read back", () => {
  const entry = fc.record(
    {
      flags: fc.constantFrom(0x0303, 3),
      name: fc.stringMatching(/^lib[a-z]{1,9}\.so\.[0-9]$/),
      path: fc.stringMatching(/^\/[a-z/]{1,20}$/),
      hardware: fc.constant(0n),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      assert.deepEqual(parseLdCache(encodeLdCache(entries)), entries);
    }),
  );
});

test("a damaged cache gives no entries or some, never an error", () => {
  const good = encodeLdCache([{ flags: 0x0303, name: "liba.so", path: "/liba.so", hardware: 0n }]);
  const edits = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)));
  fc.assert(
    fc.property(edits, fc.nat(good.length), (changes, length) => {
      const bad = Buffer.from(good);
      for (const [offset, value] of changes) bad.writeUInt8(value, offset);
      assert.ok(Array.isArray(parseLdCache(bad.subarray(0, length))));
    }),
  );
});
