import assert from "node:assert/strict";
import test from "node:test";
import { resultsIn } from "./results.ts";
import { differences } from "./verdict.ts";

const report = (cases: string): string =>
  `noise <b>\n<testsuites tests="3"><testsuite>${cases}</testsuite></testsuites>\nmore`;

test("a report among other output", () => {
  const results = resultsIn(
    report(
      '<testcase name="test.test_a.A.test_one" status="run"><system-out>&lt;x&gt;</system-out></testcase>' +
        '<testcase name="test.test_a.A.test_two"><skipped>no</skipped></testcase>' +
        '<testcase name="test.test_a.A.test_sub (n=1)"><failure type="x" message="y">z</failure></testcase>' +
        '<testcase name="test.test_a.A.test_sub"></testcase>',
    ),
  );
  assert.deepEqual(
    [...(results ?? [])],
    [
      ["test.test_a.A.test_one", "passed"],
      ["test.test_a.A.test_two", "skipped"],
      ["test.test_a.A.test_sub", "failed"],
    ],
  );
});

test("a run that was cut off has no report", () => {
  assert.equal(resultsIn("test_one ... ok\n<testsuites><testsuite>"), undefined);
});

test("what counts as worse", () => {
  const host = new Map([
    ["same", "passed"],
    ["broken", "passed"],
    ["lost", "passed"],
    ["left out", "passed"],
    ["more", "skipped"],
    ["broken more", "skipped"],
    ["as bad", "failed"],
  ] as const);
  const guest = new Map([
    ["same", "passed"],
    ["broken", "failed"],
    ["left out", "skipped"],
    ["more", "passed"],
    ["broken more", "failed"],
    ["as bad", "failed"],
    ["new", "failed"],
  ] as const);
  const worse = differences(host, guest).map(({ test: name }) => name);
  assert.deepEqual(worse, ["broken", "lost", "left out", "broken more", "new"]);
});
