/**
 * Runs `*.test.ts` files, a process for each, with Node's test runner inside, and prints one line
 * for each file and each failure. A file's output is shown only when the file fails. Neighbours:
 * `reporter.mjs` (loaded into each process), `suites.ts` (the user).
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Counts, sum } from "./counts.ts";

/** How a set of test files is run. */
export interface NodeTestOptions {
  /** Test files that may run at the same time. */
  readonly concurrency: number;
  /** Longest time for one file. */
  readonly timeoutMs: number;
  /** Folder that the files run in, and that printed paths are relative to. */
  readonly root: string;
  /** Where progress goes. */
  readonly print: (text: string) => void;
}

interface TestResult {
  readonly name: string;
  readonly passed: boolean;
  readonly skipped: boolean;
  readonly text: string;
}

interface Ending {
  /** What was wrong with the process itself; null when it ended as it should. */
  readonly problem: string | null;
  readonly output: string;
}

/** How much of a failure is said again at the end, which may be all that somebody sees of a log. */
const BRIEF_LINES = 8;
const BRIEF_CHARACTERS = 1000;

const reporter = join(dirname(fileURLToPath(import.meta.url)), "reporter.mjs");

/**
 * Runs test files and counts their tests. A file without a test counts as a failure, so that a
 * test that silently went missing is noticed.
 */
export async function runNodeTests(
  files: readonly string[],
  options: NodeTestOptions,
): Promise<Counts> {
  const waiting = [...files];
  const results: Counts[] = [];
  const work = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      results.push(await runFile(file, options));
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, work));
  return sum(results);
}

async function runFile(file: string, options: NodeTestOptions): Promise<Counts> {
  const startMs = Date.now();
  const scratch = mkdtempSync(join(tmpdir(), "osv-test-"));
  const report = join(scratch, "report");
  try {
    const ending = await runProcess(file, report, options);
    const counts = count(readReport(report), ending, relative(options.root, file));
    printFile(file, counts, ending, Date.now() - startMs, options);
    return { ...counts, failures: counts.failures.map(inBrief) };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function runProcess(file: string, report: string, options: NodeTestOptions): Promise<Ending> {
  const reporting = [`--test-reporter=${reporter}`, `--test-reporter-destination=${report}`];
  // When this runner is itself under test, its own reporter must not reach the inner process.
  const nodeOptions = process.execArgv.filter((each) => !each.startsWith("--test-reporter"));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...nodeOptions, ...reporting, file], {
      cwd: options.root,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.timeoutMs,
      killSignal: "SIGKILL",
    });
    let output = "";
    const collect = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", (error) => resolve({ problem: `did not start: ${error.message}`, output }));
    child.on("close", (status, signal) => {
      const limit = `(limit ${options.timeoutMs / 1000} s)`;
      if (signal !== null) resolve({ problem: `the file was ended by ${signal} ${limit}`, output });
      else
        resolve({ problem: status === 0 ? null : `the file ended with status ${status}`, output });
    });
  });
}

function readReport(path: string): TestResult[] {
  try {
    const lines = readFileSync(path, "utf8").split("\n");
    // The last piece is empty, or cut short when the process was killed.
    return lines.slice(0, -1).map((line): TestResult => JSON.parse(line));
  } catch {
    return [];
  }
}

function count(results: readonly TestResult[], ending: Ending, name: string): Counts {
  const failures = results
    .filter((each) => !each.passed && !each.skipped)
    .map((each) => `${name}: ${each.name}\n${each.text}`);
  // A failed test already explains a status other than 0.
  if (ending.problem !== null && failures.length === 0) failures.push(`${name}: ${ending.problem}`);
  else if (results.length === 0) failures.push(`${name}: the file ran no test`);
  return {
    passed: results.filter((each) => each.passed && !each.skipped).length,
    failed: failures.length,
    skipped: results.filter((each) => each.skipped).length,
    failures,
  };
}

function printFile(
  file: string,
  counts: Counts,
  ending: Ending,
  elapsedMs: number,
  options: NodeTestOptions,
): void {
  const mark = counts.failed > 0 ? "FAIL" : "ok  ";
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  const numbers = `${counts.passed} passed${skipped}, ${(elapsedMs / 1000).toFixed(1)} s`;
  options.print(`  ${mark} ${relative(options.root, file)} (${numbers})\n`);
  for (const failure of counts.failures) options.print(`${failure.replace(/^/gm, "      ")}\n`);
  if (counts.failed > 0 && ending.output !== "") {
    options.print(`    its output:\n${ending.output.trimEnd().replace(/^/gm, "    | ")}\n`);
  }
}

/** A failure for the list at the end: the test, and how its error begins. */
function inBrief(failure: string): string {
  const lines = failure.split("\n").filter((line) => line !== "" && !/^ +at /.test(line));
  return lines.slice(0, BRIEF_LINES).join("\n    ").slice(0, BRIEF_CHARACTERS);
}
