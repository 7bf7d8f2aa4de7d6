/** How soon a program runs, and in how little memory. */
import type { GuestExperiment } from "../experiment.ts";
import type { BenchGuest, BootResult } from "../guests/guest.ts";
import { benchProgram } from "./programs.ts";

/** From the start of QEMU's process to the first line of a static hello. */
export const firstOutput: GuestExperiment = {
  kind: "guest",
  rows: [
    {
      id: "first-output",
      title: "boot to first output (QEMU's start to hello's line)",
      unit: "ms",
      better: "lower",
      goal: "≥ 25×",
    },
  ],
  measure: async (guest) => {
    const result = await guest.boot({ program: benchProgram("hello") });
    if (result.firstLineMs === null) throw new Error(`no hello: ${result.diagnostics}`);
    return { "first-output": result.firstLineMs };
  },
};

/** The same on a PC machine, where our guest starts from its disk through the BIOS. */
export const diskFirstOutput: GuestExperiment = {
  kind: "guest",
  rows: [
    {
      id: "disk-first-output",
      title: "q35: ours from its disk through the BIOS, Linux loaded by QEMU",
      unit: "ms",
      better: "lower",
      goal: "≥ 5×",
    },
  ],
  measure: async (guest) => {
    const result = await guest.boot({ program: benchProgram("hello"), from: "disk" });
    if (result.firstLineMs === null) throw new Error(`no hello: ${result.diagnostics}`);
    return { "disk-first-output": result.firstLineMs };
  },
};

/** From the machine's first instruction to the program's, as the guest's time-stamp counter says. */
export const guestBoot: GuestExperiment = {
  kind: "guest",
  rows: [
    {
      id: "guest-boot",
      title: "guest-side boot (machine's to program's first instruction)",
      unit: "ms",
      better: "lower",
    },
  ],
  measure: async (guest) => {
    const result = await guest.boot({ program: benchProgram("boot") });
    return { "guest-boot": value(result, "boot") };
  },
};

/** The least memory in which hello still runs to its end. */
export const smallestMemory: GuestExperiment = {
  kind: "guest",
  rows: [
    {
      id: "smallest-memory",
      title: "smallest memory for hello",
      unit: "MiB",
      better: "lower",
      goal: "≤ 6 MiB",
    },
  ],
  mostRuns: 1,
  measure: async (guest, { say }) => ({ "smallest-memory": await leastMemory(guest, say) }),
};

/** Binary search; assumes that more memory never hurts. */
async function leastMemory(guest: BenchGuest, say: (text: string) => void): Promise<number> {
  const program = benchProgram("hello");
  let fails = 1;
  let works = 256;
  while (works - fails > 1) {
    const memoryMiB = (fails + works) >> 1;
    const { finished } = await guest.boot({ program, memoryMiB, timeoutMs: 60_000 });
    say(`    ${guest.name}: hello ${finished ? "runs" : "does not run"} in ${memoryMiB} MiB\n`);
    if (finished) works = memoryMiB;
    else fails = memoryMiB;
  }
  return works;
}

/** A value that a program printed. */
export function value(result: BootResult, name: string): number {
  const found = result.results.get(name);
  if (found === undefined) throw new Error(`no result "${name}": ${result.diagnostics}`);
  return found;
}
