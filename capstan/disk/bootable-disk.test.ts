/** What lies where on a disk that starts by itself. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { probeCode, probeElf } from "../hypervisor/probe-guest.ts";
import { assertFsckAccepts, withScratch } from "../image/erofs/testing.ts";
import { writeErofs } from "../image/erofs/writer.ts";
import { FsTree, neutralAttributes } from "../image/tree.ts";
import { decodeBootCode } from "./boot/boot-sector.ts";
import { decodeFirstSector } from "./boot/partition-table.ts";
import { bootableDisk } from "./bootable-disk.ts";
import { lookInsideDisk } from "./look-inside.ts";

/** Sizes of the application's one file. */
async function withDiskParts(
  sizeBytes: number,
  use: (parts: { kernelPath: string; rootImagePath: string; rootBytes: number }) => void,
): Promise<void> {
  await withScratch(async (scratch) => {
    const tree = new FsTree();
    const content = { from: "bytes", bytes: Buffer.alloc(sizeBytes, 7) } as const;
    tree.set("/app", { kind: "file", attributes: neutralAttributes(0o755), content });
    const [rootImagePath, kernelPath] = [join(scratch, "root"), join(scratch, "kernel")];
    const { sizeBytes: rootBytes } = await writeErofs(tree, rootImagePath);
    writeFileSync(kernelPath, probeElf());
    use({ kernelPath, rootImagePath, rootBytes });
  });
}

test("boot loader, configuration, kernel and file system are where the sector says", () =>
  withDiskParts(3_000_000, ({ rootBytes, ...parts }) => {
    let root = "";
    const disk = bootableDisk({
      ...parts,
      configuration: (name) => {
        root = name;
        return `root=${name} -- /app`;
      },
    });
    const sector = Buffer.alloc(512);
    disk.read(sector, 0);
    const parameters = decodeBootCode(sector);
    const table = decodeFirstSector(sector);
    assert.ok(parameters !== undefined && table !== undefined);
    const kernel = Buffer.alloc(parameters.kernelSectors * 512);
    disk.read(kernel, parameters.kernelFirstSector * 512);
    assert.ok(kernel.subarray(0, probeCode.length).equals(probeCode));
    const inside = lookInsideDisk(disk);
    assert.equal(inside.boot?.configuration, `root=${root} -- /app`);
    assert.ok(inside.root?.lookup("/app") !== undefined);
    const signature = table.signature.toString(16).padStart(8, "0");
    assert.equal(root, `PARTUUID=${signature}-02`);
    const [boot, files] = table.partitions;
    assert.ok(boot !== undefined && files !== undefined);
    assert.ok(boot.firstSector + boot.sectors <= files.firstSector);
    assert.equal(files.sectors * 512, rootBytes);
    assert.equal(disk.sizeBytes % 2 ** 20, 0);
    const content = Buffer.alloc(rootBytes);
    disk.read(content, files.firstSector * 512);
    const copy = `${parts.rootImagePath}.copy`;
    writeFileSync(copy, content);
    assertFsckAccepts(copy);
    disk.close();
  }));

test("a disk is hardly larger than its parts", () =>
  withDiskParts(10_000_000, ({ rootBytes, ...parts }) => {
    const disk = bootableDisk({ ...parts, configuration: () => "-- /app" });
    // With the kernel's megabyte this stays below two.
    assert.ok(disk.sizeBytes - rootBytes < 2 ** 20 + 128 * 1024, `${disk.sizeBytes}`);
    disk.close();
  }));

test("a configuration that the boot loader has no room for is refused", () =>
  withDiskParts(1000, ({ kernelPath, rootImagePath }) => {
    const configuration = (): string => "x".repeat(64 * 1024);
    assert.throws(
      () => bootableDisk({ kernelPath, rootImagePath, configuration }),
      (error) => error instanceof UserError && error.code === "CommandLineTooLong",
    );
  }));
