/**
 * `capstan package import FILE`: takes an archive in. Neighbours: `../source/package/repository.ts`.
 */
import { resolve } from "node:path";
import { PackageRepository } from "../source/package/repository.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { printResult } from "./package-output.ts";

/** The command as data. */
export const packageImportCommand: CommandDefinition = {
  name: "package import",
  summary: "add a package archive (.mpm) to the packages of this machine",
  parameters: "<file>",
  options: [],
  notes: "A package of the same name is replaced.",
  examples: ["capstan package import web.mpm"],
  completes: "file",
  run: async ({ args: [file = ""], options, env }: CommandInput) => {
    const { name, version } = await new PackageRepository(env).import(resolve(file));
    printResult(`imported ${name} ${version}`.trimEnd(), { name, version }, options);
    return 0;
  },
};
