/**
 * `npm run conformance`: CPython's own tests of threads, processes, signals, files and sockets in a
 * guest, judged against the same run on the host, and PostgreSQL. `npm run conformance -- test_os
 * postgresql` runs some cases. What the guests said is left in `build/test/conformance/`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../harness/paths.ts";
import type { CaseReport } from "./case.ts";
import { modules } from "./modules.ts";
import { runPostgresql } from "./postgresql.ts";
import { runModule } from "./run.ts";

const folder = join(repositoryRoot, "build/test/conformance");

/** Every case by its name. */
const cases = new Map<string, () => Promise<CaseReport>>([
  ...modules.map((module) => [module.name, () => reportOn(module)] as const),
  ["postgresql", runPostgresql],
]);

async function reportOn(module: (typeof modules)[number]): Promise<CaseReport> {
  const { passed, differences, output } = await runModule(module);
  const summary = `${passed} passed, ${differences.length} worse than on the host`;
  const complaints = differences.map(({ test, host, guest }) => `${test}: ${host} -> ${guest}`);
  return { summary, complaints, output };
}

/** Runs a case and prints its lines; whether it passed. */
async function passes(name: string, run: () => Promise<CaseReport>): Promise<boolean> {
  const startedMs = Date.now();
  try {
    const { summary, complaints, output } = await run();
    writeFileSync(join(folder, `${name}.log`), output);
    print(`${name}: ${summary} (${Math.round((Date.now() - startedMs) / 1000)} s)`);
    for (const complaint of complaints) print(`  ${complaint}`);
    return complaints.length === 0;
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    return false;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !cases.has(name));
if (unknown.length > 0) {
  print(`no such case: ${unknown.join(", ")}; there are ${[...cases.keys()].join(" ")}`);
  process.exitCode = 2;
} else {
  mkdirSync(folder, { recursive: true });
  let passed = 0;
  let failed = 0;
  for (const [name, run] of cases) {
    if (names.length > 0 && !names.includes(name)) continue;
    if (await passes(name, run)) passed += 1;
    else failed += 1;
  }
  print(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
