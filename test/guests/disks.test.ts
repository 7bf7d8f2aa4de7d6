/**
 * Disks that start by themselves: boot loader, kernel, root partition, console, clock and power-off
 * without any help from the host, in QEMU's two PC machines and in every format that QEMU attaches.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { guestTest } from "../harness/guest-test.ts";
import { capstanLauncher } from "../harness/paths.ts";
import { runOnHost } from "../harness/process.ts";
import { testProgram } from "../harness/programs.ts";

const scratch = mkdtempSync(join(tmpdir(), "osv-disks-"));
after(() => rmSync(scratch, { recursive: true }));

/** Formats and what QEMU calls them. */
const formats = { raw: "raw", qcow2: "qcow2", vmdk: "vmdk", vdi: "vdi", vhdx: "vhdx" } as const;

async function buildDisk(format: string, ...words: string[]): Promise<string> {
  const path = join(scratch, `disk.${format}`);
  const command = [process.execPath, capstanLauncher, "image", "build", "--quiet"];
  const { status, stderr } = await runOnHost([
    ...[...command, "--format", format, "-o", path, "--env", "GREETING=from a disk"],
    ...["--", ...words],
  ]);
  assert.equal(status, 0, stderr.toString());
  return path;
}

/** Boots a disk and returns what arrived at the serial port. */
async function bootDisk(machine: string, format: string, path: string, ...more: string[]) {
  const { status, stdout, stderr } = await runOnHost(
    [
      ...["qemu-system-x86_64", "-M", machine, "-accel", "tcg", "-cpu", "max", "-m", "64M"],
      ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
      ...["-drive", `if=virtio,format=${format},snapshot=on,file=${path}`],
      ...["-serial", "stdio", ...more],
    ],
    { timeoutMs: 60_000 },
  );
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout.toString().replaceAll("\r\n", "\n");
}

for (const [format, qemuFormat] of Object.entries(formats)) {
  guestTest(`disks: ${format} boots on pc and q35`, async () => {
    const program = testProgram("hello-static");
    const path = await buildDisk(format, program, "one", "two words");
    const host = await runOnHost([program, "one", "two words"], {
      env: { GREETING: "from a disk" },
    });
    for (const machine of ["pc", "q35"]) {
      const output = await bootDisk(machine, qemuFormat, path);
      for (const line of host.stdout.toString().trim().split("\n")) {
        assert.ok(output.includes(line), `${machine} lacks "${line}":\n${output}`);
      }
    }
  });
}

guestTest("disks: another disk in front does not matter, nor do two processors", async () => {
  const path = await buildDisk("qcow2", "/bin/echo", "found");
  const other = await buildDisk("raw", "/bin/echo", "the other");
  const output = await bootDisk(
    "q35",
    "raw",
    other,
    ...["-smp", "2", "-drive", `if=none,id=wanted,format=qcow2,snapshot=on,file=${path}`],
    ...["-device", "virtio-blk-pci,drive=wanted,bootindex=0"],
  );
  assert.match(output, /^found$/m);
});

guestTest("disks: the date comes from the machine's clock", async () => {
  const path = await buildDisk("raw", "/bin/date", "-u", "+now %Y-%m-%d %H");
  const clock = ["-rtc", "base=2031-03-01T05:06:07"];
  assert.match(await bootDisk("q35", "raw", path, ...clock), /now 2031-03-01 05/);
});

guestTest("disks: arguments of tens of kilobytes fit", async () => {
  const words = Array.from({ length: 6000 }, (_, index) => `word${index}`);
  const path = await buildDisk("raw", "/bin/sh", "-c", "echo $# arguments, $1", "sh", ...words);
  assert.match(await bootDisk("pc", "raw", path), /^6000 arguments, word0$/m);
});

guestTest("disks: arguments and environment can be set later", async () => {
  const path = await buildDisk("qcow2", "/bin/sh", "-c", "echo first");
  const words = ["image", "set", "-e", "WORD=second", path, "--", "-c", "echo $WORD"];
  const { status, stderr } = await runOnHost([process.execPath, capstanLauncher, ...words]);
  assert.equal(status, 0, stderr.toString());
  assert.match(await bootDisk("q35", "qcow2", path), /^second$/m);
});

guestTest("disks: a disk whose kernel cannot be read says so", async () => {
  const path = await buildDisk("raw", "/bin/echo", "never");
  // Large enough for the BIOS to take it for a disk, too small for the kernel.
  truncateSync(path, 600 * 1024);
  const machine = spawn(
    "qemu-system-x86_64",
    [
      ...["-M", "pc", "-accel", "tcg", "-m", "64M", "-nodefaults", "-display", "none"],
      ...["-drive", `if=virtio,format=raw,snapshot=on,file=${path}`, "-serial", "stdio"],
    ],
    { stdio: ["ignore", "pipe", "inherit"], timeout: 60_000, killSignal: "SIGKILL" },
  );
  let output = "";
  for await (const bytes of machine.stdout) {
    output += bytes;
    // The boot loader halts; nothing else would end the machine.
    if (output.includes("\n")) break;
  }
  machine.kill("SIGKILL");
  assert.equal(output, "boot: disk error\r\n");
});
