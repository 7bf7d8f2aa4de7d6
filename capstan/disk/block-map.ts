/**
 * Disks whose file is a table of blocks: what the readers of all sparse formats share.
 * Neighbours: the readers in `formats/`.
 */
import type { DiskImage, Extent } from "./disk-image.ts";
import type { InputFile } from "./input-file.ts";

/** A disk made of equal blocks, each of which is stored somewhere in the file, or reads as zeros. */
export abstract class BlockMappedDisk implements DiskImage {
  /** Bytes of a block. */
  abstract readonly blockBytes: number;
  abstract readonly sizeBytes: number;
  protected readonly file: InputFile;

  /** Takes the file, and closes it with itself. */
  constructor(file: InputFile) {
    this.file = file;
  }

  /** Blocks that are stored, ascending. */
  protected abstract storedBlocks(): Iterable<number>;

  /** Where a block begins in the file; undefined if it reads as zeros. */
  protected abstract offsetOf(block: number): number | undefined;

  /** Fills `target` with the bytes from `within` on of a block. */
  protected readBlock(target: Buffer, block: number, within: number): void {
    const offset = this.offsetOf(block);
    if (offset === undefined) target.fill(0);
    else this.file.readInto(target, offset + within);
  }

  *extents(): Generator<Extent> {
    let startBytes = -1;
    let endBytes = -1;
    for (const block of this.storedBlocks()) {
      const at = block * this.blockBytes;
      if (at !== endBytes) {
        if (startBytes >= 0) yield { startBytes, endBytes };
        startBytes = at;
      }
      endBytes = Math.min(at + this.blockBytes, this.sizeBytes);
    }
    if (startBytes >= 0) yield { startBytes, endBytes };
  }

  read(target: Buffer, offsetBytes: number): void {
    for (let done = 0; done < target.length; ) {
      const position = offsetBytes + done;
      const block = Math.floor(position / this.blockBytes);
      const within = position - block * this.blockBytes;
      const count = Math.min(this.blockBytes - within, target.length - done);
      this.readBlock(target.subarray(done, done + count), block, within);
      done += count;
    }
  }

  close(): void {
    this.file.close();
  }
}
