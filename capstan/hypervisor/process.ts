/**
 * Starts the process of a VMM so that it never outlives capstan, and tells how it ended.
 * Neighbours: `leash.ts`; every VMM that is a process of ours uses this.
 */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { UserError } from "../errors.ts";
import type { MachineEnding } from "./hypervisor.ts";
import type { Leash } from "./leash.ts";

/** The VMM's own messages beyond this are not kept. */
const diagnosticsLimitBytes = 64 * 1024;

/** A VMM that runs. */
export interface VmmProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<MachineEnding>;
}

/**
 * Starts a VMM on a leash.
 * @param stdio the third is read for messages if it is a pipe
 * @throws UserError `HypervisorNotStarted`
 */
export async function startVmm(
  path: string,
  args: readonly string[],
  stdio: StdioOptions,
  leash: Leash,
  env: NodeJS.ProcessEnv = process.env,
): Promise<VmmProcess> {
  const [program = path, ...words] = [...leash.prefix, path, ...args];
  const child = spawn(program, words, { stdio, env });
  const ended = watchEnd(child);
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => reject(startError(path, error)));
  });
  leash.attach(child);
  return { child, ended };
}

function watchEnd(child: ChildProcess): Promise<MachineEnding> {
  let diagnostics = "";
  const { stderr } = child;
  stderr?.on("data", (chunk: Buffer) => {
    if (diagnostics.length < diagnosticsLimitBytes) diagnostics += chunk.toString("utf8");
  });
  return new Promise((resolve) => {
    child.once("error", (error) => {
      resolve({ status: null, signal: null, diagnostics: error.message });
    });
    child.once("exit", (status, signal) => {
      const finish = (): void => resolve({ status, signal, diagnostics });
      if (stderr === null || stderr.readableEnded) finish();
      else stderr.once("end", finish);
    });
  });
}

function startError(path: string, error: Error): UserError {
  return new UserError({
    code: "HypervisorNotStarted",
    what: "the virtual machine could not be started",
    why: `${path} could not be executed: ${error.message}`,
    fix: `check that it is installed for this machine's processor: ${path} --version`,
    cause: error,
  });
}
