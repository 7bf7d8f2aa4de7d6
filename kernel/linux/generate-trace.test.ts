/** The trace generator: how arguments are shown, and that what is committed is up to date. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { REPOSITORY } from "../../compiler/frontend.ts";
import { kindOf, kinds, traceSource } from "./generate-trace.ts";
import { syscalls } from "./syscall-table.ts";
import { nameSets, setOfArgument } from "./trace-names.ts";

test("arguments are shown by name, type and call", () => {
  assert.equal(kindOf("openat", "directoryFd", "i32"), kinds.directoryFd);
  assert.equal(kindOf("openat", "path", "ptr"), kinds.path);
  assert.equal(kindOf("openat", "mode", "u32"), kinds.octal);
  assert.equal(kindOf("read", "buffer", "ptr"), kinds.bytesOut);
  assert.equal(kindOf("write", "buffer", "ptr"), kinds.bytesIn);
  assert.equal(kindOf("fstat", "buffer", "ptr"), kinds.pointer);
  assert.equal(kindOf("pipe2", "fds", "ptr"), kinds.pairOut);
  assert.equal(kindOf("poll", "fds", "ptr"), kinds.pointer);
  assert.ok(kindOf("mmap", "flags", "u32") >= 32);
});

test("every set is used, fits its encoding, and has numbers that the kernel can read", () => {
  const used = new Set(
    syscalls.flatMap(({ name, args }) =>
      args.split(" ").map((word) => setOfArgument(name, word.split(":")[0] ?? "")),
    ),
  );
  assert.ok(nameSets.length <= 96);
  for (const { name, names } of nameSets) {
    assert.ok(used.has(name), `no argument of the table uses the set ${name}`);
    for (const [word, value] of Object.entries(names)) {
      assert.ok(/^[A-Z_0-9|]+$/.test(word) && Number.isSafeInteger(value) && value >= 0, word);
    }
  }
});

test("trace.gen.ts matches the table", () => {
  const text = readFileSync(path.join(REPOSITORY, "kernel/linux/trace.gen.ts"), "utf8");
  const advice = "run: node --import tsx kernel/linux/generate-dispatch.ts, and commit the result";
  assert.equal(text, traceSource(syscalls), advice);
});
