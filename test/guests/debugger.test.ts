/**
 * A debugger on a running guest speaks TypeScript: functions, lines, arguments, steps. It can also
 * break what no program can: a kernel without a stack reports even that.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { guestTest } from "../harness/guest-test.ts";
import { repositoryRoot } from "../harness/paths.ts";
import { runCapstan, runOnHost } from "../harness/process.ts";

/** A TCP port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  server.close();
  await once(server, "close");
  return address.port;
}

guestTest("gdb breaks, steps and prints backtraces in TypeScript lines", async () => {
  const port = String(await freePort());
  const guest = runCapstan(["--gdb", port, "--", "/bin/echo", "hello"]);
  const commands = [
    // gdb tries again until QEMU listens.
    "set tcp connect-timeout 60",
    `target remote 127.0.0.1:${port}`,
    "break linux_file_io_sysWrite",
    "continue",
    "backtrace 3",
    "next",
    "delete",
    "continue",
  ];
  const argv = [
    ...["gdb", "-nx", "-batch", join(repositoryRoot, "build/kernel.debug.elf")],
    ...commands.flatMap((command) => ["-ex", command]),
  ];
  const { stdout } = await runOnHost(argv, { cwd: repositoryRoot });
  const text = stdout.toString("utf8");
  assert.match(text, /sysWrite \(fd=1, buffer=\d+, count=6\) at kernel\/linux\/file-io\.ts:\d+/);
  assert.match(text, /#1 .* at kernel\/\S+\.ts:\d+/);
  assert.match(text, /#2 .*systemCall .* at kernel\/linux\/dispatch\.ts:\d+/);
  assert.match(text, /^\d+\s+\S.*\n/m, "a source line after the step");
  const finished = await guest;
  assert.equal(finished.stdout.toString("utf8"), "hello\n");
  assert.equal(finished.status, 0);
});

guestTest("a kernel whose stack and GS base are gone reports a double fault", async () => {
  const port = String(await freePort());
  const guest = runCapstan(["--gdb", port, "--", "/bin/echo", "hello"]);
  const commands = [
    "set tcp connect-timeout 60",
    `target remote 127.0.0.1:${port}`,
    "break linux_file_io_sysWrite",
    "continue",
    "delete",
    // As between SWAPGS and the return to the application; the next push then faults.
    "set $k_gs_base = $gs_base",
    "set $gs_base = 0",
    "set $rsp = 0x8000",
    "continue",
  ];
  const argv = [
    ...["gdb", "-nx", "-batch", join(repositoryRoot, "build/kernel.debug.elf")],
    ...commands.flatMap((command) => ["-ex", command]),
  ];
  const { stdout } = await runOnHost(argv, { cwd: repositoryRoot });
  const { status, stderr } = await guest;
  const text = `${stdout.toString("utf8")}${stderr.toString("utf8")}`;
  assert.notEqual(status, 0, text);
  assert.match(text, /KERNEL PANIC: double fault/);
  assert.match(text, /at \S*sysWrite \(kernel\/linux\/file-io\.ts:\d+\)/);
});
