/**
 * OVA: descriptor, manifest and compressed disk in one archive, in this order, for VirtualBox and
 * for ESXi.
 *
 * Reference: DMTF DSP0243, section 5 (OVF package). Neighbours: `ovf.ts`, `archive.ts`.
 */
import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { join } from "node:path";
import { bootableDisk } from "../disk/bootable-disk.ts";
import type { DiskImage, DiskOutput } from "../disk/disk-image.ts";
import { vmdkStreamFormat } from "../disk/formats/vmdk.ts";
import { writeWhole } from "../disk/output-file.ts";
import { appendAll, archiveEnd, fileHeader, filePadding } from "./archive.ts";
import { type OvfDialect, ovfDescriptor } from "./ovf.ts";
import { type Application, diskParts, type ExportContext, type FileTarget } from "./target.ts";

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

function populatedBytes(disk: DiskImage): number {
  let sum = 0;
  for (const { startBytes, endBytes } of disk.extents()) sum += endBytes - startBytes;
  return sum;
}

async function appendFile(output: DiskOutput, name: string, path: string): Promise<void> {
  const sizeBytes = statSync(path).size;
  output.append(fileHeader(name, sizeBytes));
  await appendAll(output, createReadStream(path, { highWaterMark: 2 ** 20 }));
  output.append(filePadding(sizeBytes));
}

function appendText(output: DiskOutput, name: string, text: string): void {
  const bytes = Buffer.from(text);
  output.append(fileHeader(name, bytes.length));
  output.append(bytes);
  output.append(filePadding(bytes.length));
}

async function writeOva(
  dialect: OvfDialect,
  application: Application,
  output: DiskOutput,
  { scratchFolder, signal }: ExportContext,
): Promise<void> {
  const { name, memoryBytes, cpus } = application;
  const diskFile = `${name}-disk1.vmdk`;
  const path = join(scratchFolder(), "disk.vmdk");
  const disk = bootableDisk(diskParts(application));
  try {
    // The descriptor, which comes first, tells the size of the compressed disk.
    const write = vmdkStreamFormat.write;
    const diskFileBytes = await writeWhole(path, signal, (file) => write(disk, file, {}));
    const descriptor = ovfDescriptor(dialect, {
      name,
      diskFile,
      diskFileBytes,
      diskBytes: disk.sizeBytes,
      populatedBytes: populatedBytes(disk),
      memoryBytes,
      cpus,
    });
    const descriptorHash = createHash("sha256").update(descriptor).digest("hex");
    const manifest =
      `SHA256(${name}.ovf)= ${descriptorHash}\n` + `SHA256(${diskFile})= ${await sha256Of(path)}\n`;
    appendText(output, `${name}.ovf`, descriptor);
    appendText(output, `${name}.mf`, manifest);
    await appendFile(output, diskFile, path);
    output.append(archiveEnd());
  } finally {
    disk.close();
  }
}

/** For VirtualBox. */
export const ovaTarget: FileTarget = {
  kind: "file",
  name: "ova",
  summary: "VirtualBox (OVA)",
  extension: ".ova",
  write: (application, output, context) => writeOva("virtualbox", application, output, context),
};

/** For ESXi and vSphere. */
export const ovaEsxiTarget: FileTarget = {
  kind: "file",
  name: "ova-esxi",
  summary: "ESXi, vSphere (OVA)",
  extension: ".ova",
  write: (application, output, context) => writeOva("esxi", application, output, context),
};
