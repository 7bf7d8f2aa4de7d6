/**
 * A file that appears whole or not at all: written under a temporary name in the same folder, then
 * flushed to the disk and renamed.
 *
 *     .NAME.PROCESS-ID.tmp   --fsync, rename-->   NAME
 *
 * Long stretches of zeros become holes. Neighbours: formats write to it through `DiskOutput`;
 * commands make it with `writeWhole`.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { Pacer } from "../image/erofs/pacer.ts";
import { writingImage } from "../image/write-error.ts";
import type { DiskOutput } from "./disk-image.ts";

const BUFFER_BYTES = 1024 * 1024;
/** Shorter runs of zeros are written: a hole costs a system call. */
const HOLE_BYTES = 4096;

function temporaryPathOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
}

export class OutputFile implements DiskOutput {
  readonly #path: string;
  readonly #temporaryPath: string;
  readonly #fd: number;
  readonly #pacer: Pacer;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #bufferedBytes = 0;
  #isCommitted = false;
  /** File offset of the buffer's start. */
  #flushedBytes = 0;

  /** Starts to write what will be at `path`. @throws UserError */
  constructor(path: string, signal?: AbortSignal) {
    this.#path = path;
    this.#temporaryPath = temporaryPathOf(path);
    this.#pacer = new Pacer(signal);
    this.#fd = this.#guard(() => openSync(this.#temporaryPath, "w", 0o644));
  }

  get positionBytes(): number {
    return this.#flushedBytes + this.#bufferedBytes;
  }

  append(bytes: Uint8Array): void {
    if (bytes.length >= BUFFER_BYTES) {
      this.#flush();
      this.#writeAt(bytes, this.#flushedBytes);
      this.#flushedBytes += bytes.length;
      return;
    }
    if (this.#bufferedBytes + bytes.length > BUFFER_BYTES) this.#flush();
    this.#buffer.set(bytes, this.#bufferedBytes);
    this.#bufferedBytes += bytes.length;
  }

  padTo(positionBytes: number): void {
    const zeros = positionBytes - this.positionBytes;
    if (zeros < 0) throw new RangeError(`position ${positionBytes} lies behind`);
    if (zeros >= HOLE_BYTES) {
      this.#flush();
      this.#flushedBytes = positionBytes;
    } else if (zeros > 0) {
      this.append(new Uint8Array(zeros));
    }
  }

  pause(): Promise<void> {
    return this.#pacer.pause();
  }

  /** Replaces bytes that were appended before. */
  overwrite(bytes: Uint8Array, positionBytes: number): void {
    this.#flush();
    this.#writeAt(bytes, positionBytes);
  }

  /** Makes the file durable and gives it its name. */
  commit(): void {
    this.#flush();
    this.#guard(() => {
      ftruncateSync(this.#fd, this.#flushedBytes);
      fsyncSync(this.#fd);
      renameSync(this.#temporaryPath, this.#path);
    });
    this.#isCommitted = true;
  }

  /** Closes the file; removes it unless it was committed. */
  close(): void {
    closeSync(this.#fd);
    if (!this.#isCommitted) rmSync(this.#temporaryPath, { force: true });
  }

  #flush(): void {
    this.#writeAt(this.#buffer.subarray(0, this.#bufferedBytes), this.#flushedBytes);
    this.#flushedBytes += this.#bufferedBytes;
    this.#bufferedBytes = 0;
  }

  #writeAt(bytes: Uint8Array, positionBytes: number): void {
    this.#guard(() => {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, positionBytes + done);
      }
    });
  }

  #guard<Result>(action: () => Result): Result {
    return writingImage(this.#path, action);
  }
}

/**
 * Writes a file that appears whole or, after an error or an interruption, not at all.
 * @returns the file's size in bytes
 * @throws UserError, the signal's reason, and whatever `write` throws
 */
export async function writeWhole(
  path: string,
  signal: AbortSignal | undefined,
  write: (output: OutputFile) => Promise<void>,
): Promise<number> {
  const output = new OutputFile(path, signal);
  try {
    await write(output);
    output.commit();
    return output.positionBytes;
  } finally {
    output.close();
  }
}

/**
 * Copies a file, so that the copy appears whole or not at all. Shares blocks where the file system
 * can. @throws UserError
 */
export function copyWhole(from: string, path: string): void {
  const temporaryPath = temporaryPathOf(path);
  writingImage(path, () => {
    try {
      copyFileSync(from, temporaryPath, constants.COPYFILE_FICLONE);
      renameSync(temporaryPath, path);
    } finally {
      rmSync(temporaryPath, { force: true });
    }
  });
}
