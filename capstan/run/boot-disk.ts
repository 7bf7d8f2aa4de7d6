/**
 * Writes the disk that a machine starts from, for hypervisors that boot nothing else: boot loader,
 * kernel, configuration and root file system. Neighbours: `plan.ts` (the user), `../disk/`.
 */
import { join } from "node:path";
import { bootableDisk } from "../disk/bootable-disk.ts";
import { diskFormat } from "../disk/formats.ts";
import { writeWhole } from "../disk/output-file.ts";
import { FatalError } from "../errors.ts";
import type { BootDisk, MachineSpec } from "../hypervisor/hypervisor.ts";
import { encodeConfiguration, type GuestConfiguration } from "../protocol/command-line.ts";

/**
 * Writes the disk into a folder.
 * @param name of a format
 * @throws UserError when the configuration is too long for the boot loader, or the disk is full
 */
export async function writeBootDisk(
  machine: Pick<MachineSpec, "kernelPath" | "rootImagePath">,
  guest: GuestConfiguration,
  name: string,
  folder: string,
): Promise<BootDisk> {
  const format = diskFormat(name);
  if (format === undefined || machine.rootImagePath === undefined) {
    throw new FatalError(`no boot disk in the format ${name}`);
  }
  const disk = bootableDisk({
    kernelPath: machine.kernelPath,
    rootImagePath: machine.rootImagePath,
    configuration: (root) => encodeConfiguration({ ...guest, root }),
  });
  const path = join(folder, `boot.${name}`);
  try {
    await writeWhole(path, undefined, (output) => format.write(disk, output, {}));
  } finally {
    disk.close();
  }
  return { path, format: qemuFormat(name) };
}

/** QEMU's name of a format. */
function qemuFormat(name: string): string {
  return name === "vhd" ? "vpc" : name;
}
