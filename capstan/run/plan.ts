/**
 * A boot plan: all that is known of a machine before it starts, as plain data that can be kept in a
 * file. A foreground run carries it out at once; the supervisor of a background instance reads it
 * and does the same. The clock and the random seed are added when the machine really starts.
 *
 * Neighbours: `commands/run.ts` and `instance/` make and use plans.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MachineSpec } from "../hypervisor/hypervisor.ts";
import type { HypervisorName } from "../hypervisor/hypervisor-names.ts";
import {
  commandLineLimitBytes,
  configurationInInitrd,
  encodeConfiguration,
  type GuestConfiguration,
} from "../protocol/command-line.ts";

/** A machine before it starts. */
export interface BootPlan {
  readonly hypervisor: HypervisorName;
  /** Path of the program by which it is driven. */
  readonly programPath: string;
  /** Format of the disk that the machine boots from; absent: kernel and root image apart. */
  readonly diskFormat?: string;
  readonly machine: Omit<MachineSpec, "commandLine" | "initrdPath">;
  readonly guest: Omit<GuestConfiguration, "epochNs" | "entropy">;
}

/**
 * Completes a plan and uses it. A configuration too long for a command line, and a disk to boot
 * from, lie in a folder meanwhile.
 * @param folder in which that folder is made; the system's for temporary files if there is none
 */
export async function withMachine<T>(
  plan: BootPlan,
  use: (spec: MachineSpec) => Promise<T>,
  folder: string = tmpdir(),
): Promise<T> {
  const { machine, diskFormat } = plan;
  const guest: GuestConfiguration = {
    ...plan.guest,
    epochNs: BigInt(Date.now()) * 1_000_000n,
    entropy: randomBytes(32),
  };
  const text = encodeConfiguration(guest);
  if (diskFormat === undefined && text.length <= commandLineLimitBytes) {
    return use({ ...machine, commandLine: text });
  }
  const place = mkdtempSync(join(folder, "capstan-"));
  try {
    if (diskFormat !== undefined) {
      const { writeBootDisk } = await import("./boot-disk.ts");
      const bootDisk = await writeBootDisk(machine, guest, diskFormat, place);
      return await use({ ...machine, commandLine: text, bootDisk });
    }
    const initrdPath = join(place, "configuration");
    writeFileSync(initrdPath, text, { mode: 0o600 });
    return await use({ ...machine, commandLine: configurationInInitrd, initrdPath });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
