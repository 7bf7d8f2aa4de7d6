import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runNodeTests } from "./node-tests.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
mkdirSync(join(root, "build"), { recursive: true });
const folder = mkdtempSync(join(root, "build/runner-test-"));
after(() => rmSync(folder, { recursive: true }));

async function runFile(name: string, text: string) {
  const file = join(folder, name);
  writeFileSync(file, text);
  let printed = "";
  const counts = await runNodeTests([file], {
    concurrency: 1,
    timeoutMs: 60_000,
    root,
    print: (line) => {
      printed += line;
    },
  });
  return { counts, printed };
}

test("passes, failures, skips and nested tests are counted; suites are not", async () => {
  const { counts } = await runFile(
    "mixed.test.mjs",
    `import { describe, it, test } from "node:test";
     test("good", () => {});
     test("bad", () => { throw new Error("boom"); });
     test("skipped", { skip: true }, () => {});
     describe("suite", () => { it("inner", () => {}); });`,
  );
  assert.deepEqual([counts.passed, counts.failed, counts.skipped], [2, 1, 1]);
});

test("a file without tests fails", async () => {
  const { counts, printed } = await runFile("empty.test.mjs", "process.stdout.write('nothing');");
  assert.deepEqual([counts.passed, counts.failed], [0, 1]);
  assert.match(printed, /ran no test/);
});

test("a file that dies fails and its output is shown", async () => {
  const { counts, printed } = await runFile(
    "dies.test.mjs",
    "process.stderr.write('last words'); process.exit(3);",
  );
  assert.deepEqual([counts.passed, counts.failed], [0, 1]);
  assert.match(printed, /last words/);
});

test("a failure tells what caused it, also in the list at the end", async () => {
  const { counts, printed } = await runFile(
    "causes.test.mjs",
    `import { test } from "node:test";
     test("calls", () => { throw new Error("no answer", { cause: new Error("line cut") }); });`,
  );
  for (const said of [printed, counts.failures.join("\n")]) {
    assert.match(said, /calls\n +Error: no answer[\s\S]+\[cause\]: Error: line cut/);
  }
});
