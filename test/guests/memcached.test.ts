/** The memcached appliance, used by clients of Debian (libmemcached-tools) and over UDP. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../harness/free-port.ts";
import { guestTest } from "../harness/guest-test.ts";
import { capstanLauncher } from "../harness/paths.ts";
import { runCapstan, runOnHost } from "../harness/process.ts";

/** Waits until something accepts; the guest takes a moment to start. */
async function accepts(port: number): Promise<void> {
  for (const endMs = Date.now() + 30_000; ; ) {
    const socket = createConnection(port, "127.0.0.1");
    // QEMU accepts before the guest does: only an answer shows that the cache is there.
    const answered = new Promise<boolean>((resolve) => {
      socket.on("data", () => resolve(true));
      socket.on("close", () => resolve(false));
      socket.on("error", () => resolve(false));
    });
    socket.write("version\r\n");
    const isThere = await answered;
    socket.destroy();
    if (isThere) return;
    assert.ok(Date.now() < endMs, "the cache does not answer");
  }
}

async function said(...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await runOnHost(argv, { timeoutMs: 60_000 });
  const text = stdout.toString("latin1") + stderr.toString("latin1");
  assert.equal(status, 0, text);
  return text;
}

async function overUdp(port: number, request: string): Promise<string> {
  const socket = createSocket("udp4");
  try {
    const frame = Buffer.from([0x12, 0x34, 0, 0, 0, 1, 0, 0]);
    socket.send(Buffer.concat([frame, Buffer.from(request)]), port, "127.0.0.1");
    const [answer]: Buffer[] = await once(socket, "message", {
      signal: AbortSignal.timeout(20_000),
    });
    assert.equal(answer?.toString("hex", 0, 8), "1234000000010000");
    return answer?.toString("latin1", 8) ?? "";
  } finally {
    socket.close();
  }
}

guestTest("memcached appliance: both protocols, UDP, files in and out, a stop in good order", async () => {
  const root = mkdtempSync(join(tmpdir(), "capstan-memcached-"));
  const port = await freePort();
  const env = { ...process.env, CAPSTAN_ROOT: root } as Record<string, string>;
  const capstan = async (...argv: string[]) => {
    const done = await runOnHost([process.execPath, capstanLauncher, ...argv], { env });
    return { ...done, text: done.stdout.toString("utf8") + done.stderr.toString("utf8") };
  };
  const server = `127.0.0.1:${port}`;
  try {
    const ports = ["-p", `${port}:11211`, "-p", `${port}:11211/udp`];
    const words = ["--appliance", "memcached", ...ports, "--", "-m", "32", "-U", "11211"];
    const started = await capstan("run", "-d", "--name", "cache", "-m", "96M", ...words);
    assert.equal(started.text, "cache\n");
    await accepts(port);
    const checks = await said("memccapable", "-h", "127.0.0.1", "-p", `${port}`);
    assert.match(checks, /All tests passed/);
    assert.doesNotMatch(checks, /FAIL/);

    const file = join(root, "picture");
    const content = "0123456789abcdef".repeat(50_000);
    writeFileSync(file, content);
    await said("memccp", `--servers=${server}`, file);
    assert.equal(await said("memccat", `--servers=${server}`, "picture"), `${content}\n`);
    assert.equal(await overUdp(port, "set u 1 0 3\r\nabc\r\n"), "STORED\r\n");
    assert.equal(await overUdp(port, "get u\r\n"), "VALUE u 1 3\r\nabc\r\nEND\r\n");
    assert.equal((await capstan("stop", "cache")).text, "cache: stopped\n");
    const [{ exitStatus }] = JSON.parse((await capstan("inspect", "cache", "--json")).text);
    assert.equal(exitStatus, 0);
  } finally {
    await capstan("delete", "--force", "cache");
    rmSync(root, { recursive: true, force: true });
  }
}, ["memccapable", "memccp", "memccat"]);

for (const [words, message] of [
  [["--", "-m", "many"], /memcached: -m needs a number/],
  [["--", "-t", "4"], /-t asks for more processors than the machine has/],
  [["--", "--nonsense"], /memcached: --nonsense is no option of this memcached/],
] as const) {
  guestTest(`memcached appliance: ${words.join(" ")} is refused`, async () => {
    const argv = ["--appliance", "memcached", "--net", "user", ...words];
    const { status, stderr } = await runCapstan(argv);
    assert.match(stderr.toString("utf8"), message);
    assert.equal(status, 64);
  });
}

guestTest("an appliance that does not exist is refused before anything boots", async () => {
  const { status, stderr } = await runCapstan(["--appliance", "cassandra"]);
  assert.match(stderr.toString("utf8"), /no appliance "cassandra"[\s\S]+linked with memcached/);
  assert.equal(status, 127);
});
