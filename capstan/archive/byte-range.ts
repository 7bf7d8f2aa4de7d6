/**
 * A part of a host file, read by position: a blob, an archive in an archive. Nothing is copied to
 * look into it. Neighbours: `tar-reader.ts` walks over one, `../image/tree.ts` refers to parts.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";

/** Where the bytes lie. */
export interface ByteRange {
  /** Absolute host path. */
  readonly path: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** A whole file. Throws Node's system errors. */
export function wholeFile(path: string): ByteRange {
  return { path, offsetBytes: 0, sizeBytes: statSync(path).size };
}

/** What is read at once: headers of small files that follow each other cost one system call. */
const WINDOW_BYTES = 64 * 1024;

/** An open range. */
export class RangeReader {
  readonly range: ByteRange;
  readonly #fd: number;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  /** Opens the file. Throws Node's system errors. */
  constructor(range: ByteRange) {
    this.range = range;
    this.#fd = openSync(range.path, "r");
  }

  /**
   * Bytes at a position within the range; fewer than asked for at its end. They may be shared with
   * later reads, so they are not to be changed.
   */
  read(offsetBytes: number, sizeBytes: number): Buffer {
    const start = offsetBytes - this.#windowStart;
    if (start < 0 || start + sizeBytes > this.#window.length) {
      this.#window = this.#fill(offsetBytes, Math.max(sizeBytes, WINDOW_BYTES));
      this.#windowStart = offsetBytes;
      return this.#window.subarray(0, sizeBytes);
    }
    return this.#window.subarray(start, start + sizeBytes);
  }

  #fill(offsetBytes: number, sizeBytes: number): Buffer {
    const size = Math.max(0, Math.min(sizeBytes, this.range.sizeBytes - offsetBytes));
    const bytes = Buffer.allocUnsafe(size);
    let done = 0;
    while (done < size) {
      const at = this.range.offsetBytes + offsetBytes + done;
      const count = readSync(this.#fd, bytes, done, size - done, at);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Reads up to `limitBytes` of a range. Throws Node's system errors. */
export function readRange(range: ByteRange, limitBytes = range.sizeBytes): Buffer {
  const sizeBytes = Math.min(limitBytes, range.sizeBytes);
  const reader = new RangeReader({ ...range, sizeBytes });
  try {
    return reader.read(0, sizeBytes);
  } finally {
    reader.close();
  }
}
