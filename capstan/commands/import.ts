/**
 * `capstan import NAME SOURCE`: makes an image of this machine out of any source: an image in files
 * is copied as it is, everything else becomes an image of one layer. Neighbours:
 * `../registry/import-image.ts` does the work.
 */
import { UserError } from "../errors.ts";
import { fullName, parseReference } from "../registry/reference.ts";
import { abortOnSignals } from "../run/signals.ts";
import { openImageSource } from "../source/container/files.ts";
import { importOpened, importSource } from "../source/container/import-image.ts";
import { resolveSource } from "../source/resolve.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";
import { parseSource, sourceNotes, sourceOptionDefinitions } from "./source-options.ts";

/** The command as data. */
export const importCommand: CommandDefinition = {
  name: "import",
  summary: "make an image of this machine from a source",
  parameters: "<name> <source> [args...]",
  options: [...sourceOptionDefinitions, { flags: "--quiet", description: "show no progress" }],
  notes: sourceNotes,
  examples: [
    "capstan import web ./image.tar",
    "capstan import redis deb:redis-server redis-server --protected-mode no",
    "capstan import app .",
    "capstan import hello -- ./hello",
  ],
  completes: "program",
  run: importImage,
};

async function importImage(input: CommandInput): Promise<number> {
  // commander leaves a -- that stands after the name among the words.
  const [name = "", ...words] = input.args;
  const afterDashes = words[0] === "--";
  const args = afterDashes ? words.slice(1) : words;
  if (args.length === 0) throw sourceMissing();
  const reference = parseReference(name);
  const image = await abortOnSignals(async (signal) => {
    const { request, options } = parseSource({ ...input, args, afterDashes }, { signal });
    const opened = request.kind === "source" ? openImageSource(request.text, options) : undefined;
    if (opened !== undefined) return importOpened(opened, reference, options);
    return importSource(await resolveSource(request, options), reference, options);
  });
  const result = { name: fullName(image.reference), digest: image.manifest.digest };
  if (input.options.json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
  else process.stdout.write(`${result.digest}\n`);
  return 0;
}

function sourceMissing(): UserError {
  return new UserError({
    code: "WrongUsage",
    what: "the command line of capstan import was not understood",
    why: "it takes a name and a source",
    fix: "for example: capstan import app . or capstan import hello -- ./hello",
  });
}
