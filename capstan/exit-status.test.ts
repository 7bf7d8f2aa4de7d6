import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { exitStatusTable } from "./exit-status.ts";
import { installationRoot } from "./home.ts";

test("docs/exit-status.md holds the table as it is in the code", () => {
  const text = readFileSync(join(installationRoot(), "docs/exit-status.md"), "utf8");
  const rows = exitStatusTable.map(({ status, meaning }) => `| ${status} | ${meaning} |\n`);
  assert.ok(text.includes(rows.join("")), `expected these rows:\n${rows.join("")}`);
});
