/**
 * What a virtual disk is, and what a disk format is: the interface that everything about disks meets.
 *
 * A disk is random access and knows which stretches of it may hold data. A format turns a disk into
 * a file in one sequential pass, and such a file into a disk again; so `convert` is one format's
 * reader connected with another's writer.
 *
 * Neighbours: `formats/` holds one format a file, `formats.ts` lists them, `parts-disk.ts` makes new
 * disks, `output-file.ts` is where writers write.
 */

/** A stretch of a disk. */
export interface Extent {
  readonly startBytes: number;
  readonly endBytes: number;
}

/** A virtual disk's contents. */
export interface DiskImage {
  /** Capacity, a multiple of 512. */
  readonly sizeBytes: number;
  /**
   * Stretches that may hold something other than zeros, ascending, without overlap; all else reads
   * as zeros. They may be larger than the data, and each is cheap to find.
   */
  extents(): Iterable<Extent>;
  /**
   * Fills `target` with the bytes at `offsetBytes`, which lie within the disk.
   * @throws DiskFormatError for a damaged image, Node's system errors
   */
  read(target: Buffer, offsetBytes: number): void;
  close(): void;
}

/** Where a format writes: a stream of bytes in which zeros may be skipped. */
export interface DiskOutput {
  /** Bytes so far. */
  readonly positionBytes: number;
  append(bytes: Uint8Array): void;
  /** Appends zeros up to a position, which does not lie behind. */
  padTo(positionBytes: number): void;
  /** To be called about every mebibyte: lets other work run, and throws when the user interrupts. */
  pause(): Promise<void>;
}

/** Choices of formats that have them. */
export interface WriteOptions {
  /** A disk to store only the differences from, as it is to be named in the file. */
  readonly backing?: { readonly disk: DiskImage; readonly name: string; readonly format: string };
}

/** A file format of disks. */
export interface DiskFormat {
  /** Name for `--format`. */
  readonly name: string;
  /** One line for the help text. */
  readonly summary: string;
  /** Usual end of file names, with the dot. */
  readonly extension: string;
  /** Whether a file is of this format; `head` are its first bytes, `tail` its last 512. */
  recognises(head: Buffer, tail: Buffer): boolean;
  /**
   * Opens an image file.
   * @throws DiskFormatError when it is damaged, truncated or uses what is not supported
   */
  open(path: string): DiskImage;
  /** Writes a disk. The same disk and options give the same bytes on every machine and day. */
  write(disk: DiskImage, output: DiskOutput, options: WriteOptions): Promise<void>;
}

/** Whether a file's name says that it is of a format: by its usual end, or by the format's name. */
export function isNamedLike(
  path: string,
  { name, extension }: Pick<DiskFormat, "name" | "extension">,
): boolean {
  return (extension !== "" && path.endsWith(extension)) || path.endsWith(`.${name}`);
}

/** An image file is damaged, truncated, or uses a feature that the reader does not know. */
export class DiskFormatError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DiskFormatError";
  }
}
