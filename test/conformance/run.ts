/**
 * Runs one of CPython's test modules on the host and in a guest and compares test by test.
 * Neighbours: `modules.ts`, `skips.ts` (data), `results.ts`, `verdict.ts`.
 */
import { type Finished, runCapstan, runOnHost } from "../harness/process.ts";
import type { TestModule } from "./modules.ts";
import { type Results, resultsIn } from "./results.ts";
import { skips } from "./skips.ts";
import { type Difference, differences } from "./verdict.ts";

/** The system's interpreter, to which the test modules of the package belong. */
export const python = "/usr/bin/python3";

const minuteMs = 60_000;

/** Runs CPython's test runner with the arguments that follow, then prints its report. */
const runner = `
import sys
from test.libregrtest import main
try:
    main()
finally:
    with open("/tmp/report.xml") as report:
        print(report.read(), flush=True)
`;

/** What came out. */
export interface ModuleReport {
  readonly module: string;
  /** Tests that passed in the guest. */
  readonly passed: number;
  readonly differences: readonly Difference[];
  /** What the guest's interpreter said, to look for the reasons. */
  readonly output: string;
}

/** Runs a module on both sides. Throws an Error if a side ended without a report. */
export async function runModule(module: TestModule): Promise<ModuleReport> {
  const left = skips.flatMap(({ test }) => ["--ignore", test]);
  const report = ["--junit-xml", "/tmp/report.xml"];
  const argv = [python, "-c", runner, "-v", ...report, ...left, module.name];
  const timeoutMs = module.minutes * minuteMs;
  const host = await runOnHost(argv, { timeoutMs });
  const files = (module.files ?? []).flatMap((path) => ["--add", path]);
  const options = ["-m", module.memory, "-c", "2", ...files];
  const guest = await runCapstan([...options, "--", ...argv], { timeoutMs });
  const inGuest = resultsOf("in the guest", module, guest);
  return {
    module: module.name,
    passed: [...inGuest.values()].filter((outcome) => outcome === "passed").length,
    differences: differences(resultsOf("on the host", module, host), inGuest),
    output: outputOf(guest),
  };
}

function outputOf({ stdout, stderr }: Finished): string {
  return `${stdout.toString("utf8")}\n${stderr.toString("utf8")}`;
}

function resultsOf(side: string, module: TestModule, finished: Finished): Results {
  const results = resultsIn(finished.stdout.toString("utf8"));
  if (results !== undefined && results.size > 0) return results;
  const how = finished.signal ?? `status ${finished.status}`;
  const tail = outputOf(finished).slice(-4000);
  throw new Error(`${module.name} ${side} ended with ${how} and without a report:\n${tail}`);
}
