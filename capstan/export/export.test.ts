/**
 * Every export in the hands of others: tar, python's zip and XML readers, qemu-img, skopeo; and the
 * disks in them against the raw disk. OVF descriptors are checked by a schema (`testing/ovf.ts`).
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { bootableDisk } from "../disk/bootable-disk.ts";
import { openDisk } from "../disk/formats.ts";
import { assertSameContents } from "../disk/testing.ts";
import { probeElf } from "../hypervisor/probe-guest.ts";
import { withScratch } from "../image/erofs/testing.ts";
import { writeErofs } from "../image/erofs/writer.ts";
import { FsTree, neutralAttributes } from "../image/tree.ts";
import { uruncAnnotations } from "./oci.ts";
import { type Application, diskParts, exportApplication } from "./target.ts";
import { imageTargets } from "./targets.ts";
import { ovfFaults } from "./testing/ovf.ts";

async function makeApplication(
  scratch: string,
  bytes: Uint8Array = Buffer.alloc(700_000, "an application "),
): Promise<Application> {
  const tree = new FsTree();
  tree.set("/app", {
    kind: "file",
    attributes: neutralAttributes(0o755),
    content: { from: "bytes", bytes },
  });
  const [rootImagePath, kernelPath] = [join(scratch, "root"), join(scratch, "kernel")];
  await writeErofs(tree, rootImagePath);
  writeFileSync(kernelPath, probeElf());
  return {
    name: "app",
    kernelPath,
    rootImagePath,
    configuration: (root, console) => `root=${root} console=${console} -- /app`,
    memoryBytes: 256 * 2 ** 20,
    cpus: 2,
    ports: [],
  };
}

/** Exports to a name in the scratch folder, twice; the second must be the same. */
async function exported(application: Application, scratch: string, name: string): Promise<string> {
  const target = imageTargets.find((each) => each.name === name);
  assert.ok(target !== undefined);
  const paths = ["one", "two"].map((prefix) => join(scratch, `${prefix}-${name}`));
  for (const path of paths) await exportApplication(application, target, path);
  const [one = "", two = ""] = paths;
  if (target.kind === "file")
    assert.ok(readFileSync(one).equals(readFileSync(two)), "not the same");
  assert.deepEqual(
    readdirSync(scratch).filter((each) => each.startsWith(".")),
    [],
  );
  return one;
}

function withApplication(use: (application: Application, scratch: string) => Promise<void>) {
  return () => withScratch(async (scratch) => use(await makeApplication(scratch), scratch));
}

function assertHoldsDisk(path: string, application: Application): void {
  const opened = openDisk(path);
  const wanted = bootableDisk(diskParts(application));
  try {
    assertSameContents(opened.disk, wanted);
  } finally {
    opened.disk.close();
    wanted.close();
  }
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: "utf8" });
}

for (const name of ["ova", "ova-esxi"]) {
  test(
    `${name}: descriptor, manifest and disk, in order and true`,
    withApplication(async (application, scratch) => {
      const path = await exported(application, scratch, name);
      const files = run("tar", "-tf", path).trim().split("\n");
      assert.deepEqual(files, ["app.ovf", "app.mf", "app-disk1.vmdk"]);
      run("tar", "-C", scratch, "-xf", path);
      for (const line of readFileSync(join(scratch, "app.mf"), "utf8").trim().split("\n")) {
        const [, file = "", wanted] = /^SHA256\((.+)\)= ([0-9a-f]{64})$/.exec(line) ?? [];
        const found = createHash("sha256")
          .update(readFileSync(join(scratch, file)))
          .digest("hex");
        assert.equal(found, wanted, line);
      }
      const disk = join(scratch, "app-disk1.vmdk");
      run("qemu-img", "check", "-f", "vmdk", disk);
      assertHoldsDisk(disk, application);
      const descriptor = join(scratch, "app.ovf");
      assert.deepEqual(ovfFaults(descriptor), []);
      const text = readFileSync(descriptor, "utf8");
      assert.ok(text.includes(`ovf:href="app-disk1.vmdk" ovf:size="${statSync(disk).size}"`));
      const capacity = bootableDisk(diskParts(application)).sizeBytes;
      assert.ok(text.includes(`ovf:capacity="${capacity}"`));
    }),
  );
}

test(
  "vmware: vmx and disk in a ZIP that python reads",
  withApplication(async (application, scratch) => {
    const path = await exported(application, scratch, "vmware");
    run("python3", "-m", "zipfile", "-e", path, scratch);
    assert.match(readFileSync(join(scratch, "app/app.vmx"), "utf8"), /^memsize = "256"$/m);
    assertHoldsDisk(join(scratch, "app/disk.vmdk"), application);
  }),
);

test(
  "gce: GNU tar unpacks a sparse disk of whole gibibytes",
  withApplication(async (application, scratch) => {
    const path = await exported(application, scratch, "gce");
    run("tar", "-C", scratch, "-xSzf", path);
    const stats = statSync(join(scratch, "disk.raw"));
    assert.equal(stats.size, 2 ** 30);
    assert.ok(stats.blocks * 512 < 4 * 2 ** 20);
    const head = openDisk(join(scratch, "disk.raw")).disk;
    const wanted = bootableDisk(diskParts(application));
    const [found, bytes] = [Buffer.alloc(wanted.sizeBytes), Buffer.alloc(wanted.sizeBytes)];
    head.read(found, 0);
    wanted.read(bytes, 0);
    assert.ok(found.equals(bytes));
  }),
);

test(
  "kubevirt: skopeo reads the image; the disk is qcow2 and belongs to 107:107",
  withApplication(async (application, scratch) => {
    const path = await exported(application, scratch, "kubevirt");
    const inspected = JSON.parse(run("skopeo", "inspect", `oci-archive:${path}`));
    assert.equal(inspected.Os, "linux");
    const [layer = ""] = inspected.Layers;
    run("tar", "-C", scratch, "-xf", path);
    const blob = join(scratch, "blobs/sha256", layer.slice("sha256:".length));
    const listing = run("tar", "--numeric-owner", "-tvf", blob);
    assert.match(listing, /^-r--r----- 107\/107 .* disk\/disk\.qcow2$/m);
    run("tar", "-C", scratch, "-xf", blob);
    run("qemu-img", "check", "-f", "qcow2", join(scratch, "disk/disk.qcow2"));
    assertHoldsDisk(join(scratch, "disk/disk.qcow2"), application);
  }),
);

test(
  "urunc: annotations in the manifest and, encoded, in /urunc.json",
  withApplication(async (application, scratch) => {
    const path = await exported(application, scratch, "urunc");
    const manifest = JSON.parse(run("skopeo", "inspect", "--raw", `oci-archive:${path}`));
    assert.deepEqual(manifest.annotations, uruncAnnotations(application));
    const [layer] = manifest.layers;
    run("tar", "-C", scratch, "-xf", path);
    run("tar", "-C", scratch, "-xf", join(scratch, "blobs/sha256", layer.digest.slice(7)));
    const encoded = JSON.parse(readFileSync(join(scratch, "urunc.json"), "utf8"));
    for (const [key, value] of Object.entries(uruncAnnotations(application))) {
      assert.equal(Buffer.from(encoded[key], "base64").toString(), value);
    }
    const files = ["kernel.elf", "rootfs.erofs"].map((name) => join(scratch, "unikernel", name));
    const wanted = [application.kernelPath, application.rootImagePath];
    for (const [index, file] of files.entries()) {
      assert.ok(readFileSync(file).equals(readFileSync(wanted[index] ?? "")));
    }
  }),
);

test(
  "firecracker and cloud-hypervisor: files that the description names are there",
  withApplication(async (application, scratch) => {
    const long = { ...application, configuration: () => `x=${"y".repeat(3000)} -- /app` };
    const firecracker = await exported(application, scratch, "firecracker");
    const config = JSON.parse(readFileSync(join(firecracker, "vm_config.json"), "utf8"));
    assert.equal(config["boot-source"].boot_args, "root=/dev/vda console=serial -- /app");
    assert.equal(config["machine-config"].mem_size_mib, 256);
    for (const file of [config["boot-source"].kernel_image_path, config.drives[0].path_on_host]) {
      assert.ok(existsSync(join(firecracker, file)));
    }
    const cloud = await exported(long, scratch, "cloud-hypervisor");
    const { payload, disks } = JSON.parse(readFileSync(join(cloud, "vm_config.json"), "utf8"));
    assert.equal(payload.cmdline, "config=initrd");
    assert.match(readFileSync(join(cloud, payload.initramfs), "utf8"), /^x=y{3000} -- \/app$/);
    for (const file of [payload.kernel, disks[0].path]) assert.ok(existsSync(join(cloud, file)));
  }),
);

/** How others take the disk out of an export: commands, and where it is afterwards. */
const unpacking: Record<string, (path: string, folder: string) => string> = {
  ova: unpackOva,
  "ova-esxi": unpackOva,
  vmware: (path, folder) => {
    run("python3", "-m", "zipfile", "-e", path, folder);
    return join(folder, "app/disk.vmdk");
  },
  gce: (path, folder) => {
    run("tar", "-C", folder, "-xzf", path);
    return join(folder, "disk.raw");
  },
  kubevirt: (path, folder) => {
    run("tar", "-C", folder, "-xf", path);
    const { manifests } = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
    const blob = (digest: string): string => join(folder, "blobs/sha256", digest.slice(7));
    const { layers } = JSON.parse(readFileSync(blob(manifests[0].digest), "utf8"));
    run("tar", "-C", folder, "-xf", blob(layers[0].digest));
    return join(folder, "disk/disk.qcow2");
  },
};

function unpackOva(path: string, folder: string): string {
  run("tar", "-C", folder, "-xf", path);
  return join(folder, "app-disk1.vmdk");
}

/** Contents that compress well, badly, and in between, in sizes around those of clusters. */
const applications = fc
  .record({
    sizeBytes: fc.oneof(fc.nat(5000), fc.nat(300_000), fc.constantFrom(65_535, 65_536, 65_537)),
    noiseEvery: fc.integer({ min: 1, max: 3000 }),
    seed: fc.nat(255),
  })
  .map(({ sizeBytes, noiseEvery, seed }) => {
    const bytes = Buffer.alloc(sizeBytes);
    for (let at = 0; at < sizeBytes; at += noiseEvery) bytes[at] = (at * 7919 + seed) >> 3;
    return bytes;
  });

for (const [name, unpack] of Object.entries(unpacking)) {
  test(`${name}: whatever the application, others find its disk`, () =>
    fc.assert(
      fc.asyncProperty(applications, (bytes) =>
        withScratch(async (scratch) => {
          const application = await makeApplication(scratch, bytes);
          const path = await exported(application, scratch, name);
          const folder = join(scratch, "unpacked");
          mkdirSync(folder);
          const disk = openDisk(unpack(path, folder)).disk;
          const wanted = bootableDisk(diskParts(application));
          try {
            const [found, expected] = [
              Buffer.alloc(wanted.sizeBytes),
              Buffer.alloc(wanted.sizeBytes),
            ];
            disk.read(found, 0);
            wanted.read(expected, 0);
            assert.ok(found.equals(expected));
          } finally {
            disk.close();
            wanted.close();
          }
        }),
      ),
      { numRuns: 8 },
    ));
}
