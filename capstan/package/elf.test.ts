import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { withScratch } from "../image/erofs/testing.ts";
import { readElf } from "./elf.ts";
import { ElfError, type ElfErrorCode } from "./elf-error.ts";
import { makeElf } from "./elf-fixtures.ts";

/** Writes bytes to a file and reads it as ELF. */
async function reading<Result>(
  bytes: Uint8Array,
  use: (read: () => ReturnType<typeof readElf>) => Result,
): Promise<Result> {
  let result: Result | undefined;
  await withScratch(async (scratch) => {
    const path = join(scratch, "file");
    writeFileSync(path, bytes);
    result = use(() => readElf(path));
  });
  assert.ok(result !== undefined);
  return result;
}

test("names, run paths, loader and linkage are read", async () => {
  const bytes = makeElf({
    interpreter: "/lib64/ld-linux-x86-64.so.2",
    needed: ["liba.so.1", "libc.so.6"],
    rpath: "/old",
    runpath: "$ORIGIN/lib:/opt/lib",
    flags1: 0x0800_0000n,
  });
  const elf = await reading(bytes, (read) => read());
  assert.equal(elf.interpreter, "/lib64/ld-linux-x86-64.so.2");
  assert.deepEqual(elf.needed, ["liba.so.1", "libc.so.6"]);
  assert.deepEqual(elf.rpath, ["/old"]);
  assert.deepEqual(elf.runpath, ["$ORIGIN/lib", "/opt/lib"]);
  assert.equal(elf.linkage, "dynamic-pie");
});

test("all kinds of linkage are told apart", async () => {
  const interpreter = "/lib64/ld-linux-x86-64.so.2";
  for (const [fixture, linkage] of [
    [{ type: 2 }, "static"],
    [{ type: 2, interpreter }, "dynamic"],
    [{ flags1: 0x0800_0000n }, "static-pie"],
    [{ interpreter }, "dynamic-pie"],
    [{ soname: "libx.so.1" }, "library"],
    [{ soname: "libc.so.6", interpreter }, "library"],
  ] as const) {
    assert.equal((await reading(makeElf(fixture), (read) => read())).linkage, linkage);
  }
});

test("each kind of unusable file has its own error", async () => {
  const good = makeElf({ needed: ["libc.so.6"] });
  const badOffset = Buffer.from(good);
  badOffset.writeBigUInt64LE(2n ** 60n, 32);
  const noSegments = Buffer.from(good);
  noSegments.writeUInt16LE(0, 56);
  const cases: [Uint8Array, ElfErrorCode, RegExp][] = [
    [Buffer.from("just text"), "NotElf", /not an ELF file/],
    [new Uint8Array(0), "NotElf", /empty/],
    [good.subarray(0, 40), "Truncated", /only 40 bytes/],
    [good.subarray(0, 100), "Truncated", /program header table/],
    [good.subarray(0, good.length - 1), "Truncated", /segment/],
    [makeElf({ machine: 183 }), "WrongMachine", /AArch64/],
    [makeElf({ machine: 183 }).subarray(0, 52), "WrongMachine", /AArch64/],
    [makeElf({ type: 1 }), "NotExecutable", /object file/],
    [makeElf({ type: 4 }), "NotExecutable", /core dump/],
    [badOffset, "Malformed", /offset/],
    [noSegments, "Malformed", /no program headers/],
  ];
  for (const [bytes, code, why] of cases) {
    await reading(bytes, (read) => {
      assert.throws(read, (error) => {
        assert.ok(error instanceof ElfError, String(error));
        assert.equal(error.elfCode, code);
        assert.match(error.why, why);
        assert.equal(error.exitStatus, 126);
        return true;
      });
      return true;
    });
  }
});

test("damaged and truncated files end in an ElfError or are read, nothing else", async () => {
  const real = readFileSync(process.execPath).subarray(0, 65536);
  const made = makeElf({
    interpreter: "/lib64/ld-linux-x86-64.so.2",
    needed: ["liba.so", "libb.so"],
    runpath: "/x:/y",
  });
  await withScratch(async (scratch) => {
    const path = join(scratch, "file");
    const edits = fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 12 });
    const inputs = fc.tuple(fc.constantFrom(real, made), edits, fc.nat(3000));
    fc.assert(
      fc.property(inputs, ([original, changes, removed]) => {
        const bytes = Buffer.from(original.subarray(0, Math.max(0, original.length - removed)));
        for (const [offset, value] of changes) {
          if (offset < bytes.length) bytes.writeUInt8(value, offset);
        }
        writeFileSync(path, bytes);
        try {
          readElf(path);
        } catch (error) {
          assert.ok(error instanceof ElfError, String(error));
        }
      }),
      { numRuns: 1500 },
    );
  });
});

test("this machine's Node is a program that can be read", () => {
  const elf = readElf(process.execPath);
  assert.ok(elf.needed.includes("libc.so.6") || elf.interpreter === undefined);
});
