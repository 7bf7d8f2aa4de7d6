/**
 * C text for small inputs, compared with files in `testdata/golden`. After a deliberate change:
 * `UPDATE_GOLDEN=1 node --import tsx --test compiler/backend/emit.test.ts`, and read the difference.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { compileToWasm, REPOSITORY } from "../frontend.ts";
import { assemble } from "../testing/native-run.ts";
import { readModule } from "../wasm/module.ts";
import { BackendError } from "./context.ts";
import { emitC } from "./emit.ts";

const GOLDEN = "compiler/testdata/golden";

async function emit(entry: string, lines: boolean): Promise<string> {
  const { wasm, sourceMap } = await compileToWasm({
    entries: [entry],
    layout: "native",
    heap: "compiler/testdata/bumpheap",
    exportStart: "moduleInit",
  });
  const { files } = emitC(readModule(wasm), sourceMap, { allowFloats: false, lines, parts: 1 });
  return files.get("part0.c") ?? "";
}

for (const name of ["arithmetic", "control", "objects"]) {
  test(`golden C: ${name}`, async () => {
    const text = await emit(`${GOLDEN}/${name}.ts`, false);
    const file = path.join(REPOSITORY, GOLDEN, `${name}.c`);
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, text);
    assert.equal(text, readFileSync(file, "utf8"));
  });
}

test("the same input gives the same C", async () => {
  const entry = `${GOLDEN}/objects.ts`;
  assert.equal(await emit(entry, true), await emit(entry, true));
});

const native = { allowFloats: false, lines: false };

test("default values that are no literals are refused, with the function", async () => {
  const { wasm, sourceMap } = await compileToWasm({
    entries: ["compiler/testdata/defaults.ts"],
    layout: "native",
    heap: "compiler/testdata/bumpheap",
  });
  assert.throws(
    () => emitC(readModule(wasm), sourceMap, native),
    /^CompileError: compiler\/testdata\/defaults\.ts:1:1: error: a parameter of .*defaults\/withGlobal has a default/,
  );
});

test("floating point is refused with the function and its line", async () => {
  const { wasm, sourceMap } = await compileToWasm({
    entries: ["compiler/testdata/floats.ts"],
    layout: "native",
    heap: "compiler/testdata/bumpheap",
  });
  assert.throws(
    () => emitC(readModule(wasm), sourceMap, native),
    (error: unknown) =>
      error instanceof BackendError &&
      /testdata\/floats\/half \(compiler\/testdata\/floats\.ts:4\) uses floating/.test(
        error.message,
      ),
  );
});

const importing = (from: string, name: string): string =>
  `(module (import "${from}" "${name}" (func $f)) (func (export "run") (call $f)))`;

test("imports without a native meaning are refused", async () => {
  const message = async (wat: string): Promise<RegExp | string> => {
    const wasm = await assemble(wat);
    try {
      emitC(readModule(wasm), null, native);
    } catch (error) {
      if (error instanceof BackendError) return error.message;
      throw error;
    }
    return "no error";
  };
  assert.match(String(await message(importing("hw", "frobnicate"))), /add hw_frobnicate to/);
  assert.match(String(await message(importing("hw", "inb"))), /0 parameters in hw\.ts and 1/);
  assert.match(String(await message(importing("math", "sine"))), /only hw\.ts .* asm\.ts/);
  assert.match(String(await message(importing("env", "abort"))), /export one with the signature/);
  assert.match(String(await message(importing("sym", "here"))), /\(\): usize/);
});

test("memory.grow is refused", async () => {
  const wasm = await assemble(
    `(module (memory i64 1) (func (export "run") (drop (memory.grow (i64.const 1)))))`,
  );
  assert.throws(
    () => emitC(readModule(wasm), null, native),
    /memory\.grow, which has no native counterpart/,
  );
});
