/**
 * Writes QCOW2 version 3, front to back:
 *
 *     header | refcount table | refcount blocks | L1 table | L2 tables | data clusters
 *
 * With a backing disk, only clusters that differ from it are stored; those that are zero here and
 * not there are marked as such.
 * Neighbours: `qcow2-layout.ts` has the encoding.
 */
import type { DiskImage, DiskOutput, WriteOptions } from "../disk-image.ts";
import { copyGrains, differingGrains } from "../grains.ts";
import {
  clusterBits,
  clusterBytes,
  copiedFlag,
  encodeHeader,
  refcountsPerBlock,
  tableEntries,
  zeroFlag,
} from "./qcow2-layout.ts";

/** How many clusters the parts of a file take; each part follows the one before. */
interface Plan {
  readonly refcountTable: number;
  readonly refcountBlocks: number;
  readonly l1Table: number;
  readonly l2Tables: number;
  readonly total: number;
}

/** Counts clusters; refcounts also count the clusters that hold them. */
function plan(l1Entries: number, l2Tables: number, dataClusters: number): Plan {
  const l1Table = Math.max(1, Math.ceil(l1Entries / tableEntries));
  const rest = 1 + l1Table + l2Tables + dataClusters;
  let refcountBlocks = 0;
  let refcountTable = 0;
  let total = 0;
  for (let previous = -1; previous !== total; ) {
    previous = total;
    total = rest + refcountTable + refcountBlocks;
    refcountBlocks = Math.ceil(total / refcountsPerBlock);
    refcountTable = Math.ceil(refcountBlocks / tableEntries);
    total = rest + refcountTable + refcountBlocks;
  }
  return { refcountTable, refcountBlocks, l1Table, l2Tables, total };
}

/** Writes a disk. */
export async function writeQcow2(
  disk: DiskImage,
  output: DiskOutput,
  { backing }: WriteOptions,
): Promise<void> {
  const stored: number[] = [];
  /** Clusters that have an entry, and whether they are zero. */
  const entries: { readonly index: number; readonly isZero: boolean }[] = [];
  const pause = (): Promise<void> => output.pause();
  for await (const grains of differingGrains(disk, backing?.disk, clusterBytes, pause)) {
    for (const { index, isZero } of grains) {
      entries.push({ index, isZero });
      if (!isZero) stored.push(index);
    }
  }
  const l1Entries = Math.ceil(disk.sizeBytes / clusterBytes / tableEntries);
  const l2Of = (index: number): number => Math.floor(index / tableEntries);
  const l2Tables = [...new Set(entries.map(({ index }) => l2Of(index)))];
  const sizes = plan(l1Entries, l2Tables.length, stored.length);
  const blocksAt = 1 + sizes.refcountTable;
  const l1At = blocksAt + sizes.refcountBlocks;
  const l2At = l1At + sizes.l1Table;
  const header = {
    version: 3,
    clusterBits,
    sizeBytes: disk.sizeBytes,
    l1Entries,
    l1TableAt: l1At * clusterBytes,
    ...(backing === undefined ? {} : { backing }),
  };
  output.append(
    encodeHeader(header, { tableAt: clusterBytes, tableClusters: sizes.refcountTable }),
  );
  writeRefcounts(output, sizes, blocksAt);
  const l1 = Buffer.alloc(sizes.l1Table * clusterBytes);
  for (const [position, l1Index] of l2Tables.entries()) {
    l1.writeBigUInt64BE(entryOf(l2At + position), l1Index * 8);
  }
  output.append(l1);
  let nextCluster = l2At + l2Tables.length;
  let nextEntry = 0;
  for (const l1Index of l2Tables) {
    const table = Buffer.alloc(clusterBytes);
    for (; nextEntry < entries.length; nextEntry++) {
      const entry = entries[nextEntry];
      if (entry === undefined || l2Of(entry.index) !== l1Index) break;
      const value = entry.isZero ? zeroFlag : entryOf(nextCluster++);
      table.writeBigUInt64BE(value, (entry.index % tableEntries) * 8);
    }
    output.append(table);
    await output.pause();
  }
  await copyGrains(disk, output, stored, clusterBytes);
}

function entryOf(cluster: number): bigint {
  return copiedFlag | (BigInt(cluster) * BigInt(clusterBytes));
}

/** The refcount table and its blocks: every cluster of the file is used once. */
function writeRefcounts(output: DiskOutput, { total, ...sizes }: Plan, blocksAt: number): void {
  const table = Buffer.alloc(sizes.refcountTable * clusterBytes);
  for (let block = 0; block < sizes.refcountBlocks; block++) {
    table.writeBigUInt64BE(BigInt((blocksAt + block) * clusterBytes), block * 8);
  }
  output.append(table);
  for (let first = 0; first < total; first += refcountsPerBlock) {
    const block = Buffer.alloc(clusterBytes);
    const used = Math.min(refcountsPerBlock, total - first);
    for (let index = 0; index < used; index++) block.writeUInt16BE(1, index * 2);
    output.append(block);
  }
}
