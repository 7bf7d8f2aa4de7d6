import assert from "node:assert/strict";
import { test } from "node:test";
import { median, ratio } from "./statistics.ts";
import { formatNumber, formatTable, type ResultRow } from "./table.ts";

test("medians", () => {
  assert.equal(median([]), null);
  assert.equal(median([3]), 3);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test("a ratio above 1 means that we are better, whatever the direction", () => {
  assert.equal(ratio(100, 50, "lower"), 2);
  assert.equal(ratio(100, 50, "higher"), 0.5);
  assert.equal(ratio(null, 50, "lower"), null);
  assert.equal(ratio(100, 0, "lower"), null);
});

test("numbers have three significant digits", () => {
  const shown = [1234.5, 123.4, 12.34, 1.234, 0.1234, 0.00001, 0, null].map(formatNumber);
  assert.deepEqual(shown, ["1235", "123", "12.3", "1.23", "0.123", "0.000010", "0.00", "–"]);
});

test("the table is Markdown with medians, ratios and the reasons for gaps", () => {
  const rows: ResultRow[] = [
    {
      definition: { id: "a", title: "boot", unit: "ms", better: "lower", goal: "≥ 25×" },
      linux: [1400, 1500, 1600],
      ours: [50, 60, 70],
      problem: null,
    },
    {
      definition: { id: "b", title: "idle", unit: "%", better: "lower" },
      linux: [],
      ours: [],
      problem: "it crashed",
    },
  ];
  const lines = formatTable(rows).split("\n");
  assert.match(lines[0] ?? "", /^\| row +\| unit \| +Linux \| +ours \|/);
  assert.match(lines[1] ?? "", /^\|-+\|-+\|-+:\|-+:\|-+:\|-+\|$/);
  assert.match(lines[2] ?? "", /boot \| ms +\| +1500 \| +60\.0 \| +25\.0× \| ≥ 25×/);
  assert.ok(lines.includes("- idle: it crashed"));
});
