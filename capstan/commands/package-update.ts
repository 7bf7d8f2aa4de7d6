/**
 * `capstan package update [NAME]`: newer versions of the packages of this machine. Neighbours:
 * `../source/package/remote.ts`.
 */
import { abortOnSignals } from "../run/signals.ts";
import { compareVersions } from "../source/debian/version.ts";
import { RemotePackages } from "../source/package/remote.ts";
import { PackageRepository } from "../source/package/repository.ts";
import { type CommandDefinition, type CommandInput, optionText } from "./command.ts";
import { printResult, urlOption } from "./package-output.ts";

/** The command as data. */
export const packageUpdateCommand: CommandDefinition = {
  name: "package update",
  summary: "get newer versions of packages",
  parameters: "[name]",
  options: [urlOption],
  notes: "Without NAME, all packages of this machine are looked up.",
  examples: ["capstan package update", "capstan package update -u ./repository web"],
  run: update,
};

async function update({ args: [name], options, env }: CommandInput): Promise<number> {
  const updated = await abortOnSignals(async (signal) => {
    const repository = new PackageRepository(env);
    const remote = new RemotePackages(optionText(options, "url"), env, signal);
    const there = new Map((await remote.list()).map((each) => [each.name, each.version]));
    const own = name === undefined ? repository.list() : [repository.describe(name)];
    const older = own.filter((each) => {
      const version = there.get(each.name);
      return version !== undefined && compareVersions(version, each.version) > 0;
    });
    for (const each of older) await remote.pull(each.name, repository);
    return older.map((each) => ({ name: each.name, from: each.version, to: there.get(each.name) }));
  });
  const lines = updated.map(({ name: each, from, to }) => `${each} ${from} -> ${to}`);
  printResult(lines.join("\n") || "everything is up to date", { updated }, options);
  return 0;
}
