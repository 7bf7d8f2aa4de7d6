/**
 * Tar archives of a few files in a given order, as OVA and cloud images want them. Header blocks are
 * encoded by a library; GNU's sparse files, which it lacks, are added here.
 *
 * Reference: GNU tar manual, "The Old GNU Format" and "Storing Sparse Files".
 * Neighbours: `ova.ts`, `gce.ts`, `vmware.ts`; `../archive/tar-writer.ts` writes whole trees.
 */
import { Header } from "tar/header";
import type { DiskOutput, Extent } from "../disk/disk-image.ts";

export const blockBytes = 512;

/** Offsets in the header of a sparse file. */
const sparse = { magic: 257, map: 386, isExtended: 482, realSize: 483 } as const;
const numberBytes = 12;
const pairBytes = 2 * numberBytes;
const pairsInHeader = 4;
const pairsInExtension = 21;
const extensionIsExtended = 504;
const checksumAt = 148;
/** Sizes up to here have an octal form of 11 digits. */
const mostOctal = 0o77777777777;

/** The header of a regular file that belongs to root and has no date. */
export function fileHeader(path: string, sizeBytes: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  new Header({
    path,
    size: sizeBytes,
    type: "File",
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: new Date(0),
  }).encode(block);
  return block;
}

/** Zeros that fill up the last block of a file. */
export function filePadding(sizeBytes: number): Buffer {
  return Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes);
}

/** Ends an archive. */
export function archiveEnd(): Buffer {
  return Buffer.alloc(2 * blockBytes);
}

/** Appends what a stream yields; what either throws ends both. */
export async function appendAll(
  output: DiskOutput,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const bytes of pieces) {
    output.append(bytes);
    await output.pause();
  }
}

/**
 * The header of a sparse file; the bytes of its extents follow, one after the other.
 * @param realSizeBytes size with the holes
 */
export function sparseFileHeader(
  path: string,
  realSizeBytes: number,
  extents: readonly Extent[],
): Buffer {
  const storedBytes = extents.reduce(
    (sum, { startBytes, endBytes }) => sum + endBytes - startBytes,
    0,
  );
  const header = fileHeader(path, storedBytes);
  header.write("ustar  \0", sparse.magic, "latin1");
  header.write("S", 156, "latin1");
  // A hole at the end shows as an empty piece there.
  const end = { startBytes: realSizeBytes, endBytes: realSizeBytes };
  const pairs = [...extents, end].map(({ startBytes, endBytes }) => {
    const pair = Buffer.alloc(pairBytes);
    writeNumber(pair, 0, startBytes);
    writeNumber(pair, numberBytes, endBytes - startBytes);
    return pair;
  });
  Buffer.concat(pairs.slice(0, pairsInHeader)).copy(header, sparse.map);
  header.writeUInt8(pairs.length > pairsInHeader ? 1 : 0, sparse.isExtended);
  writeNumber(header, sparse.realSize, realSizeBytes);
  writeChecksum(header);
  const blocks = [header];
  for (let next = pairsInHeader; next < pairs.length; next += pairsInExtension) {
    const block = Buffer.alloc(blockBytes);
    Buffer.concat(pairs.slice(next, next + pairsInExtension)).copy(block);
    block.writeUInt8(next + pairsInExtension < pairs.length ? 1 : 0, extensionIsExtended);
    blocks.push(block);
  }
  return Buffer.concat(blocks);
}

/** A number of 12 bytes: octal, or binary with the top bit set where that is too short. */
function writeNumber(target: Buffer, at: number, value: number): void {
  if (value <= mostOctal) {
    target.write(`${value.toString(8).padStart(numberBytes - 1, "0")}\0`, at, "latin1");
    return;
  }
  target.fill(0, at, at + numberBytes);
  target.writeUInt8(0x80, at);
  target.writeBigUInt64BE(BigInt(value), at + numberBytes - 8);
}

/** The sum of all bytes, with the field itself as blanks. */
function writeChecksum(header: Buffer): void {
  header.fill(" ", checksumAt, checksumAt + 8);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, checksumAt, "latin1");
}
