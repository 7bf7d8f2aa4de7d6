/** Background instances: started, found again, listened to, stopped, lost and deleted. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { guestTest } from "../harness/guest-test.ts";
import { instanceWrites } from "../harness/instance-log.ts";
import { capstanLauncher } from "../harness/paths.ts";
import { runOnHost } from "../harness/process.ts";

// A path longer than a socket's address may be (unix(7)).
const root = join(mkdtempSync(join(tmpdir(), "capstan-instances-")), "long".repeat(30));
const env = { ...process.env, CAPSTAN_ROOT: root } as Record<string, string>;

async function capstan(...argv: string[]) {
  const finished = await runOnHost([process.execPath, capstanLauncher, ...argv], { env });
  const stdout = finished.stdout.toString("utf8");
  return { status: finished.status, stdout, stderr: finished.stderr.toString("utf8") };
}

interface InstanceFacts {
  readonly name: string;
  readonly status: string;
  readonly pid: number | null;
  readonly supervisorPid: number | null;
  readonly exitStatus: number | null;
  readonly reason: string | null;
}

async function inspect(name: string): Promise<InstanceFacts> {
  const [facts]: InstanceFacts[] = JSON.parse((await capstan("inspect", name, "--json")).stdout);
  assert.ok(facts);
  return facts;
}

after(async () => {
  const names = JSON.parse((await capstan("instances", "-a", "--json")).stdout);
  for (const { name } of names) await capstan("delete", "--force", name);
  rmSync(join(root, ".."), { recursive: true });
});

guestTest("instances: one is started, listed, stopped by SIGTERM, started again", async () => {
  const script = 'trap "echo bye; exit 7" TERM; echo ready; while :; do read line; done';
  const started = await capstan("run", "-d", "--name", "one", "--", "/bin/sh", "-c", script);
  assert.deepEqual([started.stdout, started.stderr, started.status], ["one\n", "", 0]);
  await instanceWrites("one", /ready/, env);
  const list = await capstan("instances");
  assert.match(list.stdout, /^NAME +SOURCE +STATUS +PORTS +MEMORY +UPTIME +PID\n/);
  assert.match(list.stdout, /^one +\/bin\/sh +running +- +512 MiB +\d+ s +\d+$/m);
  const second = await capstan("run", "-d", "--name", "one", "--", "/bin/true");
  assert.equal(second.status, 125);
  assert.match(second.stderr, /name one is in use[\s\S]+fix: .*capstan delete --force one/);
  const refused = await capstan("delete", "one");
  assert.match(refused.stderr, /one was not deleted/);

  assert.equal((await capstan("stop", "one")).stdout, "one: stopped\n");
  const { status, exitStatus, reason, pid } = await inspect("one");
  assert.deepEqual([status, exitStatus, reason, pid], ["exited", 7, "exit", null]);
  assert.equal((await capstan("logs", "one")).stdout, "ready\nbye\n");
  assert.equal((await capstan("instances", "-q")).stdout, "");

  assert.equal((await capstan("start", "one")).status, 0);
  await instanceWrites("one", /ready\nbye\nready/, env);
  assert.equal((await capstan("stop", "one")).status, 0);
  assert.equal((await capstan("logs", "-n", "3", "one")).stdout, "bye\nready\nbye\n");
  assert.equal((await capstan("delete", "one")).status, 0);
  assert.match((await capstan("stop", "one")).stderr, /no instance one/);
});

guestTest("instances: a program that ignores the signal is killed after the limit", async () => {
  const script = 'trap "" TERM; echo ready; while :; do read line; done';
  await capstan("run", "-d", "--name", "deaf", "--", "/bin/sh", "-c", script);
  await instanceWrites("deaf", /ready/, env);
  assert.equal((await capstan("stop", "-t", "0.2", "deaf")).stdout, "deaf: killed\n");
  assert.equal((await inspect("deaf")).exitStatus, 137);
});

guestTest("instances: attach passes input and output, logs -f follows to the end", async () => {
  await capstan("run", "-d", "--name", "echo", "--", "/bin/sh", "-c", "read line; echo got $line");
  const follower = capstan("logs", "-f", "echo");
  const attached = spawn(process.execPath, [capstanLauncher, "attach", "echo"], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  attached.stdout.on("data", (bytes: Buffer) => {
    output += bytes.toString("utf8");
  });
  attached.stdin.write("some words\n");
  const [status] = await once(attached, "close");
  assert.deepEqual([output, status], ["got some words\n", 0]);
  assert.equal((await follower).stdout, "got some words\n");
  assert.match((await capstan("attach", "echo")).stderr, /does not run\n {2}why: it is exited/);
});

guestTest("instances: a program with a terminal has one of a usual size", async () => {
  const ask = "import os; print(*os.get_terminal_size())";
  await capstan("run", "-d", "--name", "sized", "--console", "virtio", "--", "python3", "-c", ask);
  const { stdout } = await capstan("logs", "-f", "sized");
  assert.equal(stdout.toString().trim(), "80 24");
  await capstan("delete", "sized");
});

guestTest("instances: the machine ends with its supervisor, and is then lost", async () => {
  await capstan("run", "-d", "--name", "lost", "--", "/bin/sh", "-c", "read line");
  const { supervisorPid, pid } = await inspect("lost");
  assert.ok(supervisorPid !== null && pid !== null);
  const attached = capstan("attach", "lost");
  process.kill(supervisorPid, "SIGKILL");
  await attached;
  const facts = await inspect("lost");
  assert.deepEqual([facts.status, facts.pid], ["lost", null]);
  assert.equal((await capstan("stop", "lost")).stdout, "lost: was not running\n");
  assert.equal((await capstan("delete", "lost")).status, 0);
});

guestTest("instances: one that does not come up is not kept", async () => {
  const missing = await capstan("run", "-d", "--name", "none", "--", "no-such-program");
  assert.equal(missing.status, 127);
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const busy = await capstan("run", "-d", "-p", `${address.port}:80`, "--name", "none", "true");
  server.close();
  assert.match(busy.stderr, /is in use[\s\S]+fix: /);
  assert.ok(!(await capstan("instances", "-aq")).stdout.includes("none"));
});

guestTest("instances: --rm deletes one that has ended", async () => {
  await capstan("run", "-d", "--rm", "--name", "brief", "--", "/bin/sh", "-c", "read line; exit");
  const attached = spawn(process.execPath, [capstanLauncher, "attach", "brief"], { env });
  attached.stdin.write("\n");
  await once(attached, "close");
  await capstan("logs", "-f", "brief");
  assert.ok(!(await capstan("instances", "-aq")).stdout.includes("brief"));
});
