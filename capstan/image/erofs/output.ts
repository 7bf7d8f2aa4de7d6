/**
 * The file that an image is written to: sequential, buffered, hashed, and sparse.
 *
 * Stretches of zeros are left as holes. The hash covers position and contents of everything else,
 * so it depends only on the image, not on how the holes came about.
 *
 * Neighbours: `writer.ts` is the only user.
 */
import { createHash } from "node:crypto";
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { writingImage } from "../write-error.ts";
import { COPY_CHUNK_BYTES } from "./content.ts";

/** Granularity of holes; smaller ones cost more system calls than they save. */
const PIECE_BYTES = 64 * 1024;
const ZEROS = Buffer.alloc(PIECE_BYTES);

export class ImageOutput {
  readonly #path: string;
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(COPY_CHUNK_BYTES);
  readonly #hash = createHash("sha256");
  #bufferedBytes = 0;
  #writtenBytes = 0;

  /** Creates or truncates the file. */
  constructor(path: string) {
    this.#path = path;
    this.#fd = this.#guard(() => openSync(path, "w", 0o644));
  }

  /** Bytes appended so far. */
  get positionBytes(): number {
    return this.#writtenBytes + this.#bufferedBytes;
  }

  /**
   * Free space of the buffer, at most `sizeBytes`, for the caller to fill completely before the
   * next call; it counts as appended.
   */
  reserve(sizeBytes: number): Buffer {
    if (this.#bufferedBytes === this.#buffer.length) this.#flush();
    const end = Math.min(this.#buffer.length, this.#bufferedBytes + sizeBytes);
    const space = this.#buffer.subarray(this.#bufferedBytes, end);
    this.#bufferedBytes = end;
    return space;
  }

  append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const space = this.reserve(bytes.length - done);
      space.set(bytes.subarray(done, done + space.length));
      done += space.length;
    }
  }

  /** Appends zeros up to a position, which must not lie behind. */
  padTo(positionBytes: number): void {
    while (this.positionBytes < positionBytes) {
      this.reserve(positionBytes - this.positionBytes).fill(0);
    }
  }

  /** Writes out everything and returns the SHA-256 of the image so far. */
  finish(): Buffer {
    this.#flush();
    this.#guard(() => ftruncateSync(this.#fd, this.#writtenBytes));
    return this.#hash.digest();
  }

  /** Replaces bytes at the start of the file; not hashed. */
  overwriteStart(bytes: Uint8Array): void {
    this.#writeAt(bytes, 0);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #flush(): void {
    for (let start = 0; start < this.#bufferedBytes; start += PIECE_BYTES) {
      const piece = this.#buffer.subarray(
        start,
        Math.min(start + PIECE_BYTES, this.#bufferedBytes),
      );
      if (piece.equals(ZEROS.subarray(0, piece.length))) continue;
      const position = this.#writtenBytes + start;
      this.#hash.update(`${position}:${piece.length}:`);
      this.#hash.update(piece);
      this.#writeAt(piece, position);
    }
    this.#writtenBytes += this.#bufferedBytes;
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
