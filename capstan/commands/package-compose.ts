/**
 * `capstan package compose IMAGE [PATH]`: an image of a package and all that it requires. Neighbours:
 * `../source/package/` puts it together, `../registry/import-image.ts` keeps it.
 */

import { resolve } from "node:path";
import { fullName, parseReference } from "../registry/reference.ts";
import { abortOnSignals } from "../run/signals.ts";
import { importSource } from "../source/container/import-image.ts";
import { openPackage } from "../source/package/metadata.ts";
import { RemotePackages } from "../source/package/remote.ts";
import { PackageRepository } from "../source/package/repository.ts";
import { resolveSource } from "../source/resolve.ts";
import { splitWords } from "../source/words.ts";
import { type CommandDefinition, type CommandInput, optionList, optionText } from "./command.ts";
import { printResult, requireOption, urlOption } from "./package-output.ts";
import { parseSource, sourceOptionDefinitions } from "./source-options.ts";

/** The command as data. */
export const packageComposeCommand: CommandDefinition = {
  name: "package compose",
  summary: "make an image of a package and all that it requires",
  parameters: "<image> [path]",
  options: [
    ...sourceOptionDefinitions,
    { flags: "--run <command>", description: "run this instead of what the package says" },
    requireOption,
    { flags: "-p, --pull-missing", description: "get packages that are missing" },
    urlOption,
  ],
  notes: "The image is one of capstan images: run, push and image build take its name.",
  examples: ["capstan package compose web", "capstan package compose --boot test web ./web"],
  completes: "directory",
  run: compose,
};

async function compose(input: CommandInput): Promise<number> {
  const [image = "", path = "."] = input.args;
  const reference = parseReference(image);
  const stored = await abortOnSignals(async (signal) => {
    if (input.options.pullMissing === true) await pullMissing(input, path, signal);
    const given = parseSource({ ...input, args: [resolve(path)], afterDashes: false }, { signal });
    const run = optionText(input.options, "run");
    const command = run === undefined ? undefined : splitWords(run);
    const options = {
      ...given.options,
      require: optionList(input.options, "require"),
      ...(command === undefined ? {} : { command }),
    };
    return importSource(await resolveSource(given.request, options), reference, options);
  });
  const result = { name: fullName(stored.reference), digest: stored.manifest.digest };
  printResult(result.digest, result, input.options);
  return 0;
}

async function pullMissing(
  { options, env }: CommandInput,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const repository = new PackageRepository(env);
  const { metadata } = openPackage(resolve(path));
  const remote = new RemotePackages(optionText(options, "url"), env, signal);
  for (const name of [...metadata.require, ...optionList(options, "require")]) {
    await remote.pull(name, repository, false);
  }
}
