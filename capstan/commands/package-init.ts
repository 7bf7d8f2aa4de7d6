/**
 * `capstan package init [PATH]`: writes meta/package.yaml. Neighbours: `../source/package/build.ts`.
 */
import { userInfo } from "node:os";
import { basename, resolve } from "node:path";
import { initPackage } from "../source/package/build.ts";
import { type CommandDefinition, type CommandInput, optionList, optionText } from "./command.ts";
import { printResult, requireOption } from "./package-output.ts";

/** The command as data. */
export const packageInitCommand: CommandDefinition = {
  name: "package init",
  summary: "make a directory a package",
  parameters: "[path]",
  options: [
    { flags: "-n, --name <name>", description: "name of the package; the directory's without it" },
    { flags: "-t, --title <title>", description: "what it is, in a few words" },
    { flags: "-a, --author <author>", description: "who makes it; you without it" },
    { flags: "-v, --version <version>", description: "its version", initial: "0.1" },
    requireOption,
  ],
  notes: "What the package runs stands in meta/run.yaml, which capstan runtime init writes.",
  examples: [
    "capstan package init",
    "capstan package init -n web -t 'A web server' --require libs .",
  ],
  completes: "directory",
  run: init,
};

async function init({ args: [path = "."], options }: CommandInput): Promise<number> {
  const directory = resolve(path);
  const name = optionText(options, "name") ?? basename(directory);
  const file = initPackage(directory, {
    name,
    title: optionText(options, "title") ?? name,
    author: optionText(options, "author") ?? userInfo().username,
    version: optionText(options, "version") ?? "0.1",
    require: [...optionList(options, "require")],
  });
  printResult(`wrote ${file}`, { path: file, name }, options);
  return 0;
}
