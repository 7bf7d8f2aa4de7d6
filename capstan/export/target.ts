/**
 * What an application can be exported as: the disk formats, and packages around disks for one
 * hypervisor or cloud each.
 *
 * Neighbours: `targets.ts` lists them, one file a kind; `../commands/image-build.ts` is the user.
 */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type BootableDiskParts, bootableDisk } from "../disk/bootable-disk.ts";
import type { DiskFormat } from "../disk/disk-image.ts";
import { type OutputFile, writeWhole } from "../disk/output-file.ts";
import { writingImage } from "../image/write-error.ts";
import type { GuestConsole } from "../protocol/command-line.ts";
import type { ExposedPort } from "../source/source.ts";

/** An application that is ready to be exported. */
export interface Application {
  /** Name without folder and ending, for machine descriptions. */
  readonly name: string;
  readonly kernelPath: string;
  /** An EROFS image. */
  readonly rootImagePath: string;
  /** What the kernel is told, given its root device and console. */
  readonly configuration: (root: string, console: GuestConsole) => string;
  /** Memory and processors of the machine, where a description names them. */
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly ports: readonly ExposedPort[];
}

interface TargetFacts {
  /** Name for `--format`. */
  readonly name: string;
  /** One line for the help text. */
  readonly summary: string;
  /** Usual end of the output's name. */
  readonly extension: string;
  /** The output is a disk and nothing else. */
  readonly isDisk?: boolean;
}

/** What a target may use while it writes. */
export interface ExportContext {
  /** Stops the work. */
  readonly signal: AbortSignal | undefined;
  /** A folder on the disk of the output, removed afterwards; made when first asked for. */
  scratchFolder(): string;
}

/** A target that is one file. */
export interface FileTarget extends TargetFacts {
  readonly kind: "file";
  write(application: Application, output: OutputFile, context: ExportContext): Promise<void>;
}

/** A target that is a folder with several files. */
export interface FolderTarget extends TargetFacts {
  readonly kind: "folder";
  /** Writes into a folder that exists and is empty. */
  write(application: Application, folder: string, context: ExportContext): Promise<void>;
}

export type ImageTarget = FileTarget | FolderTarget;

/** The disk of an application: started by our boot loader, console on the serial port. */
export function diskParts({ configuration, ...files }: Application): BootableDiskParts {
  return { ...files, configuration: (root) => configuration(root, "serial") };
}

/** A disk format as a target. */
export function diskTarget(format: DiskFormat): FileTarget {
  return {
    kind: "file",
    isDisk: true,
    name: format.name,
    summary: format.summary,
    extension: format.extension,
    write: (application, output) => writeApplicationDisk(application, format, output),
  };
}

/** Writes the disk of an application in some format. */
export async function writeApplicationDisk(
  application: Application,
  format: DiskFormat,
  output: OutputFile,
): Promise<void> {
  const disk = bootableDisk(diskParts(application));
  try {
    await format.write(disk, output, {});
  } finally {
    disk.close();
  }
}

/**
 * Exports an application. The output appears whole or not at all, and replaces what was there.
 * @throws UserError, the signal's reason
 */
export async function exportApplication(
  application: Application,
  target: ImageTarget,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.d`);
  const makeFolder = (): string => {
    writingImage(path, () => mkdirSync(temporary, { recursive: true }));
    return temporary;
  };
  const context: ExportContext = { signal, scratchFolder: makeFolder };
  try {
    if (target.kind === "file") {
      await writeWhole(path, signal, (output) => target.write(application, output, context));
      return;
    }
    await target.write(application, makeFolder(), context);
    writingImage(path, () => {
      rmSync(path, { recursive: true, force: true });
      renameSync(temporary, path);
    });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
