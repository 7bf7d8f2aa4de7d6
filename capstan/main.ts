/**
 * The `capstan` tool's entry: runs the command line, prints errors, ends with the exit status.
 * Bundled into `dist/capstan.js`, which `bin/capstan.js` starts.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runCommandLine } from "./commands/registry.ts";
import { FatalError, UserError } from "./errors.ts";
import { ExitStatus } from "./exit-status.ts";
import { installationRoot } from "./home.ts";

const argv = process.argv.slice(2);

/** capstan's version, from its package.json. */
function version(): string {
  const path = join(installationRoot(), "capstan/package.json");
  const fields: unknown = JSON.parse(readFileSync(path, "utf8"));
  const isKnown = typeof fields === "object" && fields !== null && "version" in fields;
  return isKnown ? String(fields.version) : "unknown";
}

/** Prints an error in the form that the user asked for and returns the exit status. */
function reportError(error: unknown): number {
  if (error instanceof UserError) {
    if (argv.includes("--json")) {
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

try {
  const output = { write: (text: string) => process.stdout.write(text) };
  process.exitCode = await runCommandLine(argv, process.env, version(), output);
} catch (error) {
  process.exitCode = reportError(error);
}
// Input that the guest did not read may still be open, and must not keep capstan alive.
process.exit();
