/** Reader of WebAssembly binaries and source maps: round trips, and damaged input. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assemble } from "../testing/native-run.ts";
import { readBody } from "./code.ts";
import { Cursor, WasmFormatError } from "./cursor.ts";
import { readModule, typeOfFunction } from "./module.ts";
import { SourceMap } from "./source-map.ts";

function encodeLeb(value: bigint, signed: boolean): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    const isLast = signed ? rest === (byte & 0x40 ? -1n : 0n) : rest === 0n;
    bytes.push(isLast ? byte : byte | 0x80);
    if (isLast) return Uint8Array.from(bytes);
  }
}

test("LEB128 numbers are read as they were written", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << 64n) - 1n), fc.nat(64), (wide, shift) => {
      const unsigned = wide >> BigInt(shift % 64);
      assert.equal(new Cursor(encodeLeb(unsigned, false)).u64(), unsigned);
      const signed = BigInt.asIntN(64, wide) >> BigInt(shift % 64);
      assert.equal(new Cursor(encodeLeb(signed, true)).s64(), signed);
      const low = Number(BigInt.asUintN(32, unsigned));
      assert.equal(new Cursor(encodeLeb(BigInt(low), false)).u32(), low);
      assert.equal(new Cursor(encodeLeb(BigInt(low | 0), true)).s32(), low | 0);
    }),
  );
});

const SAMPLE = `(module
  (import "hw" "inb" (func $inb (param i32) (result i32)))
  (memory i64 1)
  (table 3 funcref)
  (elem (i32.const 1) $double)
  (global $count (mut i32) (i32.const -5))
  (global $limit i64 (i64.const 0xffffffff80100000))
  (data (i64.const -0x7ff00000) "hello")
  (func $double (param $x i32) (result i32) (local $y i64)
    (global.set $count (i32.add (global.get $count) (call $inb (local.get $x))))
    (i32.mul (local.get $x) (i32.const 2)))
  (func (export "run") (result i64)
    (block $done (br_table $done 0 $done (i32.const 1)))
    (i64.load offset=0x100000000 (global.get $limit))))`;

test("a module is read completely", async () => {
  const module = readModule(await assemble(SAMPLE));
  assert.deepEqual(
    module.imports.map(({ module: from, name }) => `${from}.${name}`),
    ["hw.inb"],
  );
  assert.deepEqual(module.elements, [{ offset: 1, functions: [1] }]);
  assert.equal(module.tableSize, 3);
  assert.deepEqual(
    module.globals.map((global) => global.initial),
    [{ constant: -5n }, { constant: -0x7ff00000n }],
  );
  assert.equal(module.data[0]?.address, 0xffffffff80100000n);
  assert.equal(Buffer.from(module.data[0]?.bytes ?? []).toString(), "hello");
  assert.deepEqual(module.exports, [{ name: "run", index: 2 }]);
  assert.deepEqual(typeOfFunction(module, 1), { parameters: ["i32"], result: "i32" });
  const [double, run] = module.functions.map(({ start, end }) =>
    readBody(module.bytes, start, end),
  );
  assert.deepEqual(double?.locals, ["i64"]);
  const load = run?.instructions.find(({ opcode }) => opcode.name === "i64.load");
  assert.equal(load?.value, 0x100000000n);
  const table = run?.instructions.find(({ opcode }) => opcode.name === "br_table");
  assert.deepEqual(table?.labels, [0, 0, 0]);
});

test("damaged modules give an error, never a hang or a crash", async () => {
  const good = await assemble(SAMPLE);
  const read = (bytes: Uint8Array): void => {
    try {
      const module = readModule(bytes);
      for (const { start, end } of module.functions) readBody(bytes, start, end);
    } catch (error) {
      const isExpected =
        error instanceof WasmFormatError ||
        (error instanceof TypeError && /encoded data was not valid/.test(error.message));
      assert.ok(isExpected, String(error));
    }
  };
  for (let length = 8; length < good.length; length++) read(good.slice(0, length));
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
      const bytes = good.slice();
      bytes[at] = byte;
      read(bytes);
    }),
    { numRuns: 2000 },
  );
});

test("an unknown instruction is named", async () => {
  const module = readModule(await assemble(`(module (func (export "f") (nop)))`));
  const { start = 0, end = 0 } = module.functions[0] ?? {};
  const bytes = module.bytes.slice();
  bytes[start + 1] = 0xd0; // ref.null
  assert.throws(() => readBody(bytes, start, end), /instruction 0xd0 is not supported/);
});

test("source maps give the place of each offset", () => {
  // Columns 4, 10 and 20 of one generated line; the third segment has no source.
  const map = new SourceMap(
    JSON.stringify({ version: 3, sources: ["a.ts", "b.ts"], names: [], mappings: "IAEA,MCqBE,U" }),
  );
  assert.equal(map.find(3), null);
  assert.deepEqual(map.find(4), { file: "a.ts", line: 3 });
  assert.deepEqual(map.find(9), { file: "a.ts", line: 3 });
  assert.deepEqual(map.find(10), { file: "b.ts", line: 24 });
  assert.equal(map.find(20), null);
  assert.throws(() => new SourceMap('{"sources":[],"mappings":"A!"}'), SyntaxError);
});
