/** Interpreter lines: what execve(2) documents. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadKernelModule } from "../../compiler/testing.ts";

interface Exports {
  parse(text: bigint, textBytes: bigint): bigint;
  interpreter(): bigint;
  interpreterLength(): bigint;
  argument(): bigint;
  argumentLength(): bigint;
  prepend(strings: bigint, bytes: bigint, argc: number, path: bigint, pathBytes: bigint): bigint;
  strings(): bigint;
  stringsBytes(): bigint;
  argumentCount(): number;
}

const compiled = loadKernelModule<Exports>("kernel/linux/script.testentry.ts", {
  replace: { "kernel/mm/heap": "compiler/runtime/testheap" },
});

async function parse(text: string) {
  const { exports, memory, heap } = (await compiled).fresh();
  const bytes = Buffer.from(text);
  const address = heap.reserve(bytes.length + 1);
  memory.bytes(address, bytes.length).set(bytes);
  const error = exports.parse(address, BigInt(bytes.length));
  if (error !== 0n) return { error: Number(error) };
  const slice = (at: bigint, length: bigint): string =>
    Buffer.from(memory.bytes(at, Number(length))).toString();
  return {
    interpreter: slice(exports.interpreter(), exports.interpreterLength()),
    argument: slice(exports.argument(), exports.argumentLength()),
  };
}

test("interpreter and argument are found", async () => {
  const cases: [string, string, string][] = [
    ["#!/bin/sh\necho\n", "/bin/sh", ""],
    ["#! /bin/sh\n", "/bin/sh", ""],
    ["#!/usr/bin/env python3\n", "/usr/bin/env", "python3"],
    ["#!/usr/bin/env -S perl -w  -T \t\nx", "/usr/bin/env", "-S perl -w  -T"],
    ["#!\t/bin/awk\t-f", "/bin/awk", "-f"],
    ["#!/bin/true", "/bin/true", ""],
  ];
  for (const [text, interpreter, argument] of cases) {
    assert.deepEqual(await parse(text), { interpreter, argument }, JSON.stringify(text));
  }
});

test("a line without an interpreter, or with one cut off, is refused", async () => {
  assert.deepEqual(await parse("#!\n/bin/sh"), { error: -8 });
  assert.deepEqual(await parse("#!   \n"), { error: -8 });
  assert.deepEqual(await parse("#!"), { error: -8 });
  assert.deepEqual(await parse(`#!/${"x".repeat(300)}\n`), { error: -8 });
  const long = `#!/bin/sh ${"y".repeat(300)}\n`;
  assert.deepEqual(await parse(long), { interpreter: "/bin/sh", argument: "y".repeat(246) });
});

test("the interpreter's arguments go in front of the script's", async () => {
  const { exports, memory, heap } = (await compiled).fresh();
  const text = Buffer.from("#!/usr/bin/env -S a\n");
  const line = heap.reserve(text.length);
  memory.bytes(line, text.length).set(text);
  assert.equal(exports.parse(line, BigInt(text.length)), 0n);
  const strings = Buffer.from("name\0one\0HOME=/\0");
  const block = heap.allocate(BigInt(strings.length));
  memory.bytes(block, strings.length).set(strings);
  const path = Buffer.from("/tmp/script\0");
  const pathAt = heap.reserve(path.length);
  memory.bytes(pathAt, path.length).set(path);
  const result = exports.prepend(block, BigInt(strings.length), 2, pathAt, BigInt(path.length));
  assert.equal(result, 0n);
  assert.equal(exports.argumentCount(), 4);
  const after = memory.bytes(exports.strings(), Number(exports.stringsBytes()));
  assert.equal(Buffer.from(after).toString(), "/usr/bin/env\0-S a\0/tmp/script\0one\0HOME=/\0");
});
