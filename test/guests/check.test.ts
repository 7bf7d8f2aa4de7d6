/** `capstan check`: what it says about a program, and that the guest agrees. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/** Programs that guest tests run; what their libraries could do besides is no limit. */
const readyPrograms = [
  ["/usr/bin/python3", "-c", "1"],
  [process.execPath, "-e", "1"],
  ["redis-server"],
  ["java", "-version"],
  ["perl", "-e", "1"],
  ["ls"],
] as const;

for (const argv of readyPrograms) {
  test(`check: ${argv[0]} is ready`, async () => {
    const { stdout, status } = await check("--", ...argv);
    assert.equal(status, 0, stdout.toString("utf8"));
  });
}

test("check: a debugger asks for what is absent, and is told so", async () => {
  const { stdout, status } = await check("--", "gdb");
  assert.equal(status, 1);
  assert.match(stdout.toString("utf8"), /^ {2}absent {3}ptrace: .*\(gdb/m);
  assert.match(stdout.toString("utf8"), /^verdict +limits:/m);
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

test("check: a directory and an image are sources, too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "capstan-check-"));
  const env = { ...process.env, CAPSTAN_ROOT: join(folder, "root") } as Record<string, string>;
  const capstan = (...argv: string[]) =>
    runOnHost([process.execPath, capstanLauncher, ...argv], { env });
  try {
    writeFileSync(join(folder, "main.py"), "print(1)\n");
    const project = JSON.parse((await capstan("check", "--json", folder)).stdout.toString("utf8"));
    assert.deepEqual([project.origin.kind, project.runtime], ["directory", "Python"]);
    // More than a pipe holds: capstan ends as SIGPIPE would end it when nobody reads on.
    const pipeline = 'set -o pipefail; "$0" "$1" check --json "$2" | head -c 1';
    const words = [process.execPath, capstanLauncher, folder];
    const cut = await runOnHost(["/bin/bash", "-c", pipeline, ...words], { env });
    assert.deepEqual([cut.stdout.toString(), cut.stderr.toString(), cut.status], ["{", "", 141]);
    assert.equal((await capstan("import", "checked", "--", "/bin/true")).status, 0);
    const image = JSON.parse((await capstan("check", "--json", "checked")).stdout.toString("utf8"));
    assert.deepEqual([image.program.split("/").pop(), image.verdict], ["true", "ready"]);
    assert.ok(image.searchedFiles.some((path: string) => path.endsWith("/libc.so.6")));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
