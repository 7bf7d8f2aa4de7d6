import assert from "node:assert/strict";
import { test } from "node:test";
import { closingLine, noTests, sum } from "./counts.ts";

test("the closing line names skipped tests only when there are some", () => {
  assert.equal(closingLine({ ...noTests, passed: 3 }), "3 passed, 0 failed");
  assert.equal(closingLine({ ...noTests, failed: 1, skipped: 2 }), "0 passed, 1 failed, 2 skipped");
});

test("sums add up every number and keep every failure", () => {
  const one = { passed: 1, failed: 1, skipped: 0, failures: ["a"] };
  const two = { passed: 2, failed: 1, skipped: 4, failures: ["b"] };
  assert.deepEqual(sum([one, two]), { passed: 3, failed: 2, skipped: 4, failures: ["a", "b"] });
  assert.deepEqual(sum([]), noTests);
});
