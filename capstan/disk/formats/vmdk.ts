/** VMDK, VMware's format, in two kinds. Neighbours: reader and writers stand beside this file. */
import type { DiskFormat } from "../disk-image.ts";
import { opening } from "../input-file.ts";
import { flagCompressed, sectorBytes, vmdkMagic } from "./vmdk-header.ts";
import { VmdkDisk } from "./vmdk-reader.ts";
import { writeSparseVmdk, writeStreamVmdk } from "./vmdk-writer.ts";

function isVmdk(head: Buffer, isCompressed: boolean): boolean {
  return (
    head.length >= sectorBytes &&
    head.readUInt32LE(0) === vmdkMagic &&
    ((head.readUInt32LE(8) & flagCompressed) !== 0) === isCompressed
  );
}

/** The kind that is used in place. */
export const vmdkFormat: DiskFormat = {
  name: "vmdk",
  summary: "VMware Workstation and Fusion (monolithicSparse)",
  extension: ".vmdk",
  recognises: (head) => isVmdk(head, false),
  open: (path) => opening(path, (file) => new VmdkDisk(file)),
  write: writeSparseVmdk,
};

/** The kind for transport. */
export const vmdkStreamFormat: DiskFormat = {
  name: "vmdk-stream",
  summary: "vSphere, EC2 import, OVA (streamOptimized)",
  extension: ".vmdk",
  recognises: (head) => isVmdk(head, true),
  open: (path) => opening(path, (file) => new VmdkDisk(file)),
  write: writeStreamVmdk,
};
