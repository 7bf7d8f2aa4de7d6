/** The search in real programs of this machine, as far as their calls are known beforehand. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readElf } from "../package/elf.ts";
import { LibraryClosure } from "../package/libraries.ts";
import { findCalls } from "./objects.ts";

const scratch = mkdtempSync(join(tmpdir(), "capstan-check-"));
after(() => rmSync(scratch, { recursive: true }));

function search(program: string) {
  const elf = readElf(program);
  const closure = new LibraryClosure(elf, undefined, "/");
  assert.deepEqual(closure.addProgram(), []);
  return searchFiles(program, ...closure.files);
}

function searchFiles(...paths: string[]) {
  return findCalls(new Map(paths.map((path) => [path, { path }])));
}

test("a program makes the calls behind its imports, not all of the C library's", () => {
  const { calls, forking, programs, skipped } = search("/bin/true");
  assert.deepEqual([...programs], ["/bin/true"]);
  const numbers = [...calls.keys()];
  for (const expected of [0, 1, 3, 9]) assert.ok(numbers.includes(expected), `call ${expected}`);
  for (const unexpected of [29, 57, 165, 175]) assert.ok(!numbers.includes(unexpected));
  assert.equal(forking.size, 0);
  assert.deepEqual(skipped, []);
});

test("a shell is found to start processes", () => {
  assert.ok(search("/bin/bash").forking.has("fork"));
});

test("a file without section headers is searched by its segments", () => {
  const elf = readFileSync("/bin/true");
  elf.writeBigUInt64LE(0n, 40);
  elf.writeUInt16LE(0, 60);
  const path = join(scratch, "stripped");
  writeFileSync(path, elf);
  assert.deepEqual(searchFiles(path).skipped, []);
});

test("damaged files are skipped with a reason, whatever is damaged", () => {
  const elf = readFileSync("/bin/true");
  for (let at = 16; at < 64; at += 1) {
    const damaged = Buffer.from(elf);
    damaged[at] = 0xff;
    const path = join(scratch, `damaged-${at}`);
    writeFileSync(path, damaged);
    searchFiles(path);
  }
  assert.equal(readdirSync(scratch).filter((name) => name.startsWith("damaged")).length, 48);
  const path = join(scratch, "text");
  writeFileSync(path, "no program");
  assert.match(searchFiles(path).skipped[0]?.why ?? "", /not an ELF file/);
});
