/** How programs, kernels and machines end, and what `capstan run` makes of it. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { assertSameAsHost, statusOf } from "../harness/compare.ts";
import { guestTest } from "../harness/guest-test.ts";
import { capstanLauncher } from "../harness/paths.ts";
import { runCapstan } from "../harness/process.ts";
import { testProgram } from "../harness/programs.ts";

for (const how of ["segv", "abort", "kill", "term", "fpe", "illegal"]) {
  guestTest(`ending by ${how}`, () => assertSameAsHost({ argv: [testProgram("ending"), how] }));
}

guestTest("every exit status is passed on", async () => {
  for (const status of ["0", "1", "121", "122", "127", "255"]) {
    await assertSameAsHost({ argv: [testProgram("ending"), "status", status] });
  }
});

guestTest("memory runs out", async () => {
  const finished = await runCapstan(["-m", "64M", "--", testProgram("exhaust")]);
  const output = finished.stdout.toString("utf8");
  assert.match(output, /touched 16 MiB/);
  if (statusOf(finished) === 17) {
    assert.match(output, /malloc failed/);
  } else {
    assert.equal(statusOf(finished), 137);
    assert.match(finished.stderr.toString("utf8"), /memory/);
  }
});

guestTest("a panic on purpose", async () => {
  const command = "echo c > /proc/sysrq-trigger";
  const finished = await runCapstan(["--", "/bin/bash", "-c", command]);
  assert.equal(statusOf(finished), 123);
  const text = finished.stderr.toString("utf8");
  assert.match(text, /panic/);
  assert.match(text, /\.ts:\d+/, "the backtrace names TypeScript lines");
});

guestTest("a time limit", async () => {
  const argv = ["--timeout", "5", "--", testProgram("ending"), "wait"];
  const finished = await runCapstan(argv);
  assert.equal(statusOf(finished), 124);
  assert.match(finished.stderr.toString("utf8"), /time limit/);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  guestTest(`${signal} to capstan ends the machine`, async () => {
    const argv = [capstanLauncher, "run", "--", testProgram("ending"), "wait"];
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill(signal);
    const [status, killedBy] = await once(child, "close");
    assert.deepEqual([status, killedBy], [null, signal]);
  });
}

guestTest("the JSON report", async () => {
  const argv = ["--json", "--", testProgram("ending"), "status", "3"];
  const finished = await runCapstan(argv);
  const report = JSON.parse(finished.stdout.toString("utf8"));
  assert.deepEqual([report.status, report.reason], [3, "exit"]);
  assert.ok(report.timingsMs.firstOutput > 0);
  assert.match(finished.stderr.toString("utf8"), /ending by status/);
});

test("a machine does not outlive a capstan that is killed", { timeout: 120_000 }, async () => {
  // A script stands for QEMU. It holds a FIFO open, which reads end of file when it is gone.
  const folder = mkdtempSync(join(tmpdir(), "capstan-orphan-"));
  try {
    const fifo = join(folder, "life");
    spawnSync("mkfifo", [fifo]);
    const qemu = join(folder, "qemu");
    writeFileSync(qemu, `#!/bin/sh\nexec 9>${fifo}\necho up >&9\nexec sleep 600\n`);
    chmodSync(qemu, 0o755);
    const lines = createInterface(createReadStream(fifo));
    const argv = [capstanLauncher, "run", "--accel", "tcg", "--", "/bin/true"];
    const env = { ...process.env, CAPSTAN_QEMU: qemu };
    const child = spawn(process.execPath, argv, { env, stdio: ["ignore", "inherit", "inherit"] });
    await once(lines, "line");
    child.kill("SIGKILL");
    await once(lines, "close");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
