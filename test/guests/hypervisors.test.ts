/**
 * Every hypervisor but QEMU, driven through a double: Firecracker's and Cloud Hypervisor's run the
 * machine that they are asked for in QEMU; those of the tools record how they were called.
 */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { guestTest } from "../harness/guest-test.ts";
import { repositoryRoot } from "../harness/paths.ts";
import { runCapstan } from "../harness/process.ts";

const scratch = mkdtempSync(join(tmpdir(), "capstan-doubles-"));
after(() => rmSync(scratch, { recursive: true }));

/** Makes a program that runs a double. @returns the environment that has capstan use it */
function double(script: string, variable: string, tool?: string) {
  const path = join(scratch, variable);
  const source = join(repositoryRoot, "test/doubles", script);
  const tsx = join(repositoryRoot, "node_modules/tsx/dist/loader.mjs");
  const words = [process.execPath, "--import", tsx, source, ...(tool === undefined ? [] : [tool])];
  writeFileSync(path, `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(" ")} "$@"\n`);
  chmodSync(path, 0o755);
  const record = `${path}.record`;
  rmSync(record, { force: true });
  return { [variable]: path, DOUBLE_RECORD: record };
}

function recorded(env: Readonly<Record<string, string>>): string[] {
  const path = env.DOUBLE_RECORD ?? "";
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
}

const withApi = {
  firecracker: "CAPSTAN_FIRECRACKER",
  "cloud-hypervisor": "CAPSTAN_CLOUD_HYPERVISOR",
};

for (const [name, variable] of Object.entries(withApi)) {
  guestTest(`${name}: a machine runs through its API, with input, output and status`, async () => {
    const env = double("vmm-with-api.ts", variable);
    const script = 'read line; echo "got $line" >&2; exit 3';
    const options = ["--hypervisor", name, "-m", "128M"];
    const stdin = Buffer.from("words\n");
    const { stdout, stderr, status } = await runCapstan(
      [...options, "--", "/bin/sh", "-c", script],
      { env, stdin },
    );
    // One serial line for all: the terminal echoes the input.
    assert.equal(stdout.toString(), "words\r\ngot words\r\n", stderr.toString());
    assert.equal(status, 3);
    assert.ok(recorded(env).length >= 2);
  });

  test(`${name}: a request that is refused is shown, and nothing stays behind`, async () => {
    const refused = name === "firecracker" ? "boot-source" : "vm.create";
    const env = { ...double("vmm-with-api.ts", variable), DOUBLE_REFUSES: refused };
    const { stderr, status } = await runCapstan(["--hypervisor", name, "--", "/bin/true"], { env });
    assert.equal(status, 125);
    assert.match(stderr.toString(), /refused PUT .*[\s\S]+no such thing[\s\S]+fix: /);
  });
}

const tools = {
  virtualbox: {
    program: "VBoxManage",
    variable: "CAPSTAN_VBOXMANAGE",
    last: /startvm|unregistervm/,
  },
  vmware: { program: "vmrun", variable: "CAPSTAN_VMRUN", last: /"start"|"stop"/ },
  xen: { program: "xl", variable: "CAPSTAN_XL", last: /unpause|destroy/ },
  libvirt: { program: "virsh", variable: "CAPSTAN_VIRSH", last: /resume|destroy/ },
};

for (const [name, { program, variable, last }] of Object.entries(tools)) {
  test(`${name}: a machine is started, listened to and cleared away`, async () => {
    const env = double("vmm-tool.ts", variable, program);
    const options = ["--hypervisor", name, "--", "/bin/true"];
    const { stdout, stderr, status } = await runCapstan(options, { env });
    assert.equal(stdout.toString(), "hello from the double\r\n", stderr.toString());
    assert.equal(status, 5, stderr.toString());
    assert.match(recorded(env).join("\n"), last);
  });

  test(`${name}: a tool that refuses is quoted`, async () => {
    const refused = { virtualbox: "createvm", vmware: "start", xen: "create", libvirt: "create" };
    const { [name as keyof typeof refused]: command } = refused;
    const env = { ...double("vmm-tool.ts", variable, program), DOUBLE_REFUSES: command };
    const { stderr, status } = await runCapstan(["--hypervisor", name, "--", "/bin/true"], { env });
    assert.equal(status, 125);
    assert.match(stderr.toString(), /failed\n {2}why: the double refuses\n {2}fix: /);
  });
}

guestTest("QEMU boots the same program from disks of every format, and as a pc", async () => {
  for (const options of [
    ["--machine", "pc"],
    ["--boot-from", "raw"],
    ["--boot-from", "vdi"],
  ]) {
    const { stdout, stderr } = await runCapstan([...options, "--", "/bin/echo", "hello"]);
    assert.equal(stdout.toString(), "hello\n", stderr.toString());
  }
});

test("what is not installed, or not supported, is said before anything is built", async () => {
  const missing = await runCapstan(["--hypervisor", "firecracker", "--", "/bin/true"], {
    env: { PATH: "/nowhere" },
  });
  assert.match(missing.stderr.toString(), /Firecracker was not found[\s\S]+no firecracker on PATH/);
  const ports = ["--hypervisor", "firecracker", "-p", "8080:80", "--", "/bin/true"];
  const unsupported = await runCapstan(ports);
  assert.match(unsupported.stderr.toString(), /cannot connect[\s\S]+--net tap=NAME/);
  const unknown = await runCapstan(["--hypervisor", "bochs", "--", "/bin/true"]);
  assert.match(unknown.stderr.toString(), /it takes one of: qemu, firecracker/);
});
