/**
 * `capstan package describe NAME`: what a package says, and with -c what is in it. Neighbours:
 * `../source/package/repository.ts`.
 */
import { readdirSync } from "node:fs";
import { stringify } from "yaml";
import { PackageRepository } from "../source/package/repository.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

/** The command as data. */
export const packageDescribeCommand: CommandDefinition = {
  name: "package describe",
  summary: "show what a package says about itself",
  parameters: "<name>",
  options: [{ flags: "-c, --content", description: "list its files, too" }],
  examples: ["capstan package describe web", "capstan package describe -c web"],
  run: describe,
};

async function describe({ args: [name = ""], options, env }: CommandInput): Promise<number> {
  const { path, metadata, run } = await new PackageRepository(env).open(name);
  const files = options.content === true ? filesIn(path) : undefined;
  const facts = {
    ...metadata,
    ...(run === undefined ? {} : { run: run.value }),
    ...(files === undefined ? {} : { files }),
  };
  process.stdout.write(options.json === true ? `${JSON.stringify(facts)}\n` : stringify(facts));
  return 0;
}

function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(path.length))
    .filter((file) => !file.startsWith("/meta/"))
    .sort();
}
