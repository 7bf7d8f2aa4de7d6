/**
 * `capstan image convert IN OUT`: writes a disk image in another format. Neighbours: `../disk/` has
 * the formats.
 */
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { type DiskFormat, isNamedLike, type WriteOptions } from "../disk/disk-image.ts";
import {
  diskFormat,
  diskFormats,
  explainedDiskError,
  type OpenedDisk,
  openDisk,
} from "../disk/formats.ts";
import { copyWhole, writeWhole } from "../disk/output-file.ts";
import { UserError } from "../errors.ts";
import { manifestPathOf } from "../manifest/manifest-path.ts";
import { abortOnSignals } from "../run/signals.ts";
import { parseChoice } from "../text/option-values.ts";
import { formatBytes } from "../text/table.ts";
import { type CommandDefinition, type CommandInput, optionText } from "./command.ts";

const names = diskFormats.map(({ name }) => name);

/** The command as data. */
export const imageConvertCommand: CommandDefinition = {
  name: "image convert",
  summary: "write a disk image in another format",
  parameters: "<image> <output>",
  options: [
    {
      flags: "-f, --format <name>",
      description: "format of the output; by default what its name ends with",
      choices: names,
    },
    { flags: "--backing <file>", description: "store only differences from this disk (qcow2)" },
    { flags: "--quiet", description: "print nothing but errors" },
  ],
  notes: `The format of the input is recognised. Formats:
${diskFormats.map(({ name, summary }) => `  ${name.padEnd(14)}${summary}`).join("\n")}`,
  examples: [
    "capstan image convert app.qcow2 app.vmdk",
    "capstan image convert --format vhd-fixed app.qcow2 azure.vhd",
    "capstan image convert --backing base.qcow2 app.img app.qcow2",
  ],
  completes: "file",
  run: convert,
};

async function convert({ args, options }: CommandInput): Promise<number> {
  const [input = "", output = ""] = args;
  const format = chooseFormat(output, optionText(options, "format"));
  const backingPath = optionText(options, "backing");
  if (backingPath !== undefined && format.name !== "qcow2") {
    throw new UserError({
      code: "NoBacking",
      what: `cannot store differences as ${format.name}`,
      why: "only qcow2 files have backing files here",
      fix: "leave --backing out, or write qcow2",
    });
  }
  const opened = openDisk(input);
  const backing = backingPath === undefined ? undefined : openDisk(backingPath);
  try {
    const writeOptions =
      backing === undefined ? {} : { backing: backingOf(backing, backingPath ?? "", output) };
    const sizeBytes = await abortOnSignals((signal) =>
      writeWhole(resolve(output), signal, (file) => format.write(opened.disk, file, writeOptions)),
    );
    // A manifest is about contents, so it is true of the copy, too.
    if (existsSync(manifestPathOf(input))) copyWhole(manifestPathOf(input), manifestPathOf(output));
    const facts = { output, from: opened.format.name, format: format.name, sizeBytes };
    if (options.json === true) process.stdout.write(`${JSON.stringify(facts)}\n`);
    else if (options.quiet !== true) {
      const change = `${facts.from} to ${facts.format}`;
      process.stderr.write(`${output}: ${change}, ${formatBytes(sizeBytes)}\n`);
    }
    return 0;
  } catch (error) {
    throw explainedDiskError(input, error);
  } finally {
    opened.disk.close();
    backing?.disk.close();
  }
}

/** The backing file as it is named in the output: relative to the output's folder. */
function backingOf(
  { disk, format }: OpenedDisk,
  path: string,
  output: string,
): NonNullable<WriteOptions["backing"]> {
  return { disk, name: relative(resolve(output, ".."), resolve(path)), format: format.name };
}

function chooseFormat(output: string, name: string | undefined): DiskFormat {
  if (name !== undefined) {
    const format = diskFormat(parseChoice("--format", name, names));
    if (format !== undefined) return format;
  }
  const format = diskFormats.find((each) => isNamedLike(output, each));
  if (format !== undefined) return format;
  throw new UserError({
    code: "UnknownFormat",
    what: `cannot tell which format ${output} should have`,
    why: "its name does not end like a known format",
    fix: `name one with --format: ${names.join(", ")}`,
  });
}
