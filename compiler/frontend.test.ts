/** The front end: messages, static data in the upper half, and what we mend in the library. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { NATIVE_DATA_BASE } from "./binaryen-patches.ts";
import { CompileError } from "./diagnostics.ts";
import { compileToWasm, type FrontendResult } from "./frontend.ts";
import { loadKernelModule } from "./testing.ts";
import { readModule } from "./wasm/module.ts";

const folder = mkdtempSync(path.join(tmpdir(), "osv-frontend-"));
after(() => rmSync(folder, { recursive: true }));

function compile(files: Record<string, string>): Promise<FrontendResult> {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  const entries = Object.keys(files).slice(0, 1);
  return compileToWasm({
    entries,
    baseDir: folder,
    layout: "native",
    heap: "compiler/testdata/bumpheap",
  });
}

async function errorOf(files: Record<string, string>): Promise<string> {
  try {
    await compile(files);
  } catch (error) {
    if (error instanceof CompileError) return error.message;
    throw error;
  }
  return "no error";
}

test("errors name file, line and column", async () => {
  assert.match(
    await errorOf({ "a.ts": "export function f(text: string): i32 {\n  return text;\n}\n" }),
    /^a\.ts:2:10: error: Type '~lib\/string\/String' is not assignable to type 'i32'/,
  );
  assert.match(await errorOf({ "a.ts": "export const = 3;" }), /^a\.ts:1:\d+: error: /);
  assert.match(
    await errorOf({ "a.ts": 'import { x } from "./gone";\nexport const y = x;' }),
    /gone/,
  );
  await assert.rejects(
    compileToWasm({ entries: ["nosuch.ts"], baseDir: folder, layout: "native" }),
    /nosuch\.ts:1:1: error: no such file/,
  );
});

test("imports are found as file and as folder", async () => {
  const { files } = await compile({
    "a.ts": 'import { b } from "./b";\nexport function f(): i32 { return b; }',
    "b.ts": "export const b: i32 = 3;",
  });
  assert.ok(files.includes("b.ts"));
});

test("static data and the pointers in it are in the upper half", async () => {
  const { wasm } = await compile({
    "a.ts": `class Pair { constructor(public a: string, public b: StaticArray<u8>) {} }
      const texts: StaticArray<string> = ["one", "two"];
      export function get(i: i32): string { return texts[i]; }`,
  });
  const { data } = readModule(wasm);
  assert.ok(data.length > 2);
  for (const { address, bytes } of data) {
    assert.ok(address >= NATIVE_DATA_BASE && address < NATIVE_DATA_BASE + 0x20000n);
    assert.ok(bytes.length > 0);
  }
  // The array holds the addresses of its strings.
  const two = data.find(({ bytes }) => Buffer.from(bytes).includes(Buffer.from("two", "utf16le")));
  const pointer = Buffer.alloc(8);
  pointer.writeBigUInt64LE((two?.address ?? 0n) + 24n);
  const holders = data.filter(({ bytes }) => Buffer.from(bytes).includes(pointer));
  assert.ok(holders.length > 0, "no segment points to the string");
});

test("references of 64 bits: postfix !, as, instanceof, nullable fields", async () => {
  const { exports } = await loadKernelModule<{
    next(which: number): number;
    kind(which: number): number;
    cast(which: number): number;
  }>("compiler/testdata/references.ts");
  assert.deepEqual(
    [0, 1, 2].map((i) => exports.kind(i)),
    [1, 2, 0],
  );
  assert.equal(exports.next(0), 22);
  assert.throws(() => exports.next(1), /Unexpected 'null'/);
  assert.equal(exports.cast(1), 22);
  assert.throws(() => exports.cast(0), /invalid downcast/);
  assert.throws(() => exports.cast(2), /null/);
});
