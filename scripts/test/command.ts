/**
 * Runs one command as one test: it passes when the command exits with status 0. Used by
 * `suites.ts` for the type checker, the linter and the builds.
 */
import { spawn } from "node:child_process";
import type { Counts } from "./counts.ts";

/** A command that counts as one test. */
export interface Command {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly print: (text: string) => void;
}

/** Runs the command; its output is printed when it fails. */
export function runCommand(command: Command): Promise<Counts> {
  const startMs = Date.now();
  return new Promise((resolve) => {
    const child = spawn(command.program, command.args, {
      cwd: command.cwd,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: command.timeoutMs,
      killSignal: "SIGKILL",
    });
    let output = "";
    const collect = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    const finish = (problem: string | null): void => {
      const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
      command.print(`  ${problem === null ? "ok  " : "FAIL"} ${command.name} (${seconds} s)\n`);
      if (problem !== null) {
        command.print(`    ${problem}\n${output.trimEnd().replace(/^/gm, "    | ")}\n`);
      }
      resolve({
        passed: problem === null ? 1 : 0,
        failed: problem === null ? 0 : 1,
        skipped: 0,
        failures: problem === null ? [] : [`${command.name}: ${problem}`],
      });
    };
    child.on("error", (error) => finish(`could not start ${command.program}: ${error.message}`));
    child.on("close", (status, signal) => {
      if (signal !== null) finish(`ended by ${signal} (limit ${command.timeoutMs / 1000} s)`);
      else finish(status === 0 ? null : `ended with status ${status}`);
    });
  });
}
