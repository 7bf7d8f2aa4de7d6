/** What single operations of the kernel cost: each program times itself in the guest. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../test/harness/paths.ts";
import type { GuestExperiment, RowDefinition } from "../experiment.ts";
import { value } from "./boot.ts";
import { benchProgram } from "./programs.ts";

/** An experiment that boots one program and takes its results as rows. */
function programExperiment(
  program: string,
  rows: readonly RowDefinition[],
  files: () => Readonly<Record<string, string>> = () => ({}),
): GuestExperiment {
  return {
    kind: "guest",
    rows,
    measure: async (guest) => {
      const request = {
        program: benchProgram(program),
        files: files(),
        args: Object.keys(files()),
      };
      const result = await guest.boot(request);
      return Object.fromEntries(rows.map(({ id }) => [id, value(result, id)]));
    },
  };
}

const nanoseconds = { unit: "ns", better: "lower" } as const;
const throughput = { unit: "MiB/s", better: "higher" } as const;

/** System calls and the clock of the vDSO. */
export const systemCalls = programExperiment("syscall", [
  { id: "syscall", title: "null system call", ...nanoseconds, goal: "≥ 1×" },
  { id: "clock", title: "clock_gettime by the vDSO", ...nanoseconds },
]);

/** Page faults. */
export const pageFaults = programExperiment("fault", [
  { id: "fault", title: "page fault, 4 KiB pages", ...nanoseconds, goal: "≥ 1×" },
  { id: "touch", title: "first touch per 4 KiB, page size by the system", ...nanoseconds },
]);

/** Context switches. */
export const contextSwitches = programExperiment("switch", [
  { id: "pipe", title: "context switch by pipe", ...nanoseconds },
  { id: "futex", title: "context switch by futex", ...nanoseconds },
]);

const dataBytes = 16 * 1024 ** 2;

/** A file of 16 MiB that is the same every time. */
function dataFile(): Readonly<Record<string, string>> {
  const path = join(repositoryRoot, "build/bench/data");
  if (!existsSync(path)) writeFileSync(path, Buffer.alloc(dataBytes, "unikernel "));
  return { "/data": path };
}

/** Reading a file whose pages are in the page cache. */
export const fileReads = programExperiment(
  "file",
  [
    { id: "read64k", title: "file read, 64 KiB pieces", ...throughput, goal: "≥ 1×" },
    { id: "read4k", title: "file read, 4 KiB pieces", ...throughput, goal: "≥ 1×" },
    { id: "mmap", title: "file read by mmap", ...throughput, goal: "≥ 1×" },
  ],
  dataFile,
);
