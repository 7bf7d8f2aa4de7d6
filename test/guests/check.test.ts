/** `capstan check`: what it says about a program, and that the guest agrees. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { guestTest } from "../harness/guest-test.ts";
import { capstanLauncher } from "../harness/paths.ts";
import { runCapstan, runOnHost } from "../harness/process.ts";

function check(...argv: string[]) {
  return runOnHost([process.execPath, capstanLauncher, "check", ...argv]);
}

guestTest("check: a program that is ready misses no call in the guest", async () => {
  const checked = await check("--json", "--", "/bin/true");
  const report = JSON.parse(checked.stdout.toString("utf8"));
  assert.equal(report.verdict, "ready");
  assert.equal(checked.status, 0);
  const finished = await runCapstan(["--json", "--", "/bin/true"]);
  const run = JSON.parse(finished.stdout.toString("utf8"));
  assert.equal(run.status, 0);
  assert.deepEqual(run.missingSystemCalls, []);
});

test("check: the text names kind, loader, runtime and verdict", async () => {
  const { stdout, status } = await check("--", "perl", "-e", "1");
  const text = stdout.toString("utf8");
  assert.ok(status === 0 || status === 1, text);
  for (const part of [/^kind .*ELF.*ld-linux/m, /^runtime +Perl$/m, /^verdict +\w+:/m]) {
    assert.match(text, part);
  }
});

test("check: a program that cannot be run gets the message and status of run", async () => {
  const missing = await check("--", "no-such-program");
  assert.equal(missing.status, 127);
  assert.match(missing.stderr.toString("utf8"), /no-such-program[\s\S]+fix:/);
  const json = await check("--json", "--", "/etc/passwd");
  assert.equal(json.status, 126);
  assert.ok(JSON.parse(json.stdout.toString("utf8")).error.fix !== "");
});
