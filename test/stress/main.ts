/**
 * `npm run stress`: runs threaded programs over and over on 2 and 4 processors and compares each run
 * with the host's, to find what happens once in a hundred times.
 *
 *     npm run stress -- [--runs N] [NAME …]
 *
 * QEMU's log of resets and what the guest said are left in `build/test/stress/` for each failed run.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findHypervisor } from "../../capstan/hypervisor/find-program.ts";
import { repositoryRoot } from "../harness/paths.ts";
import { runCapstan, runOnHost } from "../harness/process.ts";
import { javaPrograms, processorCounts, stressOptions, threadedPrograms } from "./programs.ts";

const { values, positionals } = parseArgs({
  options: { runs: { type: "string", default: "100" } },
  allowPositionals: true,
});
const folder = join(repositoryRoot, "build/test/stress");
const chosen = [...threadedPrograms, ...javaPrograms].filter(({ name }) => {
  return positionals.length === 0 || positionals.includes(name);
});
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** QEMU, made to log why a machine was reset. */
function loggingQemu(): string {
  const script = join(folder, "qemu");
  const text = `#!/bin/sh\nexec ${findHypervisor("qemu", process.env)} "$@" -d cpu_reset -D "$STRESS_LOG"\n`;
  writeFileSync(script, text, { mode: 0o755 });
  return script;
}

mkdirSync(folder, { recursive: true });
const qemu = loggingQemu();
let failures = 0;
let runs = 0;
for (const { name, argv: makeArgv } of chosen) {
  const argv = makeArgv();
  const expected = await runOnHost(argv);
  for (const cpus of processorCounts) {
    const before = failures;
    for (let run = 1; run <= Number(values.runs); run += 1) {
      const log = join(folder, `${name}-${cpus}-${run}`);
      const words = [...stressOptions(cpus), "--timeout", "240", "--", ...argv];
      const env = { CAPSTAN_QEMU: qemu, STRESS_LOG: `${log}.qemu` };
      const { status, stdout, stderr } = await runCapstan(words, { env });
      runs += 1;
      if (status === expected.status && stdout.equals(expected.stdout)) {
        rmSync(`${log}.qemu`, { force: true });
        continue;
      }
      failures += 1;
      writeFileSync(`${log}.output`, Buffer.concat([stdout, stderr]));
      print(`${name}, ${cpus} processors, run ${run}: status ${status}; see ${log}.*`);
    }
    print(`${name}, ${cpus} processors: ${failures - before} of ${values.runs} runs failed`);
  }
}
print(`${runs - failures} passed, ${failures} failed`);
if (failures > 0 || runs === 0) process.exitCode = 1;
