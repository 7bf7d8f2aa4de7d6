/**
 * `capstan image set IMAGE [ARGS...]`: changes what a disk starts, without building it anew: its
 * program's arguments, environment, directory. Neighbours: `../disk/boot/` has the encoding.
 */
import { encodeBootInformation, mostConfigurationBytes } from "../disk/boot/boot-information.ts";
import { bootCodeBytes, encodeBootCode } from "../disk/boot/boot-sector.ts";
import { sectorBytes } from "../disk/boot/partition-table.ts";
import type { DiskImage } from "../disk/disk-image.ts";
import { lookInside } from "../disk/look-inside.ts";
import { writeWhole } from "../disk/output-file.ts";
import { PartsDisk } from "../disk/parts-disk.ts";
import { UserError } from "../errors.ts";
import { changeConfiguration } from "../protocol/change-configuration.ts";
import { abortOnSignals } from "../run/signals.ts";
import { parseEnvironment } from "../text/option-values.ts";
import { type CommandDefinition, type CommandInput, optionList, optionText } from "./command.ts";

/** The command as data. */
export const imageSetCommand: CommandDefinition = {
  name: "image set",
  summary: "change what a disk starts: arguments, environment",
  parameters: "<image> [args...]",
  options: [
    {
      flags: "-e, --env <name[=value]>",
      description: "set an environment variable, or pass on the host's",
      repeats: true,
    },
    { flags: "--workdir <path>", description: "start in this directory" },
  ],
  notes: `ARGS replace the program's arguments (after -- when they begin with a dash); without them they stay. The files in the image are not
touched. A manifest beside the image is about what was built, so verify will report the change.`,
  examples: [
    "capstan image set -e LEVEL=debug app.qcow2",
    "capstan image set app.qcow2 -- --port 80",
  ],
  completes: "file",
  run: set,
};

/** A disk whose beginning is another. */
class ChangedDisk implements DiskImage {
  readonly sizeBytes: number;
  readonly #disk: DiskImage;
  readonly #start: PartsDisk;

  constructor(disk: DiskImage, start: Buffer) {
    this.#disk = disk;
    this.sizeBytes = disk.sizeBytes;
    this.#start = new PartsDisk(start.length, [{ offsetBytes: 0, content: start }]);
  }

  *extents() {
    const limit = this.#start.sizeBytes;
    yield { startBytes: 0, endBytes: limit };
    for (const { startBytes, endBytes } of this.#disk.extents()) {
      if (endBytes > limit) yield { startBytes: Math.max(startBytes, limit), endBytes };
    }
  }

  read(target: Buffer, offsetBytes: number): void {
    const changed = Math.max(0, Math.min(target.length, this.#start.sizeBytes - offsetBytes));
    if (changed > 0) this.#start.read(target.subarray(0, changed), offsetBytes);
    if (changed < target.length) this.#disk.read(target.subarray(changed), offsetBytes + changed);
  }

  close(): void {
    this.#disk.close();
  }
}

async function set({ args: words, options, env }: CommandInput): Promise<number> {
  const [path = "", ...rest] = words;
  // The parser passes on a `--` that comes after the first word.
  const args = rest[0] === "--" ? rest.slice(1) : rest;
  const inside = lookInside(path);
  try {
    const { boot, disk, format } = inside;
    if (boot === undefined) {
      throw new UserError({
        code: "NotBootable",
        what: `cannot change what ${path} starts`,
        why: "capstan's boot loader is not on it",
        fix: "give a disk that capstan image build made",
      });
    }
    const workdir = optionText(options, "workdir");
    const configuration = changeConfiguration(boot.configuration, {
      env: parseEnvironment(optionList(options, "env"), env),
      ...(workdir === undefined ? {} : { cwd: workdir }),
      ...(args.length === 0 ? {} : { args }),
    });
    if (configuration.length > mostConfigurationBytes) {
      throw new UserError({
        code: "CommandLineTooLong",
        what: `cannot change what ${path} starts`,
        why: `arguments and environment take more than ${mostConfigurationBytes} bytes`,
        fix: "pass long arguments in a file of the image",
      });
    }
    const information = encodeBootInformation(configuration);
    // The place of the boot information ends where the kernel begins.
    const start = Buffer.alloc(boot.parameters.kernelFirstSector * sectorBytes);
    disk.read(start.subarray(0, sectorBytes), 0);
    encodeBootCode({
      ...boot.parameters,
      infoSectors: information.length / sectorBytes,
    }).copy(start, 0, 0, bootCodeBytes);
    information.copy(start, sectorBytes);
    const changed = new ChangedDisk(disk, start);
    await abortOnSignals((signal) =>
      writeWhole(path, signal, (output) => format.write(changed, output, {})),
    );
    if (options.json === true) process.stdout.write(`${JSON.stringify({ path, configuration })}\n`);
    return 0;
  } finally {
    inside.close();
  }
}
