/** `capstan run --trace`: what the lines say, and that the program's output stays clean. */
import assert from "node:assert/strict";
import { guestTest } from "../harness/guest-test.ts";
import { runCapstan } from "../harness/process.ts";

guestTest("trace: paths, flags, errors and data are decoded, the output is untouched", async () => {
  const finished = await runCapstan(["--trace", "--", "/bin/cat", "/etc/hostname", "/no/such"]);
  assert.equal(finished.status, 1);
  assert.equal(finished.stdout.toString().includes("openat"), false);
  const trace = finished.stderr.toString().replace(/\r/g, "");
  for (const expected of [
    /\] openat\(AT_FDCWD, "\/etc\/ld\.so\.cache", O_CLOEXEC, 0\) = \d+$/m,
    /\] openat\(AT_FDCWD, "\/no\/such", 0, 0\) = -1 ENOENT$/m,
    /\] read\(\d+, "\\x7fELF.*"\.\.\., \d+\) = \d+$/m,
    /\] mmap\(NULL, \d+, PROT_READ\|PROT_WRITE, MAP_PRIVATE\|MAP_ANONYMOUS, -1, 0\) = 0x[0-9a-f]+$/m,
    /\] write\(1, ".*\\n", \d+\) = \d+$/m,
    /\] exit_group\(1\) = \?$/m,
  ]) {
    assert.match(trace, expected);
  }
});

guestTest("trace: a filter shows its calls and no others", async () => {
  const finished = await runCapstan(["--trace=file,exit_group", "--", "/bin/true"]);
  assert.equal(finished.status, 0);
  const lines = finished.stderr.toString().trim().split(/\r?\n/);
  const names = new Set(lines.map((line) => /^\[[\d. ]+\] \[\d+\] (\w+)\(/.exec(line)?.[1]));
  assert.ok(names.has("openat") && names.has("exit_group"), lines.join("\n"));
  assert.ok(!names.has("mmap") && !names.has("brk") && !names.has(undefined), lines.join("\n"));
});

guestTest("trace: an unknown name is refused before anything runs", async () => {
  const finished = await runCapstan(["--trace=opne", "--", "/bin/true"]);
  assert.equal(finished.status, 125);
  assert.match(finished.stderr.toString(), /opne[\s\S]+families/);
});
