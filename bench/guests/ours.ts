/**
 * Our guest: the kernel of this repository with an image that capstan's own code builds, booted
 * with the flags of the Linux guest.
 */
import { randomBytes } from "node:crypto";
import { silentProgress } from "../../capstan/console/progress.ts";
import { encodeConfiguration } from "../../capstan/protocol/command-line.ts";
import { prepareSource } from "../../capstan/run/prepare.ts";
import type { BenchGuest, BootRequest } from "./guest.ts";
import { bootMachine, type MachineFlags } from "./machine.ts";

/** A guest with our kernel. */
export function ourGuest(kernelPath: string, flags: MachineFlags): BenchGuest {
  return { name: "ours", boot: (request) => boot(kernelPath, flags, request) };
}

async function boot(kernelPath: string, flags: MachineFlags, request: BootRequest) {
  const { args = [], files = {} } = request;
  const prepared = await prepareSource(
    { kind: "program", program: request.program, args: [] },
    {
      cwd: "/",
      env: {},
      add: Object.entries(files).map(([guest, host]) => `${host}:${guest}`),
      host: process.env,
      progress: silentProgress,
    },
  );
  const commandLine = encodeConfiguration({
    console: "serial",
    executable: prepared.source.launch.executable,
    argv0: prepared.source.launch.argv0,
    args,
    cwd: "/",
    env: {},
    verbose: false,
    epochNs: BigInt(Date.now()) * 1_000_000n,
    entropy: randomBytes(32),
  });
  const disk = prepared.image.path;
  return bootMachine(flags, { kernel: kernelPath, commandLine, disk }, request);
}
