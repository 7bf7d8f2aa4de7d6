/**
 * `npm test`: runs every suite, also after a failure, and ends with the line `N passed, N failed`.
 * `npm test -- unit guests` runs only the named suites; `npm test -- unit kernel/mm` only the test
 * files of those suites whose path contains the text. Neighbours: `suites.ts` (what runs).
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Counts, closingLine, sum } from "./counts.ts";
import { suites } from "./suites.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const words = process.argv.slice(2);
const named = suites.filter((suite) => words.includes(suite.name));
const filter = words.find((word) => !suites.some((suite) => suite.name === word)) ?? "";
const chosen = named.length > 0 ? named : filter === "" ? suites : suites.slice(-2);
const print = (text: string): void => {
  process.stdout.write(text);
};

const results: Counts[] = [];
for (const suite of chosen) {
  print(`${suite.name}: ${suite.purpose}\n`);
  results.push(await suite.run({ root, print, filter }));
}
const all = sum(results);
if (all.failures.length > 0) {
  print(`\nfailed:\n${all.failures.map((failure) => `  ${failure}\n`).join("")}`);
}
if (all.passed + all.failed === 0) {
  print(`no test file matches "${filter}"\n`);
  process.exitCode = 1;
}
if (all.failed > 0) process.exitCode = 1;
print(`${closingLine(all)}\n`);
