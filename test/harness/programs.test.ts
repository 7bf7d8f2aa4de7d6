import assert from "node:assert/strict";
import { test } from "node:test";
import { statusOf } from "./compare.ts";
import { runOnHost } from "./process.ts";
import { type ProgramName, testProgram } from "./programs.ts";

const steady: readonly ProgramName[] = ["hello-static", "memory", "threads", "threads-rust"];

for (const name of steady) {
  test(`${name} gives the same output every time on the host`, { timeout: 300_000 }, async () => {
    const argv = [testProgram(name), "argument"];
    const [first, second] = [await runOnHost(argv), await runOnHost(argv)];
    assert.equal(first.stdout.toString("latin1"), second.stdout.toString("latin1"));
    assert.equal(statusOf(first), statusOf(second));
    assert.ok(first.stdout.length > 0);
  });
}

test("memory finds the same on glibc and musl", { timeout: 300_000 }, async () => {
  const glibc = await runOnHost([testProgram("memory")]);
  const musl = await runOnHost([testProgram("memory-musl")]);
  assert.equal(statusOf(glibc), 0);
  assert.equal(glibc.stdout.toString("latin1"), musl.stdout.toString("latin1"));
});
