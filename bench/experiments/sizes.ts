/** Sizes of kernels and images, and the time that capstan itself takes. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentProgress } from "../../capstan/console/progress.ts";
import { prepareSource } from "../../capstan/run/prepare.ts";
import { capstanLauncher } from "../../test/harness/paths.ts";
import type { HostExperiment } from "../experiment.ts";
import { median } from "../statistics.ts";
import { benchProgram } from "./programs.ts";

const mebibyte = 1024 ** 2;

/** The file that is booted. */
export const kernelSize: HostExperiment = {
  kind: "host",
  rows: [{ id: "kernel", title: "kernel file", unit: "MiB", better: "lower", goal: "≤ 1 MB" }],
  measure: async ({ kernelPath, linux }) => ({
    ours: { kernel: statSync(kernelPath).size / mebibyte },
    linux: { kernel: statSync(linux.path).size / mebibyte },
  }),
};

/** An image of a program of 5 MB, built without a cache. */
export const imageBuild: HostExperiment = {
  kind: "host",
  rows: [
    {
      id: "image-time",
      title: "image of a 5 MB program",
      unit: "ms",
      better: "lower",
      goal: "< 1 s",
    },
    {
      id: "image-overhead",
      title: "image overhead over the files in it",
      unit: "KiB",
      better: "lower",
      goal: "≤ 1 MB",
    },
  ],
  measure: async () => {
    const folder = mkdtempSync(join(tmpdir(), "capstan-bench-"));
    try {
      const { image, durationMs } = await prepareSource(
        { kind: "program", program: benchProgram("large"), args: [] },
        {
          cwd: "/",
          env: {},
          add: [],
          host: { PATH: "/bin", CAPSTAN_ROOT: folder },
          progress: silentProgress,
        },
      );
      const overhead = (image.sizeBytes - image.contentBytes) / 1024;
      return { ours: { "image-time": durationMs, "image-overhead": overhead } };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** A whole `capstan run` of hello, with the image in the cache. */
export const wholeRun: HostExperiment = {
  kind: "host",
  rows: [
    {
      id: "capstan-run",
      title: "capstan run of hello, whole command, cached image",
      unit: "ms",
      better: "lower",
    },
    {
      id: "capstan-first-output",
      title: "the same, QEMU's start to first output",
      unit: "ms",
      better: "lower",
    },
  ],
  measure: async () => {
    const argv = [capstanLauncher, "run", "--json", "--", benchProgram("hello")];
    const times: number[] = [];
    const outputs: number[] = [];
    for (let run = 0; run < 6; run += 1) {
      const startMs = performance.now();
      const { stdout, status } = spawnSync(process.execPath, argv, { timeout: 120_000 });
      if (status !== 0) throw new Error(`capstan run ended with status ${status}: ${stdout}`);
      // The first run fills the cache.
      if (run === 0) continue;
      times.push(performance.now() - startMs);
      outputs.push(Number(JSON.parse(stdout.toString("utf8")).timingsMs.firstOutput));
    }
    return {
      ours: { "capstan-run": median(times) ?? 0, "capstan-first-output": median(outputs) ?? 0 },
    };
  },
};
