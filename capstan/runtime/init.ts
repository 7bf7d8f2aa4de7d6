/**
 * Writes the few lines that make `capstan run .` work in a project, and a sample if there is no
 * program yet. Neighbours: `runtimes.ts` (what is written), `../commands/runtime-init.ts`.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import { type ProjectFile, type Runtime, runtimes } from "./runtimes.ts";

/** Files either of which says how to run a project. */
const CONFIGURATIONS = ["Capstanfile", "meta/run.yaml", "meta/package.yaml"];

/** What is asked for. */
export interface InitRequest {
  readonly runtime: Runtime;
  readonly folder: string;
  /** The file to start; found by its usual names if it is not given. */
  readonly main: string | undefined;
  /** Whether a configuration that exists is replaced. */
  readonly isForced: boolean;
}

/**
 * The runtime with a name.
 * @throws UserError `NoSuchRuntime`
 */
export function findRuntime(name: string): Runtime {
  const found = runtimes.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw new UserError({
    code: "NoSuchRuntime",
    what: `there is no runtime ${name}`,
    why: `there are: ${runtimes.map((each) => each.name).join(", ")}`,
    fix: "capstan runtime list describes them",
  });
}

/**
 * The files that a project lacks: its configuration, and a sample if it has no program.
 * @throws UserError when the project is configured already, or it is not clear what to start
 */
export function missingFiles(request: InitRequest): ProjectFile[] {
  const { runtime, folder, isForced } = request;
  const existing = CONFIGURATIONS.find((path) => existsSync(join(folder, path)));
  if (existing !== undefined && !isForced) {
    throw new UserError({
      code: "AlreadyConfigured",
      what: `${folder} was not changed`,
      why: `${existing} says already how to run it`,
      fix: "edit it, or replace it: capstan runtime init --force NAME",
    });
  }
  const main = mainOf(request);
  if (main !== null) return [runtime.configuration(main)];
  const [sample = ""] = runtime.mains;
  return [{ path: sample, text: runtime.sample }, runtime.configuration(sample)];
}

/** The file to start; null when the project has no program yet. */
function mainOf({ runtime, folder, main }: InitRequest): string | null {
  if (main !== undefined) return main.replace(/^\.?\/+/, "");
  const found = runtime.mains.find((name) => existsSync(join(folder, name)));
  if (found !== undefined) return found;
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const sources = names.filter((name) => runtime.endings.some((end) => name.endsWith(end)));
  const [only, ...others] = sources;
  if (only === undefined) return null;
  if (others.length === 0) return only;
  throw new UserError({
    code: "MainUnknown",
    what: `cannot tell what to start in ${folder}`,
    why: `it has ${sources.join(", ")}, and none of ${runtime.mains.join(", ")}`,
    fix: `name the file: capstan runtime init ${runtime.name} --main ${only}`,
  });
}

/** Writes files into a project. */
export function writeFiles(folder: string, files: readonly ProjectFile[]): void {
  for (const { path, text } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}
