/** The quick ones of CPython's own test modules; `npm run conformance` runs all. */
import assert from "node:assert/strict";
import { modules } from "../conformance/modules.ts";
import { python, runModule } from "../conformance/run.ts";
import { guestTest } from "../harness/guest-test.ts";

for (const module of modules.filter(({ isShort }) => isShort)) {
  const body = async () => {
    const report = await runModule(module);
    assert.deepEqual(report.differences, [], report.output);
    assert.ok(report.passed > 0);
  };
  guestTest(`CPython's ${module.name}`, body, [python]);
}
