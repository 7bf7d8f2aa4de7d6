/**
 * Our guest: the kernel of this repository with an image that capstan's own code builds, booted
 * with the flags of the Linux guest.
 */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentProgress } from "../../capstan/console/progress.ts";
import { bootableDisk } from "../../capstan/disk/bootable-disk.ts";
import { writeRaw } from "../../capstan/disk/formats/raw.ts";
import { writeWhole } from "../../capstan/disk/output-file.ts";
import { encodeConfiguration } from "../../capstan/protocol/command-line.ts";
import { prepareSource } from "../../capstan/run/prepare.ts";
import type { BenchGuest, BootRequest } from "./guest.ts";
import { bootMachine, type MachineFlags } from "./machine.ts";

/** A guest with our kernel. */
export function ourGuest(kernelPath: string, flags: MachineFlags): BenchGuest {
  return { name: "ours", boot: (request) => boot(kernelPath, flags, request) };
}

async function boot(kernelPath: string, flags: MachineFlags, request: BootRequest) {
  const { args = [], files = {}, appliance } = request;
  const prepared = await prepareSource(
    appliance === undefined
      ? { kind: "program", program: request.program, args: [] }
      : { kind: "source", text: `appliance:${appliance}`, args: [] },
    {
      cwd: "/",
      env: {},
      add: [
        ...Object.entries(files).map(([guest, host]) => `${host}:${guest}`),
        ...(request.add ?? []),
      ],
      host: process.env,
      progress: silentProgress,
    },
  );
  const { launch } = prepared.source;
  const configuration = {
    console: "serial",
    executable: launch.executable,
    argv0: launch.argv0,
    isAppliance: launch.isAppliance === true,
    args,
    cwd: "/",
    env: {},
    verbose: false,
  } as const;
  const rootImagePath = prepared.image.path;
  if (request.from === "disk") {
    const path = join(tmpdir(), `osv-bench-${process.pid}.img`);
    const disk = bootableDisk({
      kernelPath,
      rootImagePath,
      configuration: (root) => encodeConfiguration({ ...configuration, root }),
    });
    await writeWhole(path, undefined, (output) => writeRaw(disk, output));
    disk.close();
    try {
      return await bootMachine(flags, { disk: path }, request);
    } finally {
      rmSync(path);
    }
  }
  const encoded = encodeConfiguration({
    ...configuration,
    epochNs: BigInt(Date.now()) * 1_000_000n,
    entropy: randomBytes(32),
    ...(request.network === undefined ? {} : { ip: `${request.network.address}/24::` }),
  });
  const words = (request.kernelOptions ?? []).map((word) => `${word} `).join("");
  const commandLine = `${words}${encoded}`;
  const kernel = { path: kernelPath, commandLine };
  return bootMachine(flags, { kernel, disk: rootImagePath }, request);
}
