/**
 * System calls, held against the host's kernel: results, order of errors, blocking, signals, races.
 * The programs print what the calls returned.
 */
import assert from "node:assert/strict";
import { assertSameAsHost } from "../harness/compare.ts";
import { guestTest } from "../harness/guest-test.ts";
import { runCapstan } from "../harness/process.ts";
import { type ProgramName, testProgram } from "../harness/programs.ts";

const programs: readonly ProgramName[] = [
  "abi-open",
  "abi-descriptors",
  "abi-names",
  "abi-attributes",
  "abi-pipes",
  "abi-poll",
  "abi-epoll",
  "abi-herd",
  "abi-event-files",
  "abi-sockets",
  "abi-unix",
  "abi-races",
  "abi-mapped-files",
  "abi-memory-usage",
  "abi-other-process",
  "abi-inotify",
  "abi-seccomp",
  "abi-mqueue",
  "abi-sysv",
  "abi-pty",
  "abi-system",
  "abi-aio",
  "abi-futex-pi",
  "pi-mutexes",
];

for (const name of programs) {
  guestTest(name, () => assertSameAsHost({ argv: [testProgram(name)] }));
}

// One processor, and as many as a timer of a process has to reckon with.
for (const count of ["1", "2"]) {
  guestTest(`abi-cpu-time -c ${count}`, () =>
    assertSameAsHost({ argv: [testProgram("abi-cpu-time")], options: ["-c", count] }),
  );
}

// Without root the host refuses what a guest, whose programs start as root, does.
if (process.getuid?.() === 0) {
  guestTest("abi-identities", () => assertSameAsHost({ argv: [testProgram("abi-identities")] }));
}

// Not held against the host, whose memory it would fill.
guestTest("abi-kernel-memory", async () => {
  const program = testProgram("abi-kernel-memory");
  const { status, stdout } = await runCapstan(["-m", "24M", "--", program], {});
  assert.equal(status, 0);
  assert.equal(
    stdout.toString("latin1"),
    [
      ...["eventfds ENOMEM 1", "pipes ENOMEM 1", "sockets ENOMEM 1", "epoll ENOMEM 1"],
      ...["dup ENOMEM", "tmpfs ENOSPC", "end", ""],
    ].join("\n"),
  );
});
