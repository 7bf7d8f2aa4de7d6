/** What each hypervisor is told, held against what its own description says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv } from "ajv";
import { UserError } from "../errors.ts";
import { installationRoot } from "../home.ts";
import { assertSupported, hypervisors } from "./catalog.ts";
import { cloudHypervisorConfiguration } from "./cloud-hypervisor.ts";
import { firecrackerConfiguration, firecrackerRequests } from "./firecracker.ts";
import type { MachineSpec } from "./hypervisor.ts";
import { hypervisorNames } from "./hypervisor-names.ts";
import { libvirtXml } from "./libvirt.ts";
import type { NetworkSpec } from "./network.ts";
import { vmConfigSchema } from "./testing/cloud-hypervisor-schema.ts";
import { firecrackerBodies } from "./testing/firecracker-schema.ts";
import { virtualBoxCommands } from "./virtualbox.ts";
import { vmxFile } from "./vmware.ts";
import { xlConfiguration } from "./xen.ts";

const ajv = new Ajv({ allErrors: true });
const network: NetworkSpec = {
  backend: { kind: "tap", name: "tap0", queues: 1 },
  ip: undefined,
  mac: "52:54:00:12:34:56",
  pcap: undefined,
};
const plain: MachineSpec = {
  machine: "microvm",
  accelerator: "kvm",
  kernelPath: "/kernel.elf",
  commandLine: 'env=A=<&"> -- /bin/true',
  rootImagePath: "/image.erofs",
  memoryBytes: 100 * 2 ** 20,
  cpus: 2,
  console: "serial",
};
const specs = [plain, { ...plain, network, initrdPath: "/configuration" }];

function assertValid(schema: object, value: unknown): void {
  assert.ok(ajv.validate(schema, value), ajv.errorsText());
}

test("every request to Firecracker is one that its API description allows", () => {
  for (const spec of specs) {
    for (const { method, path, body } of firecrackerRequests(spec)) {
      assert.equal(method, "PUT");
      const found = firecrackerBodies.find(([pattern]) => pattern.test(path));
      assert.ok(found, path);
      assertValid(found[1], body);
    }
    assert.deepEqual(firecrackerRequests(spec).at(-1)?.body, { action_type: "InstanceStart" });
  }
  assert.deepEqual(firecrackerConfiguration(plain)["network-interfaces"], []);
});

test("a machine for Cloud Hypervisor is one that its API description allows", () => {
  for (const spec of specs) assertValid(vmConfigSchema, cloudHypervisorConfiguration(spec));
  const { memory } = cloudHypervisorConfiguration({ ...plain, memoryBytes: 3 * 2 ** 20 });
  assert.equal(memory.size, 4 * 2 ** 20);
});

test("the schemas refuse what the descriptions do not have", () => {
  assert.ok(!ajv.validate(vmConfigSchema, { payload: {}, cpus: { boot_vcpus: 1 } }));
  const [, drive] = firecrackerBodies[1] ?? [];
  assert.ok(!ajv.validate(drive ?? {}, { drive_id: "a", is_root_device: true, path: "/x" }));
});

test("libvirt's XML carries every text escaped", () => {
  const xml = libvirtXml({ ...plain, network }, "a&b", "/serial");
  assert.match(xml, /<cmdline>env=A=&lt;&amp;&quot;&gt; -- \/bin\/true<\/cmdline>/);
  assert.match(xml, /<name>a&amp;b<\/name>/);
  assert.match(xml, /<target dev="tap0" managed="no"\/>\s+<mac address="52:54:00:12:34:56"\/>/);
  assert.match(libvirtXml({ ...plain, initrdPath: "/i" }, "a", "/s"), /<initrd>\/i<\/initrd>/);
});

test("xl's file has strings that cannot end early", () => {
  const file = xlConfiguration({ ...plain, commandLine: 'a"b\\c', network }, "guest");
  assert.match(file, /^cmdline = "a\\"b\\\\c"$/m);
  assert.match(file, /^vif = \[ "model=virtio-net,mac=52:54:00:12:34:56" \]$/m);
  assert.match(file, /^memory = 100$/m);
});

test("VirtualBox and VMware get a disk, and VirtualBox the ports", () => {
  const bootDisk = { path: "/boot.vdi", format: "vdi" };
  const forward = { protocol: "tcp", hostAddress: "127.0.0.1", hostPort: 8080, guestPort: 80 };
  const backend = { kind: "user", forwards: [forward] } as NetworkSpec["backend"];
  const spec = { ...plain, bootDisk, network: { ...network, backend } };
  const names = { name: "n", folder: "/f", serialPath: "/f/serial" };
  const words = virtualBoxCommands(spec, names).map((args) => args.join(" "));
  assert.match(words.join("\n"), /--natpf1 tcp8080,tcp,127.0.0.1,8080,,80/);
  assert.match(words.join("\n"), /storageattach n .*--medium \/boot.vdi/);
  assert.equal(words.at(-1), "startvm n --type headless");
  assert.match(vmxFile(spec, "/s"), /^sata0:0.fileName = "\/boot.vdi"$/m);
  assert.match(vmxFile(spec, "/s"), /^memsize = "100"$/m);
});

test("a network that a hypervisor does not have is refused with a way out", () => {
  assertSupported("firecracker", network);
  assert.throws(
    () => assertSupported("xen", network),
    (error) => error instanceof UserError && error.fix.includes("--net bridge=NAME"),
  );
});

test("docs/hypervisors.md has a row for each, as the catalogue says", () => {
  const text = readFileSync(join(installationRoot(), "docs/hypervisors.md"), "utf8");
  for (const name of hypervisorNames) {
    const { title, program, boots, networks, tested } = hypervisors[name];
    const start = typeof boots === "string" ? "kernel" : `disk (${boots.diskFormat})`;
    const shown = networks.filter((each) => each !== "switch").join(", ");
    const row = `| ${title} | \`${name}\` | \`${program}\` | ${start} | ${shown} | ${tested} |`;
    assert.ok(text.includes(`${row}\n`), row);
  }
});
