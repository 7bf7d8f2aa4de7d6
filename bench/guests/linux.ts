/**
 * The Linux guest: Debian's kernel as uncompressed ELF, booted by PVH, with the program as /init
 * of an initial RAM disk. The file that a program reads lies in that RAM disk too, so its pages
 * are in Linux's page cache from the start: rows about files compare warm caches only. (Debian
 * builds its virtio drivers as modules, so no disk is read during boot.)
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { LinuxKernel } from "../linux/debian-kernel.ts";
import { initramfs } from "../linux/initramfs.ts";
import type { BenchGuest } from "./guest.ts";
import { bootMachine, type MachineFlags } from "./machine.ts";

/**
 * A Linux guest.
 * @param folder for initial RAM disks
 */
export function linuxGuest(kernel: LinuxKernel, flags: MachineFlags, folder: string): BenchGuest {
  mkdirSync(folder, { recursive: true });
  return {
    name: "linux",
    boot: (request) => {
      const files = Object.entries(request.files ?? {}).map(([path, host]): [string, Buffer] => {
        return [path, readFileSync(host)];
      });
      const initrd = join(folder, `initramfs-${basename(request.program)}.cpio`);
      writeFileSync(initrd, initramfs(readFileSync(request.program), Object.fromEntries(files)));
      const words = ["console=ttyS0", "quiet", "panic=-1", "--", ...(request.args ?? [])];
      const commandLine = words.join(" ");
      // The disk is there for the sake of the same flags; Linux does not use it.
      const disk = request.program;
      return bootMachine(flags, { kernel: kernel.path, commandLine, initrd, disk }, request);
    },
  };
}
