/**
 * The suites of `npm test`, in the order in which they run: cheap ones first. Each is data plus a
 * function; `main.ts` runs them all, also when one fails.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { findFiles } from "../find-files.ts";
import { runCommand } from "./command.ts";
import type { Counts } from "./counts.ts";
import { runNodeTests } from "./node-tests.ts";

/** One suite of tests. */
export interface Suite {
  readonly name: string;
  readonly purpose: string;
  readonly run: (context: SuiteContext) => Promise<Counts>;
}

/** What a suite may use. */
export interface SuiteContext {
  readonly root: string;
  readonly print: (text: string) => void;
  /** Only test files whose path contains this text; empty for all. */
  readonly filter: string;
}

const minuteMs = 60_000;

/** Every suite, in order. */
export const suites: readonly Suite[] = [
  {
    name: "types",
    purpose: "the type checker accepts the Node code",
    run: (context) => runTool(context, "types", "tsc", ["-p", "tsconfig.json"]),
  },
  {
    name: "lint",
    purpose: "linter and formatter accept every file",
    run: (context) => runTool(context, "lint", "biome", ["check", "."]),
  },
  {
    name: "build",
    purpose: "kernel and capstan build from source",
    run: (context) =>
      runCommand({
        ...common(context),
        name: "build",
        program: process.execPath,
        args: ["--import", "tsx", "scripts/build.ts"],
        timeoutMs: 10 * minuteMs,
      }),
  },
  {
    name: "unit",
    purpose: "unit tests beside the sources",
    run: (context) => {
      const folders = [
        "scripts",
        "compiler",
        "kernel",
        "capstan",
        "bench",
        "test/harness",
        "test/conformance",
      ];
      return runFiles(context, folders, availableParallelism(), 5 * minuteMs);
    },
  },
  {
    name: "guests",
    purpose: "programs in virtual machines, end to end",
    run: (context) => runFiles(context, ["test/guests"], 1, 30 * minuteMs),
  },
];

function common(context: SuiteContext) {
  return { cwd: context.root, print: context.print };
}

function runTool(context: SuiteContext, name: string, tool: string, args: readonly string[]) {
  const program = join(context.root, "node_modules/.bin", tool);
  return runCommand({ ...common(context), name, program, args, timeoutMs: 5 * minuteMs });
}

function runFiles(
  context: SuiteContext,
  folders: readonly string[],
  concurrency: number,
  timeoutMs: number,
): Promise<Counts> {
  const isTest = (path: string): boolean =>
    path.endsWith(".test.ts") && path.includes(context.filter);
  const files = folders.flatMap((folder) => findFiles(join(context.root, folder), isTest));
  const { root, print } = context;
  return runNodeTests(files, { concurrency, timeoutMs, root, print });
}
