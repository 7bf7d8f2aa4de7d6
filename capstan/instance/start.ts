/**
 * Starts the supervisor of an instance as a process that outlives the shell, and waits until the
 * guest has booted. Neighbours: `supervisor.ts` (the process), `store.ts` (the folder).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { FatalError, UserError } from "../errors.ts";
import { installationRoot } from "../home.ts";
import type { Instance } from "./record.ts";
import { findInstance } from "./store.ts";
import type { StartReport } from "./supervisor.ts";

/**
 * Starts an instance whose folder exists.
 * @returns the instance as it is after the boot; it may have ended already
 * @throws UserError what prevented the start; the folder stays
 */
export async function startSupervisor(name: string, env: NodeJS.ProcessEnv): Promise<Instance> {
  const { folder } = findInstance(name, env);
  const log = openSync(join(folder, "supervisor.log"), "w", 0o600);
  const launcher = join(installationRoot(), "capstan/bin/capstan.js");
  const child = spawn(process.execPath, [launcher, "__supervise", name], {
    // The fourth is `START_REPORT_FD` of the supervisor.
    stdio: ["ignore", log, log, "pipe"],
    detached: true,
    env,
    // No folder of the user's is kept busy.
    cwd: folder,
  });
  closeSync(log);
  const watch = watchInterruption(child);
  const report = await Promise.race([readReport(child), watch.interrupted]).finally(watch.stop);
  child.unref();
  if (report === null) throw new FatalError(`no report from the supervisor:\n${tail(folder)}`);
  if (!report.started) throw new UserError(report);
  return findInstance(name, env);
}

/** The one line that the supervisor writes; null if it ended without. */
async function readReport(child: ChildProcess): Promise<StartReport | null> {
  const pipe = child.stdio[3] as Readable;
  let text = "";
  for await (const bytes of pipe) text += String(bytes);
  return text === "" ? null : JSON.parse(text);
}

/** Ctrl-C during the start: the supervisor is ended, and takes the machine along. */
function watchInterruption(child: ChildProcess) {
  let interrupt: (signal: NodeJS.Signals) => void = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = (signal) => {
      child.kill("SIGKILL");
      reject(
        new UserError({
          code: "Interrupted",
          what: "the start was interrupted",
          why: `capstan received ${signal}`,
          fix: "run the command again",
          exitStatus: signal === "SIGINT" ? 130 : 143,
        }),
      );
    };
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  const stop = (): void => {
    for (const signal of signals) process.removeListener(signal, interrupt);
  };
  return { interrupted, stop };
}

function tail(folder: string): string {
  return readFileSync(join(folder, "supervisor.log"), "utf8").trim();
}
