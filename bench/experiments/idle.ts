/** What an idle guest costs the host. */
import { readFileSync } from "node:fs";
import type { GuestExperiment } from "../experiment.ts";
import { benchProgram } from "./programs.ts";

/** Clock ticks a second in /proc: USER_HZ, 100 on every Linux. */
const ticksPerSecond = 100;

/** Processor time of QEMU while its guest sleeps for 20 s. */
export const idleGuest: GuestExperiment = {
  kind: "guest",
  rows: [
    {
      id: "idle",
      title: "idle guest, share of a host CPU",
      unit: "%",
      better: "lower",
      goal: "< 2 %",
    },
  ],
  mostRuns: 1,
  measure: async (guest) => {
    let start: { ticks: number; ms: number } | null = null;
    let percent: number | null = null;
    await guest.boot({
      program: benchProgram("idle"),
      onLine: (line, pid) => {
        const now = { ticks: cpuTicks(pid), ms: performance.now() };
        if (line === "sleeping") start = now;
        else if (start !== null) {
          const busyMs = ((now.ticks - start.ticks) * 1000) / ticksPerSecond;
          percent = (busyMs / (now.ms - start.ms)) * 100;
        }
      },
    });
    if (percent === null) throw new Error("the guest did not sleep to its end");
    return { idle: percent };
  },
};

/** utime + stime of a process, in clock ticks (proc(5), /proc/pid/stat, fields 14 and 15). */
function cpuTicks(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name in field 2 may hold anything; the fields after its last parenthesis do not.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
