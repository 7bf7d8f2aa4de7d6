/**
 * Starts a process of capstan that outlives the shell, and waits until it says how its start went:
 * one line of JSON on a pipe. The supervisors of instances and the networks of compose projects are
 * such processes. Neighbours: `start.ts`, `../compose/network-store.ts`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { FatalError, UserError, type UserErrorParts } from "../errors.ts";
import { installationRoot } from "../home.ts";
import { Interruption } from "../run/signals.ts";

/** What a background process says once. */
export type StartReport =
  | { readonly started: true }
  | ({ readonly started: false } & UserErrorParts);

/** The descriptor on which it says it. */
const REPORT_FD = 3;

/** Where messages go that nobody waits for. */
const LOG_NAME = "supervisor.log";

/** The error that a background process reports when something unforeseen went wrong. */
export function unforeseen(what: string, error: unknown, folder: string): UserError {
  if (error instanceof UserError) return error;
  return new UserError({
    code: "BackgroundFailed",
    what,
    why: error instanceof Error ? (error.stack ?? error.message) : String(error),
    fix: `see ${join(folder, LOG_NAME)}`,
  });
}

/** Says how the start went; to be called once. */
export function reportStart(report: StartReport): void {
  try {
    writeSync(REPORT_FD, `${JSON.stringify(report)}\n`);
    closeSync(REPORT_FD);
  } catch {
    // Whoever started the process does not wait any more.
  }
}

/**
 * Starts `capstan WORDS` in the background.
 * @param folder of the process: its current one, with its log
 * @throws UserError what it reported; Interruption when capstan was told to end meanwhile
 */
export async function startBackground(
  words: readonly string[],
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const log = openSync(join(folder, LOG_NAME), "w", 0o600);
  const launcher = join(installationRoot(), "capstan/bin/capstan.js");
  const child = spawn(process.execPath, [launcher, ...words], {
    stdio: ["ignore", log, log, "pipe"],
    detached: true,
    env,
    cwd: folder,
  });
  closeSync(log);
  const watch = watchInterruption(child);
  const report = await Promise.race([readReport(child), watch.interrupted]).finally(watch.stop);
  child.unref();
  if (report === null) {
    const text = readFileSync(join(folder, LOG_NAME), "utf8").trim();
    throw new FatalError(`${words.join(" ")} ended without a report:\n${text}`);
  }
  if (!report.started) throw new UserError(report);
}

/** The one line; null if the process ended without. */
async function readReport(child: ChildProcess): Promise<StartReport | null> {
  let text = "";
  for await (const bytes of child.stdio[REPORT_FD] as Readable) text += String(bytes);
  return text === "" ? null : JSON.parse(text);
}

/** Ctrl-C during the start: the process is ended, and takes its VMM along. */
function watchInterruption(child: ChildProcess) {
  let interrupt: (signal: NodeJS.Signals) => void = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = (signal) => {
      child.kill("SIGKILL");
      reject(new Interruption(signal));
    };
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  const stop = (): void => {
    for (const signal of signals) process.removeListener(signal, interrupt);
  };
  return { interrupted, stop };
}
