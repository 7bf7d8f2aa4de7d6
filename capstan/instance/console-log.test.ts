import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { withScratch } from "../image/erofs/testing.ts";
import { ConsoleLog, lastLines, readLog } from "./console-log.ts";

test("the last lines are those that tail prints", () => {
  const tail = (text: string, count: number) => lastLines(Buffer.from(text), count).toString();
  assert.equal(tail("a\nb\nc\n", 2), "b\nc\n");
  assert.equal(tail("a\nb\nc", 2), "b\nc");
  assert.equal(tail("\n\n\n", 2), "\n\n");
  assert.equal(tail("a\n", 5), "a\n");
  assert.equal(tail("a\n", 0), "");
  assert.equal(tail("", 3), "");
});

test("lines taken one by one are the whole text", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-c]{0,3}$/)), (lines) => {
      const text = lines.map((line) => `${line}\n`).join("");
      for (let count = 0; count <= lines.length; count += 1) {
        const expected = lines.slice(lines.length - count).map((line) => `${line}\n`);
        assert.equal(lastLines(Buffer.from(text), count).toString(), expected.join(""));
      }
    }),
  );
});

test("a log keeps the newest output within its limit", () =>
  withScratch(async (folder) => {
    const log = new ConsoleLog(folder, 10);
    for (let number = 0; number < 100; number += 1) log.write(Buffer.from(`${number}\n`));
    assert.equal(readLog(folder).length, log.sizeBytes);
    log.close();
    const text = readLog(folder).toString();
    assert.ok(text.endsWith("98\n99\n"), text);
    assert.ok(text.length <= 24, text);
  }));
