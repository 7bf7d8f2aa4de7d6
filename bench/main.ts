/**
 * `npm run bench`: measures our guest and a Linux guest side by side and prints a table.
 *
 *     npm run bench -- [--runs N] [--only TEXT] [--json] [--no-save] [--instructions]
 *
 * Runs alternate between the guests, so that a change in the host's load hits both; the table
 * shows medians. With `--instructions` the guests' clock counts executed instructions, which does
 * not depend on the host at all; it says nothing about caches and slow instructions. Results are
 * kept in `bench/results/`. Neighbours: `experiments/` (what is measured), `guests/` (how the guests
 * are booted).
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { capstanHome } from "../capstan/home.ts";
import { chooseAccelerator, thisHost } from "../capstan/hypervisor/accelerator.ts";
import { findHypervisor } from "../capstan/hypervisor/find-program.ts";
import { findKernel } from "../capstan/run/kernel-file.ts";
import { repositoryRoot } from "../test/harness/paths.ts";
import type { BenchContext, Experiment, Values } from "./experiment.ts";
import { experiments } from "./experiments/index.ts";
import type { BenchGuest } from "./guests/guest.ts";
import { linuxGuest } from "./guests/linux.ts";
import { ourGuest } from "./guests/ours.ts";
import { debianKernel } from "./linux/debian-kernel.ts";
import { formatTable, type ResultRow } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
    "no-save": { type: "boolean", default: false },
    instructions: { type: "boolean", default: false },
  },
});
const countsInstructions = options.instructions;

const say = (text: string): void => {
  process.stderr.write(text);
};
const buildFolder = join(repositoryRoot, "build/bench");
const qemuPath = findHypervisor("qemu", process.env);
const accelerator = await chooseAccelerator(
  countsInstructions ? "tcg" : "auto",
  thisHost(qemuPath, capstanHome(process.env)),
);
const linux = debianKernel(join(buildFolder, "linux"));
const flags = { qemuPath, accelerator, countsInstructions };
const context: BenchContext = {
  kernelPath: findKernel(undefined, process.env),
  linux,
  flags,
  buildFolder,
  qemuPath,
  say,
};
const guests: readonly BenchGuest[] = [
  linuxGuest(linux, flags, join(buildFolder, "initramfs")),
  ourGuest(context.kernelPath, flags),
];

const chosen = experiments.filter((experiment) => {
  if (countsInstructions && !isCountable(experiment)) return false;
  if (options.only === "" && experiment.kind === "guest" && experiment.isOptional === true)
    return false;
  return experiment.rows.some(({ id, title }) => `${id} ${title}`.includes(options.only));
});
const results: ResultRow[] = [];
for (const experiment of chosen) {
  say(`${experiment.rows.map(({ title }) => title).join("; ")}\n`);
  // A count is the same every time.
  results.push(...(await perform(experiment, countsInstructions ? 1 : Number(options.runs))));
}
const unit = countsInstructions ? ", instructions instead of ns" : "";
const host = `${cpus()[0]?.model ?? "unknown processor"}, Linux ${release()}, QEMU ${accelerator}${unit}`;
const heading = `Linux ${linux.release} against OSv.ts on ${host}`;
const table = `${heading}\n\n${formatTable(results)}`;
const json = JSON.stringify({ date: new Date().toISOString(), heading, rows: results }, null, 2);
process.stdout.write(options.json ? `${json}\n` : table);
if (!options["no-save"] && options.only === "") {
  const folder = join(repositoryRoot, "bench/results");
  mkdirSync(folder, { recursive: true });
  const name = countsInstructions ? "instructions" : "latest";
  writeFileSync(join(folder, `${name}.json`), `${json}\n`);
  writeFileSync(join(folder, `${name}.md`), table);
}
if (results.some(({ problem }) => problem !== null)) process.exitCode = 1;

/** Whether an experiment's values are times that the guest measures itself. */
function isCountable(experiment: Experiment): boolean {
  return experiment.kind === "guest" && experiment.isCountable === true;
}

/** Runs one experiment; a failure fills the row with its reason instead of ending the benchmark. */
async function perform(experiment: Experiment, runs: number): Promise<ResultRow[]> {
  const measured: Record<"linux" | "ours", Values[]> = { linux: [], ours: [] };
  const problems: string[] = [];
  const attempt = async (name: "linux" | "ours", measure: () => Promise<Values>): Promise<void> => {
    try {
      measured[name].push(await measure());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      problems.push(`${name}: ${reason.slice(0, 500)}`);
      say(`    ${name}: ${reason}\n`);
    }
  };
  if (experiment.kind === "host") {
    await attempt("ours", async () => {
      const values = await experiment.measure(context);
      if (values.linux !== undefined) measured.linux.push(values.linux);
      return values.ours;
    });
  } else {
    for (let run = 0; run < Math.min(runs, experiment.mostRuns ?? runs); run += 1) {
      for (const guest of guests)
        await attempt(guest.name, () => experiment.measure(guest, context));
    }
  }
  return experiment.rows.map((definition) => {
    const column = (name: "linux" | "ours"): number[] =>
      measured[name].flatMap((values) => values[definition.id] ?? []);
    return {
      definition,
      linux: column("linux"),
      ours: column("ours"),
      problem: problems[0] ?? null,
    };
  });
}
