/**
 * `capstan build SOURCE`, or `-- PROGRAM [ARGS...]`: makes the image that `capstan run` would boot,
 * and says what is in it. With a name it is kept as an image of this machine.
 * Neighbours: `import.ts` (keeps images), `image-build.ts` (disks for other hypervisors).
 */
import { prepareSource } from "../run/prepare.ts";
import { abortOnSignals } from "../run/signals.ts";
import { formatBytes, formatTable } from "../text/table.ts";
import { type CommandDefinition, type CommandInput, optionText } from "./command.ts";
import { parseSource, sourceNotes, sourceOptionDefinitions } from "./source-options.ts";

/** The command as data. */
export const buildCommand: CommandDefinition = {
  name: "build",
  summary: "make the image of an application without running it",
  parameters: "[source] [args...]",
  options: [
    { flags: "-t, --tag <name[:tag]>", description: "keep it as an image of this machine" },
    ...sourceOptionDefinitions,
    { flags: "--quiet", description: "print the path of the image only" },
  ],
  notes: `${sourceNotes}

An image of an application that has not changed is not made again. capstan run SOURCE builds by
itself; capstan image build makes disks for other hypervisors and clouds.`,
  examples: [
    "capstan build .",
    "capstan build -t web:1.0 ./web",
    "capstan build --json -- python3 script.py",
  ],
  completes: "program",
  run: build,
};

async function build(input: CommandInput): Promise<number> {
  const { options } = input;
  const { source, image, durationMs } = await abortOnSignals((signal) => {
    const given = parseSource(input, { signal });
    return prepareSource(given.request, given.options);
  });
  const tag = optionText(options, "tag");
  if (tag !== undefined) {
    const { importCommand } = await import("./import.ts");
    const words = input.afterDashes
      ? ["--", ...input.args]
      : [input.args[0] ?? ".", ...input.args.slice(1)];
    const status = await importCommand.run({ ...input, args: [tag, ...words] });
    if (status !== 0 || options.json === true) return status;
  }
  const { launch, origin, warnings } = source;
  if (options.json === true) {
    const facts = { image, origin, launch, warnings, buildMs: Math.round(durationMs) };
    process.stdout.write(`${JSON.stringify(facts)}\n`);
  } else if (options.quiet === true) {
    process.stdout.write(`${image.path}\n`);
  } else {
    for (const warning of warnings) process.stderr.write(`capstan: note: ${warning}\n`);
    const how = image.cached ? "unchanged, from the cache" : `${(durationMs / 1000).toFixed(1)} s`;
    process.stdout.write(
      formatTable([
        ["image", image.path],
        ["size", `${formatBytes(image.sizeBytes)}, ${image.files} files`],
        ["source", `${origin.name} (${origin.kind})`],
        ["runs", [launch.executable, ...launch.args].join(" ")],
        ["built", how],
      ]),
    );
  }
  return 0;
}
