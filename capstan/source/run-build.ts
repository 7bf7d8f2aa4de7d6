/**
 * Runs a project's own build command on the host: `build` of a Capstanfile, `go build`. Its output
 * goes to standard error; it is ended together with capstan. Neighbours: `capstanfile/`,
 * `directory/go.ts`.
 */
import { spawn } from "node:child_process";
import { systemErrorCode, UserError } from "../errors.ts";
import type { SourceOptions } from "./source.ts";

/**
 * Runs a command and waits for it.
 * @throws UserError `BuildFailed` when it fails or is not there
 */
export async function runBuild(
  argv: readonly string[],
  cwd: string,
  { host, signal }: Pick<SourceOptions, "host" | "signal">,
): Promise<void> {
  const [program = "", ...args] = argv;
  const command = argv.join(" ");
  const fail = (why: string, fix: string, cause?: unknown): UserError =>
    new UserError({ code: "BuildFailed", what: `cannot build ${cwd}`, why, fix, cause });
  await new Promise<void>((resolve, reject) => {
    // A group of its own, so that everything it started ends with it.
    const child = spawn(program, args, {
      cwd,
      env: host,
      stdio: ["ignore", 2, 2],
      detached: true,
    });
    const stop = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    };
    signal?.addEventListener("abort", stop, { once: true });
    child.once("error", (error) => {
      const isMissing = systemErrorCode(error) === "ENOENT";
      const fix = isMissing ? `install ${program}` : `check that ${command} works`;
      reject(fail(error.message, fix, error));
    });
    child.once("exit", (status, endedBy) => {
      signal?.removeEventListener("abort", stop);
      if (signal?.aborted === true) return reject(signal.reason);
      if (status === 0) return resolve();
      const how = endedBy === null ? `with status ${status}` : `by ${endedBy}`;
      reject(fail(`${command} ended ${how}`, "its messages are above; mend what they name"));
    });
  });
}
