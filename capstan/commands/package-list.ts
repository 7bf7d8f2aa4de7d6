/**
 * `capstan package list`: the packages of this machine. Neighbours: `../source/package/repository.ts`.
 */
import { PackageRepository } from "../source/package/repository.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { printPackages } from "./package-output.ts";

/** The command as data. */
export const packageListCommand: CommandDefinition = {
  name: "package list",
  summary: "list the packages of this machine",
  parameters: "",
  options: [],
  examples: ["capstan package list", "capstan package list --json"],
  run: async ({ options, env }: CommandInput) => {
    printPackages(new PackageRepository(env).list(), options);
    return 0;
  },
};
