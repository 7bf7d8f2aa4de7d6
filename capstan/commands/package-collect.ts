/**
 * `capstan package collect [PATH]`: lays out what the guest will see. Neighbours:
 * `../source/package/build.ts`.
 */
import { resolve } from "node:path";
import { collectPackage } from "../source/package/build.ts";
import { type CommandDefinition, type CommandInput, optionList } from "./command.ts";
import { printResult, requireOption } from "./package-output.ts";

/** The command as data. */
export const packageCollectCommand: CommandDefinition = {
  name: "package collect",
  summary: "lay the files of a package and of all that it requires into mpm-pkg/",
  parameters: "[path]",
  options: [requireOption],
  notes: "For looking at them: capstan run and package compose do not need it.",
  examples: ["capstan package collect", "capstan package collect --require libs ./web"],
  completes: "directory",
  run: collect,
};

async function collect({ args: [path = "."], options, env }: CommandInput): Promise<number> {
  const target = await collectPackage(resolve(path), {
    host: env,
    require: optionList(options, "require"),
  });
  printResult(`collected in ${target}`, { path: target }, options);
  return 0;
}
