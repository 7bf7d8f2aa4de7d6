/**
 * The Linux guest: Debian's kernel as uncompressed ELF, booted by PVH, with the program as /init
 * of an initial RAM disk. The file that a program reads lies in that RAM disk too, so its pages
 * are in Linux's page cache from the start: rows about files compare warm caches only. (Debian
 * builds its virtio drivers as modules, so no disk is read during boot.)
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { collectProgram } from "../../capstan/package/collect.ts";
import { benchProgram } from "../experiments/programs.ts";
import type { LinuxKernel } from "../linux/debian-kernel.ts";
import { initramfs } from "../linux/initramfs.ts";
import { serverArchive } from "../linux/server-archive.ts";
import type { BenchGuest, BootRequest, BootResult } from "./guest.ts";
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
      if (request.network !== undefined) return bootServer(kernel, flags, folder, request);
      const files = Object.entries(request.files ?? {}).map(([path, host]): [string, Buffer] => {
        return [path, readFileSync(host)];
      });
      const initrd = join(folder, `initramfs-${basename(request.program)}.cpio`);
      writeFileSync(initrd, initramfs(readFileSync(request.program), Object.fromEntries(files)));
      const commandLine = linuxCommandLine(flags, request.args ?? []);
      // The disk is there for the sake of the same flags; Linux does not use it.
      const disk = request.program;
      return bootMachine(
        flags,
        { kernel: { path: kernel.path, commandLine }, initrd, disk },
        request,
      );
    },
  };
}

function linuxCommandLine(flags: MachineFlags, args: readonly string[]): string {
  const khz = flags.countsInstructions ? 1_000_000 : hostTscKhz();
  const clock = flags.accelerator === "tcg" ? [`tsc_early_khz=${khz}`] : [];
  return ["console=ttyS0", "quiet", "panic=-1", ...clock, "--", ...args].join(" ");
}

/** Boots a program of the host with everything it needs, and a network card. */
async function bootServer(
  kernel: LinuxKernel,
  flags: MachineFlags,
  folder: string,
  request: BootRequest,
): Promise<BootResult> {
  const { program, args = [], add = [], network } = request;
  const collected = await collectProgram({
    program,
    args: [],
    cwd: "/",
    env: {},
    add,
    searchPath: "/bin",
  });
  const initrd = join(folder, `initramfs-${basename(program)}.cpio`);
  writeFileSync(initrd, serverArchive(collected.tree, benchProgram("server-init"), kernel.modules));
  const words = [network?.address ?? "", collected.executable, ...args];
  const commandLine = linuxCommandLine(flags, words);
  return bootMachine(
    flags,
    { kernel: { path: kernel.path, commandLine }, initrd, disk: program },
    request,
  );
}

/**
 * The rate of the host's time-stamp counter, which a guest under TCG sees as its own. Linux is told
 * it, because on a busy host it fails to calibrate against the PIT and then never boots; this also
 * spares it the time for that.
 */
function hostTscKhz(): number {
  const output = execFileSync(benchProgram("boot"), { encoding: "latin1" });
  const khz = /^result tsc-khz (\S+)$/m.exec(output)?.[1];
  if (khz === undefined) throw new Error(`the boot program printed no rate: ${output}`);
  return Math.round(Number(khz));
}
