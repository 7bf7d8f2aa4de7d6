/**
 * The `capstan` tool's entry: runs the command line, prints errors, ends with the exit status.
 * Bundled into `dist/capstan.js`, which `bin/capstan.js` starts.
 */

import { constants } from "node:os";
import { parseCommandLine } from "./commands/parse.ts";
import { FatalError, systemErrorCode, UserError } from "./errors.ts";
import { ExitStatus, signalStatus } from "./exit-status.ts";
import { capstanVersion } from "./home.ts";
import { endBySignal, Interruption } from "./run/signals.ts";

/** Prints an error in the form that the user asked for and returns the exit status. */
function reportError(error: unknown, asJson: boolean): number {
  if (error instanceof UserError) {
    if (asJson) {
      const { code, what, why, fix, exitStatus } = error;
      const report = { status: exitStatus, error: { code, what, why, fix } };
      process.stdout.write(`${JSON.stringify(report)}\n`);
    } else {
      process.stderr.write(error.format());
    }
    return error.exitStatus;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const kind = error instanceof FatalError ? "" : "unexpected ";
  process.stderr.write(`capstan: ${kind}internal error, please report it:\n${text}\n`);
  return ExitStatus.usage;
}

/** Resolves when what was written has left: a pipe takes only what it can hold at a time. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}

/** Nobody reads any more (`| head`): ends as a program does that SIGPIPE ends; Node ignores it. */
function onWriteError(error: Error): void {
  if (systemErrorCode(error) !== "EPIPE") throw error;
  process.exit(signalStatus(constants.signals.SIGPIPE));
}

for (const stream of [process.stdout, process.stderr]) stream.on("error", onWriteError);
const argv = process.argv.slice(2);
/** A line that was not understood is searched for the word; what follows `--` is the program's. */
let wantsJson = argv.slice(0, argv.indexOf("--") + 1 || undefined).includes("--json");
try {
  const write = (text: string) => process.stdout.write(text);
  const context = { env: process.env, write, version: capstanVersion };
  const invocation = await parseCommandLine(argv, context);
  wantsJson = invocation.wantsJson;
  process.exitCode = await invocation.run();
} catch (error) {
  if (error instanceof Interruption) endBySignal(error.signal);
  process.exitCode = reportError(error, wantsJson);
}
await Promise.all([written(process.stdout), written(process.stderr)]);
// Input that the guest did not read may still be open, and must not keep capstan alive.
process.exit();
