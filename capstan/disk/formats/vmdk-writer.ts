/**
 * Writes VMDK files of the two kinds that are one file.
 *
 *     monolithicSparse:  | header | descriptor | directory, tables (twice) | grains |
 *     streamOptimized:   | header | descriptor | compressed grains, each table behind its grains |
 *                        | directory | footer | end |
 *
 * The second is what OVA archives hold: it can be written and read as a stream.
 * Neighbours: `vmdk-header.ts` has the encoding.
 */
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import { surveyDisk } from "../content-id.ts";
import type { DiskImage, DiskOutput } from "../disk-image.ts";
import { copyGrains, dataGrains } from "../grains.ts";
import {
  descriptorSectors,
  directoryAtEnd,
  encodeDescriptor,
  encodeHeader,
  entriesPerTable,
  flagCompressed,
  flagMarkers,
  flagNewlineTest,
  flagRedundantTables,
  grainBytes,
  grainSectors,
  sectorBytes,
  tableSectors,
} from "./vmdk-header.ts";

/** What a marker in a stream announces. */
const marker = { end: 0, table: 1, directory: 2, footer: 3 } as const;

/** zlib's level: 6 takes nearly twice the time of 3 for a thirtieth less. */
const compressionLevel = 3;
/** Compresses in one of Node's threads: all processors of the host work. */
const compress = promisify<Buffer, { level: number }, Buffer>(deflate);

function sectorsOf(bytes: number): number {
  return Math.ceil(bytes / sectorBytes);
}

function tablesOf(disk: DiskImage): number {
  return Math.max(1, Math.ceil(disk.sizeBytes / grainBytes / entriesPerTable));
}

/** Writes a file that can be used in place. */
export async function writeSparseVmdk(disk: DiskImage, output: DiskOutput): Promise<void> {
  const { grains, hash } = await surveyDisk(disk, grainBytes, () => output.pause());
  const tables = tablesOf(disk);
  const directorySectors = sectorsOf(tables * 4);
  const copySectors = directorySectors + tables * tableSectors;
  const redundantAt = 1 + descriptorSectors;
  const directoryAt = redundantAt + copySectors;
  const overheadSectors = Math.ceil((directoryAt + copySectors) / grainSectors) * grainSectors;
  const capacitySectors = sectorsOf(disk.sizeBytes);
  output.append(
    encodeHeader({
      version: 1,
      flags: flagNewlineTest | flagRedundantTables,
      capacitySectors,
      grainSectors,
      entriesPerTable,
      redundantDirectoryAt: redundantAt,
      directoryAt: BigInt(directoryAt),
      overheadSectors,
    }),
  );
  output.append(encodeDescriptor("monolithicSparse", capacitySectors, hash));
  const table = Buffer.alloc(tables * tableSectors * sectorBytes);
  for (const [position, grain] of grains.entries()) {
    table.writeUInt32LE(overheadSectors + position * grainSectors, grain * 4);
  }
  for (const start of [redundantAt, directoryAt]) {
    const directory = Buffer.alloc(directorySectors * sectorBytes);
    for (let index = 0; index < tables; index++) {
      directory.writeUInt32LE(start + directorySectors + index * tableSectors, index * 4);
    }
    output.append(directory);
    output.append(table);
  }
  output.padTo(overheadSectors * sectorBytes);
  await copyGrains(disk, output, grains, grainBytes);
}

/** Writes a compressed stream. */
export async function writeStreamVmdk(disk: DiskImage, output: DiskOutput): Promise<void> {
  const { hash } = await surveyDisk(disk, grainBytes, () => output.pause());
  const capacitySectors = sectorsOf(disk.sizeBytes);
  const header = {
    version: 3,
    flags: flagNewlineTest | flagCompressed | flagMarkers,
    capacitySectors,
    grainSectors,
    entriesPerTable,
    redundantDirectoryAt: 0,
    directoryAt: directoryAtEnd,
    overheadSectors: grainSectors,
  };
  output.append(encodeHeader(header));
  output.append(encodeDescriptor("streamOptimized", capacitySectors, hash));
  output.padTo(grainSectors * sectorBytes);
  const start = output.positionBytes;
  if (start % sectorBytes !== 0) throw new RangeError("the stream does not begin with a sector");
  const stream = new MarkedStream(output, tablesOf(disk));
  for await (const grains of dataGrains(disk, grainBytes, () => output.pause())) {
    const packed = await Promise.all(
      grains.map(({ bytes }) => compress(bytes, { level: compressionLevel })),
    );
    for (const [at, { index }] of grains.entries())
      stream.grain(index, packed[at] ?? Buffer.alloc(0));
  }
  const directoryAt = stream.finishTables();
  stream.marked(marker.footer, encodeHeader({ ...header, directoryAt: BigInt(directoryAt) }));
  stream.marked(marker.end, Buffer.alloc(0));
}

/** The part of a stream with markers: grains, then tables where they are complete. */
class MarkedStream {
  readonly #output: DiskOutput;
  readonly #origin: number;
  readonly #directory: Buffer;
  #table = Buffer.alloc(entriesPerTable * 4);
  #tableIndex = -1;

  constructor(output: DiskOutput, tables: number) {
    this.#output = output;
    // In an archive the file does not begin at the output's first byte.
    this.#origin = output.positionBytes - grainSectors * sectorBytes;
    this.#directory = Buffer.alloc(sectorsOf(tables * 4) * sectorBytes);
  }

  /** A grain that was compressed. */
  grain(index: number, packed: Buffer): void {
    const table = Math.floor(index / entriesPerTable);
    if (table !== this.#tableIndex) {
      this.#finishTable();
      this.#tableIndex = table;
    }
    this.#table.writeUInt32LE(this.#position(), (index % entriesPerTable) * 4);
    const head = Buffer.alloc(12);
    head.writeBigUInt64LE(BigInt(index * grainSectors), 0);
    head.writeUInt32LE(packed.length, 8);
    this.#output.append(head);
    this.#output.append(packed);
    this.#pad();
  }

  /** Ends the last table and writes the directory. @returns the directory's sector */
  finishTables(): number {
    this.#finishTable();
    this.marked(marker.directory, this.#directory);
    return this.#position() - this.#directory.length / sectorBytes;
  }

  /** A marker, and what it announces: whole sectors. */
  marked(type: number, content: Buffer): void {
    const head = Buffer.alloc(sectorBytes);
    head.writeBigUInt64LE(BigInt(content.length / sectorBytes), 0);
    head.writeUInt32LE(type, 12);
    this.#output.append(head);
    this.#output.append(content);
  }

  #finishTable(): void {
    if (this.#tableIndex < 0) return;
    this.marked(marker.table, this.#table);
    this.#directory.writeUInt32LE(this.#position() - tableSectors, this.#tableIndex * 4);
    this.#table.fill(0);
  }

  #position(): number {
    return (this.#output.positionBytes - this.#origin) / sectorBytes;
  }

  #pad(): void {
    const written = this.#output.positionBytes - this.#origin;
    this.#output.padTo(this.#origin + sectorsOf(written) * sectorBytes);
  }
}
