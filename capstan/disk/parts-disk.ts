/**
 * A disk put together from parts: bytes made here and files of the host, at chosen positions.
 * Neighbours: `bootable-disk.ts` puts boot loader, kernel and file system together.
 */
import type { DiskImage, Extent } from "./disk-image.ts";
import { InputFile } from "./input-file.ts";

/** Something that lies on a disk. Parts do not overlap. */
export interface DiskPart {
  readonly offsetBytes: number;
  readonly content: Buffer | InputFile;
}

function sizeOf({ content }: DiskPart): number {
  return content instanceof InputFile ? content.sizeBytes : content.length;
}

/** A disk with these parts; it closes the files with itself. */
export class PartsDisk implements DiskImage {
  readonly sizeBytes: number;
  readonly #parts: readonly DiskPart[];

  constructor(sizeBytes: number, parts: readonly DiskPart[]) {
    this.sizeBytes = sizeBytes;
    this.#parts = parts.toSorted((a, b) => a.offsetBytes - b.offsetBytes);
    let end = 0;
    for (const part of this.#parts) {
      if (part.offsetBytes < end) throw new RangeError("parts of a disk overlap");
      end = part.offsetBytes + sizeOf(part);
    }
    if (end > sizeBytes) throw new RangeError("parts lie beyond the end of the disk");
  }

  *extents(): Generator<Extent> {
    for (const part of this.#parts) {
      yield { startBytes: part.offsetBytes, endBytes: part.offsetBytes + sizeOf(part) };
    }
  }

  read(target: Buffer, offsetBytes: number): void {
    target.fill(0);
    const end = offsetBytes + target.length;
    for (const part of this.#parts) {
      const from = Math.max(offsetBytes, part.offsetBytes);
      const to = Math.min(end, part.offsetBytes + sizeOf(part));
      if (from >= to) continue;
      const space = target.subarray(from - offsetBytes, to - offsetBytes);
      const within = from - part.offsetBytes;
      if (part.content instanceof InputFile) part.content.readInto(space, within);
      else part.content.copy(space, 0, within, within + space.length);
    }
  }

  close(): void {
    for (const { content } of this.#parts) if (content instanceof InputFile) content.close();
  }
}
