/**
 * All disk formats, and how to open an image file of any of them.
 * Neighbours: `formats/` holds them; commands use this file.
 */
import { systemErrorCode, UserError } from "../errors.ts";
import { ErofsFormatError } from "../image/erofs/decode.ts";
import { type DiskFormat, DiskFormatError, type DiskImage } from "./disk-image.ts";
import { makeQcow2Format } from "./formats/qcow2.ts";
import { rawFormat } from "./formats/raw.ts";
import { vdiFormat } from "./formats/vdi.ts";
import { vhdFixedFormat, vhdFormat } from "./formats/vhd.ts";
import { vhdxFormat } from "./formats/vhdx.ts";
import { vmdkFormat, vmdkStreamFormat } from "./formats/vmdk.ts";
import { InputFile } from "./input-file.ts";

/** QCOW2, with backing files of any format. */
export const qcow2Format = makeQcow2Format(openBacking);

/** Every format, in the order in which files are tried; raw is last, since it has no signature. */
export const diskFormats: readonly DiskFormat[] = [
  qcow2Format,
  vmdkFormat,
  vmdkStreamFormat,
  vdiFormat,
  vhdxFormat,
  vhdFormat,
  vhdFixedFormat,
  rawFormat,
];

const mostBackingFiles = 16;
let openBackingFiles = 0;

/** Opens a backing file; a chain that is too long is one that leads back to itself. */
function openBacking(path: string, name: string | undefined): DiskImage {
  if (openBackingFiles === mostBackingFiles) {
    throw new DiskFormatError(`more than ${mostBackingFiles} backing files, or a circle of them`);
  }
  openBackingFiles += 1;
  try {
    const format = name === undefined ? detectFormat(path) : diskFormat(name);
    if (format === undefined) throw new DiskFormatError(`the format of the backing file ${path}`);
    return format.open(path);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw new DiskFormatError(`its backing file ${path} cannot be read`);
  } finally {
    openBackingFiles -= 1;
  }
}

/** The format with a name, or undefined. */
export function diskFormat(name: string): DiskFormat | undefined {
  return diskFormats.find((format) => format.name === name);
}

const HEAD_BYTES = 64 * 1024;
const TAIL_BYTES = 512;

/** The format of a file, or undefined for one that no format knows. Throws system errors. */
export function detectFormat(path: string): DiskFormat | undefined {
  const file = new InputFile(path);
  try {
    const head = file.read(0, Math.min(HEAD_BYTES, file.sizeBytes));
    const tailBytes = Math.min(TAIL_BYTES, file.sizeBytes);
    const tail = file.read(file.sizeBytes - tailBytes, tailBytes);
    return diskFormats.find((format) => format.recognises(head, tail));
  } finally {
    file.close();
  }
}

/** An opened image file. */
export interface OpenedDisk {
  readonly format: DiskFormat;
  readonly disk: DiskImage;
}

/**
 * Opens an image file of any format.
 * @throws UserError `ImageNotFound`, `UnknownImage` or `ImageDamaged`
 */
export function openDisk(path: string): OpenedDisk {
  return explainingDisk(path, () => {
    const format = detectFormat(path);
    if (format !== undefined) return { format, disk: format.open(path) };
    throw new UserError({
      code: "UnknownImage",
      what: `cannot use ${path} as a disk image`,
      why: "it has the signature of no known format, and neither a boot sector nor a file system",
      fix: `give an image of one of these formats: ${diskFormats.map(({ name }) => name).join(", ")}`,
    });
  });
}

/** Does something with an image file and puts errors into words. @throws UserError */
export function explainingDisk<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw explainedDiskError(path, error);
  }
}

/** An error of reading an image file in words, where it is one. */
export function explainedDiskError(path: string, error: unknown): unknown {
  if (error instanceof DiskFormatError || error instanceof ErofsFormatError) {
    return new UserError({
      code: "ImageDamaged",
      what: `cannot read the image ${path}`,
      why: error.message,
      fix: "build, copy or download it again; capstan image inspect shows what can be read",
      cause: error,
    });
  }
  if (systemErrorCode(error) === undefined || error instanceof UserError) return error;
  return new UserError({
    code: "ImageNotFound",
    what: `cannot read the image ${path}`,
    why: error instanceof Error ? error.message : String(error),
    fix: "check the path and its permissions",
    cause: error,
  });
}
