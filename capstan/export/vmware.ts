/**
 * VMware Workstation, Fusion and Player: a ZIP archive with the machine's description (vmx) and its
 * disk, ready to be unpacked and opened.
 */
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import { vmdkFormat } from "../disk/formats/vmdk.ts";
import { writeWhole } from "../disk/output-file.ts";
import { appendAll } from "./archive.ts";
import { type Application, type FileTarget, writeApplicationDisk } from "./target.ts";

/** The earliest date that ZIP knows, in local time as ZIP has it: the same on every machine. */
const noDate = new Date(1980, 0, 1);

/** The text of the vmx file. */
export function vmxText({ name, memoryBytes, cpus }: Application): string {
  const settings: Readonly<Record<string, string | number>> = {
    ".encoding": "UTF-8",
    "config.version": 8,
    "virtualHW.version": 10,
    displayName: name.replaceAll('"', "'"),
    guestOS: "other-64",
    memsize: Math.ceil(memoryBytes / 2 ** 20),
    numvcpus: cpus,
    "pciBridge0.present": "TRUE",
    "sata0.present": "TRUE",
    "sata0:0.present": "TRUE",
    "sata0:0.fileName": "disk.vmdk",
    "ethernet0.present": "TRUE",
    "ethernet0.virtualDev": "vmxnet3",
    "ethernet0.connectionType": "nat",
    "ethernet0.addressType": "generated",
    "serial0.present": "TRUE",
    "serial0.fileType": "file",
    "serial0.fileName": "serial.log",
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key} = "${value}"\n`)
    .join("");
}

/** The target. */
export const vmwareTarget: FileTarget = {
  kind: "file",
  name: "vmware",
  summary: "VMware Workstation, Fusion, Player (ZIP with vmx and vmdk)",
  extension: ".zip",
  async write(application, output, { scratchFolder, signal }) {
    const disk = join(scratchFolder(), "disk.vmdk");
    await writeWhole(disk, signal, (file) => writeApplicationDisk(application, vmdkFormat, file));
    const folder = application.name;
    const zip = new ZipFile();
    // Only the DOS time stamp: the other kind is in UTC, and would tell the time zone.
    const options = { mtime: noDate, forceDosTimestamp: true, mode: 0o100644, compressionLevel: 3 };
    zip.addBuffer(Buffer.from(vmxText(application)), `${folder}/${folder}.vmx`, options);
    zip.addFile(disk, `${folder}/disk.vmdk`, options);
    zip.end();
    await pipeline(zip.outputStream, (bytes: AsyncIterable<Buffer>) => appendAll(output, bytes));
  },
};
