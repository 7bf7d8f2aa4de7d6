/**
 * An open image file with reads that are complete or fail: a file that ends too early is damaged.
 * Neighbours: the readers in `formats/`.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { DiskFormatError } from "./disk-image.ts";

export class InputFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly #fd: number;

  /** Opens a file for reading; throws Node's system errors. */
  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, "r");
    this.sizeBytes = fstatSync(this.#fd).size;
  }

  /** Fills `target` with the bytes at `offsetBytes`. @throws DiskFormatError if there are fewer */
  readInto(target: Buffer, offsetBytes: number): void {
    for (let done = 0; done < target.length; ) {
      const count = readSync(this.#fd, target, done, target.length - done, offsetBytes + done);
      if (count === 0) {
        const end = offsetBytes + target.length;
        throw new DiskFormatError(
          `the file has ${this.sizeBytes} bytes but should reach at least to byte ${end}`,
        );
      }
      done += count;
    }
  }

  /** The `sizeBytes` bytes at `offsetBytes`. @throws DiskFormatError if there are fewer */
  read(offsetBytes: number, sizeBytes: number): Buffer {
    if (offsetBytes + sizeBytes > this.sizeBytes) {
      throw new DiskFormatError(
        `the file has ${this.sizeBytes} bytes but should reach at least to byte ${offsetBytes + sizeBytes}`,
      );
    }
    const bytes = Buffer.allocUnsafe(sizeBytes);
    this.readInto(bytes, offsetBytes);
    return bytes;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/**
 * Opens a file and makes something of it that closes it later; closes it when that fails. What a
 * decoder of damaged numbers throws (RangeError) becomes a DiskFormatError.
 */
export function opening<Result>(path: string, make: (file: InputFile) => Result): Result {
  const file = new InputFile(path);
  try {
    return make(file);
  } catch (error) {
    file.close();
    if (error instanceof RangeError) {
      throw new DiskFormatError(`a number in the file makes no sense: ${error.message}`);
    }
    throw error;
  }
}
