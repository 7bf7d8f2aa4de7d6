import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatDuration, formatTable } from "./table.ts";

test("columns are lined up, without spaces at the end of a line", () => {
  assert.equal(
    formatTable([
      ["NAME", "STATUS", "IMAGE"],
      ["a", "running", ""],
      ["longer", "", "x"],
    ]),
    "NAME    STATUS   IMAGE\na       running\nlonger           x\n",
  );
  assert.equal(formatTable([]), "");
});

test("sizes and durations take the unit that fits", () => {
  assert.deepEqual([0, 1023, 1536, 512 * 2 ** 20, 1.5 * 2 ** 30].map(formatBytes), [
    "0 B",
    "1023 B",
    "1.5 KiB",
    "512 MiB",
    "1.5 GiB",
  ]);
  assert.deepEqual([999, 59_999, 60_000, 7_200_000, 172_800_000].map(formatDuration), [
    "0 s",
    "59 s",
    "1 min",
    "2 h",
    "2 d",
  ]);
});
