/**
 * `npm run conformance`: CPython's own tests of threads, processes, signals and files in a guest,
 * judged against the same run on the host. `npm run conformance -- test_os test_mmap` runs some
 * modules. What the guests said is left in `build/test/conformance/`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../harness/paths.ts";
import { modules } from "./modules.ts";
import { runModule } from "./run.ts";

const folder = join(repositoryRoot, "build/test/conformance");

/** Runs a module and prints its line; whether the guest did as well as the host. */
async function isSame(module: (typeof modules)[number]): Promise<boolean> {
  const startedMs = Date.now();
  try {
    const report = await runModule(module);
    writeFileSync(join(folder, `${module.name}.log`), report.output);
    const seconds = Math.round((Date.now() - startedMs) / 1000);
    const { passed, differences } = report;
    print(
      `${module.name}: ${passed} passed, ${differences.length} worse than on the host (${seconds} s)`,
    );
    for (const { test, host, guest } of differences) print(`  ${test}: ${host} -> ${guest}`);
    return differences.length === 0;
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    return false;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !modules.some((module) => module.name === name));
const chosen = modules.filter(({ name }) => names.length === 0 || names.includes(name));
if (unknown.length > 0) {
  print(
    `no such module: ${unknown.join(", ")}; there are ${modules.map(({ name }) => name).join(" ")}`,
  );
  process.exitCode = 2;
} else {
  mkdirSync(folder, { recursive: true });
  let failed = 0;
  for (const module of chosen) if (!(await isSame(module))) failed += 1;
  print(`${chosen.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
