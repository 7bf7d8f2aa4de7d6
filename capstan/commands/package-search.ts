/**
 * `capstan package search [NAME]`: the packages elsewhere. Neighbours: `../source/package/remote.ts`.
 */
import { RemotePackages } from "../source/package/remote.ts";
import { type CommandDefinition, type CommandInput, optionText } from "./command.ts";
import { printPackages, urlOption } from "./package-output.ts";

/** The command as data. */
export const packageSearchCommand: CommandDefinition = {
  name: "package search",
  summary: "list packages of a repository elsewhere",
  parameters: "[name]",
  options: [urlOption],
  notes: "NAME is a part of the name or the title.",
  examples: ["capstan package search", "capstan package search -u https://example.com/repo web"],
  run: async ({ args: [text = ""], options, env }: CommandInput) => {
    const found = await new RemotePackages(optionText(options, "url"), env).list();
    const fits = found.filter(({ name, title }) => `${name}\n${title}`.includes(text));
    printPackages(fits, options);
    return 0;
  },
};
