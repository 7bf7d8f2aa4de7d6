/**
 * Our files in the hands of qemu-img, and its files in ours. Needs qemu-img (Debian: qemu-utils).
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { withScratch } from "../../image/erofs/testing.ts";
import type { DiskFormat } from "../disk-image.ts";
import { diskFormat, openDisk } from "../formats.ts";
import { PartsDisk } from "../parts-disk.ts";
import { assertSameContents, writeDisk } from "../testing.ts";

/** How qemu-img calls our formats, and its options for making them. */
const foreignFormats: readonly (readonly [ours: string, qemu: string, ...options: string[]])[] = [
  ["qcow2", "qcow2"],
  ["qcow2", "qcow2", "-o", "compat=0.10"],
  ["qcow2", "qcow2", "-c"],
  ["qcow2", "qcow2", "-o", "cluster_size=4k"],
  ["vmdk", "vmdk"],
  ["vmdk-stream", "vmdk", "-o", "subformat=streamOptimized"],
  ["vdi", "vdi"],
  ["vhdx", "vhdx"],
  ["vhd", "vpc", "-o", "force_size=on"],
  ["vhd-fixed", "vpc", "-o", "subformat=fixed,force_size=on"],
];

/** Formats whose tables qemu-img can check. */
const checkable = ["qcow2", "vmdk", "vdi", "vhdx"];

function qemuImg(...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync("qemu-img", args, { encoding: "utf8" });
  if (error !== undefined) throw new Error("qemu-img cannot be run", { cause: error });
  assert.equal(status, 0, `qemu-img ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

function formatOf(name: string): DiskFormat {
  const format = diskFormat(name);
  assert.ok(format !== undefined, name);
  return format;
}

/** 40 MB with data here and there, beyond the first table of every format. */
function sampleDisk(): PartsDisk {
  const noise = Buffer.alloc(300_000);
  for (let index = 0; index < noise.length; index++) noise[index] = (index * 7919) >> 5;
  return new PartsDisk(40 * 2 ** 20, [
    { offsetBytes: 0, content: Buffer.alloc(512, 1) },
    { offsetBytes: 100_000, content: noise },
    { offsetBytes: 35 * 2 ** 20, content: noise },
    { offsetBytes: 40 * 2 ** 20 - 512, content: Buffer.alloc(512, 9) },
  ]);
}

const written = new Map(foreignFormats.map(([ours, qemu]) => [ours, qemu]));

for (const [ours, qemu] of written) {
  test(`${ours}: qemu-img finds our files sound, and the same as the raw disk`, () =>
    withScratch(async (scratch) => {
      const disk = sampleDisk();
      const [raw, file] = [join(scratch, "raw"), join(scratch, "file")];
      await writeDisk(formatOf("raw"), disk, raw);
      await writeDisk(formatOf(ours), disk, file);
      const known: unknown = JSON.parse(qemuImg("info", "-f", qemu, "--output=json", file));
      assert.ok(typeof known === "object" && known !== null && "virtual-size" in known);
      assert.equal(known["virtual-size"], disk.sizeBytes);
      if (checkable.includes(qemu)) qemuImg("check", "-f", qemu, file);
      qemuImg("compare", "-f", "raw", "-F", qemu, raw, file);
    }));
}

for (const [ours, qemu, ...options] of foreignFormats) {
  test(`${ours}: we read what qemu-img writes ${options.join(" ")}`, () =>
    withScratch(async (scratch) => {
      const disk = sampleDisk();
      const [raw, file] = [join(scratch, "raw"), join(scratch, "file")];
      await writeDisk(formatOf("raw"), disk, raw);
      qemuImg("convert", "-f", "raw", "-O", qemu, ...options, raw, file);
      const opened = openDisk(file);
      try {
        assert.equal(opened.format.name, ours);
        assertSameContents(opened.disk, disk);
      } finally {
        opened.disk.close();
      }
    }));
}

test("qcow2: only differences from a backing file are stored", () =>
  withScratch(async (scratch) => {
    const base = sampleDisk();
    const changed = new PartsDisk(base.sizeBytes, [
      { offsetBytes: 0, content: Buffer.alloc(512, 1) },
      { offsetBytes: 100_000, content: Buffer.alloc(200_000, 5) },
    ]);
    const [basePath, overPath] = [join(scratch, "base.qcow2"), join(scratch, "over.qcow2")];
    await writeDisk(formatOf("qcow2"), base, basePath);
    const backing = { disk: base, name: "base.qcow2", format: "qcow2" };
    const size = await writeDisk(formatOf("qcow2"), changed, overPath, { backing });
    assert.ok(size < 10 * 65_536, `${size} bytes`);
    qemuImg("check", "-f", "qcow2", overPath);
    const flat = join(scratch, "flat");
    await writeDisk(formatOf("raw"), changed, flat);
    qemuImg("compare", "-f", "raw", "-F", "qcow2", flat, overPath);
    const opened = openDisk(overPath);
    try {
      assertSameContents(opened.disk, changed);
    } finally {
      opened.disk.close();
    }
  }));

test("qcow2: overlays that qemu-img makes are read, circles of them refused", () =>
  withScratch(async (scratch) => {
    const base = join(scratch, "base.raw");
    const [one, two] = [join(scratch, "one.qcow2"), join(scratch, "two.qcow2")];
    const disk = sampleDisk();
    await writeDisk(formatOf("raw"), disk, base);
    qemuImg("create", "-f", "qcow2", "-F", "raw", "-b", "base.raw", one);
    const opened = openDisk(one);
    assertSameContents(opened.disk, disk);
    opened.disk.close();
    qemuImg("create", "-f", "qcow2", "-F", "qcow2", "-b", "one.qcow2", two);
    qemuImg("rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", "two.qcow2", one);
    assert.throws(() => openDisk(two), /circle/);
  }));

test("a backing file that is said to be raw is not looked into", () =>
  withScratch(async (scratch) => {
    const [inner, outer] = [join(scratch, "inner"), join(scratch, "outer.qcow2")];
    await writeDisk(formatOf("qcow2"), sampleDisk(), inner);
    copyFileSync(inner, join(scratch, "copy"));
    qemuImg("create", "-f", "qcow2", "-F", "raw", "-b", "inner", outer, "1M");
    const opened = openDisk(outer);
    const head = Buffer.alloc(512);
    opened.disk.read(head, 0);
    opened.disk.close();
    assert.equal(head.toString("latin1", 0, 3), "QFI");
    writeFileSync(inner, "");
  }));
