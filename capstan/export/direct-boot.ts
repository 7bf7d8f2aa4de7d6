/**
 * Firecracker and Cloud Hypervisor, which load the kernel themselves: a folder with the kernel, the
 * EROFS file system and a description of the machine that is ready to be used from that folder.
 *
 *     firecracker --no-api --config-file vm_config.json
 *     curl --unix-socket S -X PUT -d @vm_config.json http://localhost/api/v1/vm.create
 *
 * References: Firecracker, src/firecracker/swagger/firecracker.yaml; Cloud Hypervisor,
 * vmm/src/api/openapi/cloud-hypervisor.yaml.
 */
import { constants, copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writingImage } from "../image/write-error.ts";
import { commandLineLimitBytes, configurationInInitrd } from "../protocol/command-line.ts";
import type { Application, FolderTarget } from "./target.ts";

const kernelFile = "kernel.elf";
const rootFile = "rootfs.erofs";
const configurationFile = "configuration";

/** What the kernel is told, and the file with the rest of it when it is long. */
interface Told {
  readonly commandLine: string;
  readonly initrd?: string;
}

/** Copies the files; long configurations go into a file of their own, as the initial RAM disk. */
function writeFiles(application: Application, folder: string): Told {
  const { kernelPath, rootImagePath, configuration } = application;
  const text = configuration("/dev/vda", "serial");
  return writingImage(folder, () => {
    copyFileSync(kernelPath, join(folder, kernelFile));
    // Shares the cache's blocks where the file system can.
    copyFileSync(rootImagePath, join(folder, rootFile), constants.COPYFILE_FICLONE);
    if (text.length <= commandLineLimitBytes) return { commandLine: text };
    writeFileSync(join(folder, configurationFile), text);
    return { commandLine: configurationInInitrd, initrd: configurationFile };
  });
}

function writeDescription(folder: string, description: unknown): void {
  const text = `${JSON.stringify(description, null, 2)}\n`;
  writingImage(folder, () => writeFileSync(join(folder, "vm_config.json"), text));
}

/** The target for Firecracker. */
export const firecrackerTarget: FolderTarget = {
  kind: "folder",
  name: "firecracker",
  summary: "Firecracker: folder with kernel, file system, vm_config.json",
  extension: "",
  async write(application, folder) {
    const { commandLine, initrd } = writeFiles(application, folder);
    writeDescription(folder, {
      "boot-source": {
        kernel_image_path: kernelFile,
        boot_args: commandLine,
        ...(initrd === undefined ? {} : { initrd_path: initrd }),
      },
      // Not the "root device": Firecracker would add a root= of its own.
      drives: [
        { drive_id: "rootfs", path_on_host: rootFile, is_root_device: false, is_read_only: true },
      ],
      "machine-config": {
        vcpu_count: application.cpus,
        mem_size_mib: Math.ceil(application.memoryBytes / 2 ** 20),
      },
    });
  },
};

/** The target for Cloud Hypervisor. */
export const cloudHypervisorTarget: FolderTarget = {
  kind: "folder",
  name: "cloud-hypervisor",
  summary: "Cloud Hypervisor: folder with kernel, file system, vm_config.json",
  extension: "",
  async write(application, folder) {
    const { commandLine, initrd } = writeFiles(application, folder);
    writeDescription(folder, {
      payload: {
        kernel: kernelFile,
        cmdline: commandLine,
        ...(initrd === undefined ? {} : { initramfs: initrd }),
      },
      cpus: { boot_vcpus: application.cpus, max_vcpus: application.cpus },
      memory: { size: application.memoryBytes },
      disks: [{ path: rootFile, readonly: true }],
      serial: { mode: "Tty" },
      console: { mode: "Off" },
    });
  },
};
