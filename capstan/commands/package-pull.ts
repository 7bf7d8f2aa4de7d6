/**
 * `capstan package pull NAME`: brings a package and all that it requires to this machine.
 * Neighbours: `../source/package/remote.ts`.
 */
import { abortOnSignals } from "../run/signals.ts";
import { RemotePackages } from "../source/package/remote.ts";
import { PackageRepository } from "../source/package/repository.ts";
import { type CommandDefinition, type CommandInput, optionText } from "./command.ts";
import { printResult, urlOption } from "./package-output.ts";

/** The command as data. */
export const packagePullCommand: CommandDefinition = {
  name: "package pull",
  summary: "get a package and all that it requires",
  parameters: "<name>",
  options: [urlOption],
  examples: ["capstan package pull web", "capstan package pull -u ./repository web"],
  run: pull,
};

async function pull({ args: [name = ""], options, env }: CommandInput): Promise<number> {
  const pulled = await abortOnSignals((signal) => {
    const remote = new RemotePackages(optionText(options, "url"), env, signal);
    return remote.pull(name, new PackageRepository(env));
  });
  printResult(`pulled ${pulled.join(", ")}`, { pulled }, options);
  return 0;
}
