/**
 * `capstan package build [PATH]`: the archive NAME.mpm of a package. Neighbours:
 * `../source/package/build.ts`.
 */
import { resolve } from "node:path";
import { abortOnSignals } from "../run/signals.ts";
import { buildPackage } from "../source/package/build.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { printResult } from "./package-output.ts";

/** The command as data. */
export const packageBuildCommand: CommandDefinition = {
  name: "package build",
  summary: "write the archive of a package, NAME.mpm",
  parameters: "[path]",
  options: [],
  notes: "What .capstanignore names stays out, written as in .gitignore.",
  examples: ["capstan package build", "capstan package build ./web"],
  completes: "directory",
  run: build,
};

async function build({ args: [path = "."], options }: CommandInput): Promise<number> {
  const file = await abortOnSignals((signal) => buildPackage(resolve(path), signal));
  printResult(`wrote ${file}`, { path: file }, options);
  return 0;
}
