/**
 * `capstan image build -o FILE SOURCE`, or `-- PROGRAM [ARGS...]`: makes an image for a hypervisor
 * or cloud of an application. Neighbours: `../export/` knows the formats, `../run/prepare.ts` makes
 * the file system.
 */
import { rmSync, statSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { bootableDisk } from "../disk/bootable-disk.ts";
import { isNamedLike } from "../disk/disk-image.ts";
import { UserError } from "../errors.ts";
import { FinishedImages, fileIdentity, finishedKey } from "../export/finished-images.ts";
import {
  type Application,
  diskParts,
  exportApplication,
  type ImageTarget,
} from "../export/target.ts";
import { imageTargets } from "../export/targets.ts";
import { parseAddress } from "../hypervisor/network.ts";
import { manifestPathOf } from "../manifest/manifest-path.ts";
import { encodeConfiguration } from "../protocol/command-line.ts";
import { findKernel } from "../run/kernel-file.ts";
import { type PreparedSource, prepareSource } from "../run/prepare.ts";
import { abortOnSignals } from "../run/signals.ts";
import { parseCount, parseMemory } from "../text/option-values.ts";
import { formatBytes } from "../text/table.ts";
import { type CommandDefinition, type CommandInput, optionText } from "./command.ts";
import { parseSource, sourceNotes, sourceOptionDefinitions } from "./source-options.ts";

/** The command as data. */
export const imageBuildCommand: CommandDefinition = {
  name: "image build",
  summary: "make an image for a hypervisor or cloud",
  parameters: "[source] [args...]",
  options: [
    {
      flags: "-f, --format <name>",
      description: "format of the image; by default what the output's name ends with",
      choices: imageTargets.map(({ name }) => name),
    },
    { flags: "-o, --output <file>", description: "where to write it" },
    ...sourceOptionDefinitions,
    {
      flags: "-m, --memory <size>",
      description: "memory of the machine, where the format describes one",
      initial: "512M",
    },
    { flags: "-c, --cpus <count>", description: "processors of the machine", initial: "1" },
    {
      flags: "--ip <address/bits>",
      description: "the guest's address: ADDRESS/BITS[,GATEWAY]; by default asked by DHCP",
    },
    { flags: "--verbose", description: "let the kernel write its log to the serial port" },
    { flags: "--quiet", description: "print nothing but errors" },
    { flags: "--kernel <file>", description: "use this kernel (an ELF file with a PVH entry)" },
  ],
  notes: `${sourceNotes}

Formats:
${imageTargets.map(({ name, summary }) => `  ${name.padEnd(18)}${summary}`).join("\n")}

Disks start by themselves on machines with a BIOS; the program has the serial port as its console.
The same application gives the same image, byte for byte. A signed manifest of all files is written
beside the image; capstan image verify checks it.`,
  examples: [
    "capstan image build -o hello.qcow2 -- ./hello",
    "capstan image build --format raw -o disk.img .",
  ],
  completes: "program",
  run: build,
};

async function build(input: CommandInput): Promise<number> {
  const { options, env } = input;
  const { target, path } = chooseTarget(input);
  const kernelPath = findKernel(optionText(options, "kernel"), env);
  const memoryBytes = parseMemory(optionText(options, "memory") ?? "512M");
  const cpus = parseCount("--cpus", optionText(options, "cpus") ?? "1", 1, 64);
  const startMs = performance.now();
  const { prepared, isUnchanged } = await abortOnSignals(async (signal) => {
    const given = parseSource(input, { signal });
    const source = await prepareSource(given.request, given.options);
    const application = {
      name: nameOf(path, target),
      kernelPath,
      rootImagePath: source.image.path,
      configuration: configurationOf(source, input),
      memoryBytes,
      cpus,
      ports: source.source.launch.ports,
    };
    return {
      prepared: source,
      isUnchanged: await provideImage(application, target, path, { env, signal }),
    };
  });
  const seconds = (performance.now() - startMs) / 1000;
  report(input, prepared, { target, path, seconds, isUnchanged });
  return 0;
}

/**
 * Sees to it that the image and its manifest are there.
 * @returns whether they had not to be written
 */
async function provideImage(
  application: Application,
  target: ImageTarget,
  path: string,
  { env, signal }: { env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<boolean> {
  const { name, kernelPath, rootImagePath, configuration, memoryBytes, cpus } = application;
  const finished = new FinishedImages(env);
  const key = finishedKey([
    target.name,
    // A disk is the same whatever it is called and however large its machine is.
    ...(target.isDisk === true ? [] : [name, memoryBytes, cpus]),
    fileIdentity(kernelPath) ?? "",
    basename(rootImagePath),
    configuration("", "serial"),
  ]);
  const paths = [path, manifestPathOf(path)];
  if (target.kind === "file" && finished.provide(key, paths)) return true;
  const { describeDisk, writeManifest } = await import("../manifest/write-manifest.ts");
  const disk = bootableDisk(diskParts(application));
  try {
    // This takes as long as the image, which must not stand there without a manifest meanwhile.
    const described = await describeDisk(disk, signal);
    await exportApplication(application, target, path, signal);
    try {
      await writeManifest(described, path, { isDisk: target.isDisk === true, env, signal });
    } catch (error) {
      // An archive is read once more for its manifest; a signal may come meanwhile, or the disk be full.
      if (target.kind === "file") rmSync(path, { force: true });
      throw error;
    }
  } finally {
    disk.close();
  }
  if (target.kind === "file") finished.remember(key, paths);
  return false;
}

function configurationOf(
  prepared: PreparedSource,
  input: CommandInput,
): Application["configuration"] {
  const { launch } = prepared.source;
  const ip = parseAddress(optionText(input.options, "ip") ?? "dhcp");
  return (root, console) =>
    encodeConfiguration({
      root,
      console,
      executable: launch.executable,
      argv0: launch.argv0,
      args: launch.args,
      cwd: launch.cwd,
      env: launch.env,
      user: launch.user,
      verbose: input.options.verbose === true,
      ...(ip === undefined ? {} : { ip }),
    });
}

/** The machine's name: the output's without its ending, without what names cannot have. */
function nameOf(path: string, { extension }: ImageTarget): string {
  const name = basename(path, path.endsWith(extension) ? extension : extname(path));
  return name.replace(/[^\w.-]/g, "_");
}

/** The format by name, else by the output's ending; and where to write. */
function chooseTarget({ options }: CommandInput): { target: ImageTarget; path: string } {
  const output = optionText(options, "output");
  const name = optionText(options, "format");
  const list = imageTargets.map((target) => target.name).join(", ");
  const unknown = (why: string): UserError =>
    new UserError({
      code: "UnknownFormat",
      what: "cannot tell which format the image should have",
      why,
      fix: `name one with --format: ${list}`,
    });
  const target =
    name === undefined
      ? imageTargets.find((each) => isNamedLike(output ?? "", each))
      : imageTargets.find((each) => each.name === name);
  if (target === undefined) {
    throw unknown(
      name === undefined
        ? `the name ${output ?? ""} does not end like a known format`
        : `there is no format ${name}`,
    );
  }
  if (output === undefined) {
    throw new UserError({
      code: "NoOutput",
      what: "cannot build the image",
      why: "it is not said where to write it",
      fix: `name the file: capstan image build --format ${target.name} -o image${target.extension}`,
    });
  }
  return { target, path: resolve(output) };
}

/** How a build went. */
interface BuildResult {
  readonly target: ImageTarget;
  readonly path: string;
  readonly seconds: number;
  readonly isUnchanged: boolean;
}

function report(
  { options }: CommandInput,
  { source, image }: PreparedSource,
  { target, path, seconds, isUnchanged }: BuildResult,
): void {
  const sizeBytes = target.kind === "file" ? statSync(path).size : null;
  if (options.json === true) {
    const { files, contentBytes, cached } = image;
    const { launch, origin, warnings } = source;
    process.stdout.write(
      `${JSON.stringify({
        path,
        format: target.name,
        sizeBytes,
        isUnchanged,
        manifest: manifestPathOf(path),
        fileSystem: { files, contentBytes, cached },
        program: [launch.executable, ...launch.args],
        origin,
        warnings,
        seconds,
      })}\n`,
    );
    return;
  }
  if (options.quiet === true) return;
  for (const warning of source.warnings) process.stderr.write(`capstan: note: ${warning}\n`);
  const size = sizeBytes === null ? "" : `, ${formatBytes(sizeBytes)}`;
  const how = isUnchanged ? "unchanged" : `${seconds.toFixed(1)} s`;
  process.stderr.write(`${path}: ${target.name}${size}, ${how}\n`);
}
