import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineSpec } from "./hypervisor.ts";
import { qemuArguments } from "./qemu-arguments.ts";

const spec: MachineSpec = {
  machine: "microvm",
  accelerator: "tcg",
  kernelPath: "/kernel.elf",
  commandLine: "verbose -- /bin/true",
  rootImagePath: "/image.erofs",
  memoryBytes: 6 * 2 ** 20,
  cpus: 1,
  console: "ports",
};

function value(args: readonly string[], option: string): string | undefined {
  const at = args.indexOf(option);
  return at < 0 ? undefined : args[at + 1];
}

test("a machine has no device and no window that was not asked for", () => {
  const args = qemuArguments(spec);
  for (const option of ["-nodefaults", "-no-user-config", "-no-reboot"]) {
    assert.ok(args.includes(option));
  }
  assert.equal(value(args, "-display"), "none");
  assert.equal(value(args, "-m"), "6144K");
  assert.equal(value(args, "-append"), "verbose -- /bin/true");
  assert.equal(value(args, "-initrd"), undefined);
  assert.equal(value(args, "-gdb"), undefined);
});

test("devices stand on the machine's own bus", () => {
  const devices = (machine: "microvm" | "q35"): string =>
    qemuArguments({ ...spec, machine }).join(" ");
  assert.match(devices("microvm"), /virtio-blk-device,drive=root/);
  assert.match(devices("q35"), /virtio-blk-pci,disable-legacy=on,drive=root/);
});

test("the disk is read-only, also when its name holds a comma", () => {
  const drive = value(qemuArguments({ ...spec, rootImagePath: "/a,b" }), "-drive") ?? "";
  assert.match(drive, /readonly=on/);
  assert.match(drive, /file=\/a,,b$/);
});

test("each console has the channels that it needs", () => {
  const chardevs = (console: MachineSpec["console"]): number =>
    qemuArguments({ ...spec, console }).filter((word) => word === "-chardev").length;
  assert.deepEqual([chardevs("serial"), chardevs("hvc"), chardevs("ports")], [2, 3, 5]);
});

test("the processor is the host's when the hardware runs it", () => {
  assert.equal(value(qemuArguments(spec), "-cpu"), "max");
  assert.equal(value(qemuArguments({ ...spec, accelerator: "kvm" }), "-cpu"), "host");
});

test("gdb waits on the loopback address only", () => {
  const args = qemuArguments({ ...spec, gdbPort: 1234 });
  assert.equal(value(args, "-gdb"), "tcp:127.0.0.1:1234");
  assert.ok(args.includes("-S"));
});
