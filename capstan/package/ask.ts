/**
 * Asks a program of the host about itself, such as an interpreter about its directories.
 *
 * Only interpreters that the user is about to run are asked, with a fixed question, a time limit
 * and no input.
 *
 * Neighbours: `recipes/` and `shims.ts`.
 */
import { execFile } from "node:child_process";

const TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Either what the program printed, or why it gave no answer. */
export type Answer = { readonly text: string } | { readonly failure: string };

/**
 * Runs a program to its end and returns its standard output. `argv0` is what it sees as its own
 * name, if different from its path.
 */
export function ask(
  program: string,
  args: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
): Promise<Answer> {
  return new Promise((settle) => {
    const limits = {
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
      maxBuffer: MAX_OUTPUT_BYTES,
    } as const;
    const child = execFile(
      program,
      [...args],
      { ...limits, env: { ...options.env }, cwd: options.cwd, encoding: "utf8" },
      (error, stdout, stderr) => {
        if (error === null) settle({ text: stdout });
        else if (error.killed === true) settle({ failure: `no answer in ${TIMEOUT_MS / 1000} s` });
        else settle({ failure: stderr.trim().split("\n").at(-1) || error.message });
      },
    );
    child.stdin?.end();
  });
}
