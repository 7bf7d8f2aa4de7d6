import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineSpec } from "./hypervisor.ts";
import { qemuArguments } from "./qemu-arguments.ts";
import { qemuHint } from "./qemu-hints.ts";

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

test("processors are executed at the same time unless the program does not allow it", () => {
  assert.equal(value(qemuArguments({ ...spec, cpus: 2 }), "-accel"), "tcg");
  const inTurn = qemuArguments({ ...spec, cpus: 2, hasOneThread: true });
  assert.equal(value(inTurn, "-accel"), "tcg,thread=single");
});

test("each console has the channels that it needs", () => {
  const chardevs = (console: MachineSpec["console"]): number =>
    qemuArguments({ ...spec, console }).filter((word) => word === "-chardev").length;
  assert.deepEqual([chardevs("serial"), chardevs("hvc"), chardevs("ports")], [2, 3, 5]);
});

test("a guest that takes signals has one stream more, whatever its console", () => {
  for (const console of ["serial", "hvc", "ports"] as const) {
    const args = qemuArguments({ ...spec, console, takesSignals: true }).join(" ");
    assert.match(args, /socket,id=signals,fd=8 .*virtserialport,chardev=signals,name=signals/);
    const [, limit] = /virtio-serial-device,max_ports=(\d)/.exec(args) ?? [];
    assert.equal(Number(limit), { serial: 2, hvc: 2, ports: 5 }[console]);
  }
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

test("a network card is connected with what was asked for", () => {
  const forwards = [
    { protocol: "tcp", hostAddress: "127.0.0.1", hostPort: 8080, guestPort: 80 },
    { protocol: "udp", hostAddress: "0.0.0.0", hostPort: 53, guestPort: 5353 },
  ] as const;
  const card = { ip: "10.0.2.15/24::10.0.2.2", mac: "52:54:00:12:34:56", pcap: "/a,b.pcap" };
  const user = qemuArguments({
    ...spec,
    network: { backend: { kind: "user", forwards }, ...card },
  });
  assert.equal(
    value(user, "-netdev"),
    "user,id=net,hostfwd=tcp:127.0.0.1:8080-10.0.2.15:80,hostfwd=udp:0.0.0.0:53-10.0.2.15:5353",
  );
  assert.equal(value(user, "-object"), "filter-dump,id=capture,netdev=net,file=/a,,b.pcap");
  assert.ok(user.includes("virtio-net-device,netdev=net,mac=52:54:00:12:34:56"));
  const tap = qemuArguments({
    ...spec,
    machine: "q35",
    network: {
      backend: { kind: "tap", name: "tap0", queues: 1 },
      ip: undefined,
      mac: undefined,
      pcap: undefined,
    },
  });
  assert.equal(value(tap, "-netdev"), "tap,id=net,ifname=tap0,script=no,downscript=no");
  assert.ok(tap.includes("virtio-net-pci,disable-legacy=on,netdev=net"));
  assert.ok(!qemuArguments(spec).includes("-netdev"));
});

test("a port of a bridge is made by QEMU itself for root, by its helper for others", () => {
  const backend = { kind: "bridge", name: "br0" } as const;
  const card = { ip: undefined, mac: undefined };
  const ofBridge = (isRoot: boolean, pcap?: string): string | undefined =>
    value(qemuArguments({ ...spec, network: { backend, ...card, pcap } }, isRoot), "-netdev");
  assert.equal(ofBridge(false), "bridge,id=net,br=br0");
  assert.match(ofBridge(true) ?? "", /^tap,id=net,script=\/.*\/join-bridge\.sh,downscript=no$/);
  assert.match(ofBridge(true, "/capture") ?? "", /,vnet_hdr=off$/);
});

test("messages of QEMU about the network say what to do", () => {
  const rule = "Could not set up host forwarding rule 'tcp:127.0.0.1:80-10.0.2.15:80'";
  assert.match(qemuHint(rule) ?? "", /^port 80 of this machine .* -p HOST:GUEST$/);
  assert.match(qemuHint("bridge helper failed") ?? "", /bridge\.conf/);
  assert.match(qemuHint("could not open /dev/net/tun: Permission denied") ?? "", /ip tuntap add/);
  assert.equal(qemuHint("invalid accelerator"), undefined);
});
