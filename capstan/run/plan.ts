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
import {
  commandLineLimitBytes,
  configurationInInitrd,
  encodeConfiguration,
  type GuestConfiguration,
} from "../protocol/command-line.ts";

/** A machine before it starts. */
export interface BootPlan {
  /** Path of the VMM's program. */
  readonly vmmPath: string;
  readonly machine: Omit<MachineSpec, "commandLine" | "initrdPath">;
  readonly guest: Omit<GuestConfiguration, "epochNs" | "entropy">;
}

/**
 * Completes a plan and uses it. A configuration too long for a command line lies in a file
 * meanwhile.
 * @param folder for that file; a temporary one if there is none
 */
export async function withMachine<T>(
  plan: BootPlan,
  use: (spec: MachineSpec) => Promise<T>,
  folder?: string,
): Promise<T> {
  const text = encodeConfiguration({
    ...plan.guest,
    epochNs: BigInt(Date.now()) * 1_000_000n,
    entropy: randomBytes(32),
  });
  if (text.length <= commandLineLimitBytes) return use({ ...plan.machine, commandLine: text });
  const place = folder ?? mkdtempSync(join(tmpdir(), "capstan-"));
  const initrdPath = join(place, "configuration");
  try {
    writeFileSync(initrdPath, text, { mode: 0o600 });
    return await use({ ...plan.machine, commandLine: configurationInInitrd, initrdPath });
  } finally {
    rmSync(folder === undefined ? place : initrdPath, { recursive: true, force: true });
  }
}
