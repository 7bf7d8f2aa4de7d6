/**
 * The header of QCOW2 files and the arithmetic of their tables.
 *
 *     guest address -> L1 table -> L2 table (a cluster of 8-byte entries) -> cluster
 *     refcount table -> refcount blocks: a number of users for every cluster of the file
 *
 * All numbers are big-endian. Reference: QEMU, docs/interop/qcow2.txt.
 * Neighbours: `qcow2-writer.ts`, `qcow2-reader.ts`.
 */
import { DiskFormatError } from "../disk-image.ts";

export const qcow2Magic = 0x514649fb;
/** Version 3 without optional fields ends here. */
export const headerBytesV3 = 104;
const headerBytesV2 = 72;

export const clusterBits = 16;
export const clusterBytes = 2 ** clusterBits;
/** Entries of a table that fills a cluster. */
export const tableEntries = clusterBytes / 8;
/** Reference counts have 16 bits. */
export const refcountsPerBlock = clusterBytes / 2;

/** Entries: used once, so it may be written in place. */
export const copiedFlag = 1n << 63n;
/** L2 entries: compressed. */
export const compressedFlag = 1n << 62n;
/** L2 entries of version 3: reads as zeros, whatever the backing file has. */
export const zeroFlag = 1n;
/** Bits 9 to 55: an offset in the file. */
export const offsetMask = 0x00ff_ffff_ffff_fe00n;

/** Header extension that names the backing file's format. */
const extensionBackingFormat = 0xe2792aca;
/** Incompatible features that do not disturb a reader: refcounts may be wrong. */
const featureDirty = 1n;

/** Offsets of header fields. */
const at = {
  version: 4,
  backingName: 8,
  backingNameBytes: 16,
  clusterBits: 20,
  sizeBytes: 24,
  encryption: 32,
  l1Entries: 36,
  l1Table: 40,
  refcountTable: 48,
  refcountTableClusters: 56,
  snapshots: 60,
  incompatible: 72,
  refcountOrder: 96,
  headerBytes: 100,
} as const;

/** The fields that we use. */
export interface Qcow2Header {
  readonly version: number;
  readonly clusterBits: number;
  readonly sizeBytes: number;
  readonly l1Entries: number;
  readonly l1TableAt: number;
  /** Name of the backing file, relative to this file's folder unless absolute. */
  readonly backing?: { readonly name: string; readonly format: string | undefined };
}

/** Where a writer puts the tables. */
export interface RefcountPlace {
  readonly tableAt: number;
  readonly tableClusters: number;
}

/** The first cluster of a file. */
export function encodeHeader(header: Qcow2Header, refcounts: RefcountPlace): Buffer {
  const bytes = Buffer.alloc(clusterBytes);
  bytes.writeUInt32BE(qcow2Magic, 0);
  bytes.writeUInt32BE(header.version, at.version);
  bytes.writeUInt32BE(header.clusterBits, at.clusterBits);
  bytes.writeBigUInt64BE(BigInt(header.sizeBytes), at.sizeBytes);
  bytes.writeUInt32BE(header.l1Entries, at.l1Entries);
  bytes.writeBigUInt64BE(BigInt(header.l1TableAt), at.l1Table);
  bytes.writeBigUInt64BE(BigInt(refcounts.tableAt), at.refcountTable);
  bytes.writeUInt32BE(refcounts.tableClusters, at.refcountTableClusters);
  bytes.writeUInt32BE(4, at.refcountOrder); // 2^4 bits
  bytes.writeUInt32BE(headerBytesV3, at.headerBytes);
  if (header.backing === undefined) return bytes;
  const name = Buffer.from(header.backing.name);
  const format = Buffer.from(header.backing.format ?? "raw");
  bytes.writeUInt32BE(extensionBackingFormat, headerBytesV3);
  bytes.writeUInt32BE(format.length, headerBytesV3 + 4);
  format.copy(bytes, headerBytesV3 + 8);
  // The extension is padded to 8 bytes; an extension of type 0 ends the list.
  const nameAt = headerBytesV3 + 8 + Math.ceil(format.length / 8) * 8 + 8;
  bytes.writeBigUInt64BE(BigInt(nameAt), at.backingName);
  bytes.writeUInt32BE(name.length, at.backingNameBytes);
  name.copy(bytes, nameAt);
  return bytes;
}

/** Decodes the first bytes of a file (up to a cluster). @throws DiskFormatError, RangeError */
export function decodeHeader(bytes: Buffer): Qcow2Header {
  const version = bytes.readUInt32BE(at.version);
  const bits = bytes.readUInt32BE(at.clusterBits);
  if (version !== 2 && version !== 3) throw new DiskFormatError(`QCOW version ${version}`);
  if (bits < 9 || bits > 21) throw new DiskFormatError(`clusters of 2^${bits} bytes`);
  if (bytes.readUInt32BE(at.encryption) !== 0) throw new DiskFormatError("the disk is encrypted");
  const incompatible = version === 3 ? bytes.readBigUInt64BE(at.incompatible) : 0n;
  if ((incompatible & ~featureDirty) !== 0n) {
    throw new DiskFormatError(
      `it uses features that are not supported (0x${incompatible.toString(16)}); ` +
        "qemu-img convert -O qcow2 makes a plain one",
    );
  }
  const sizeBytes = Number(bytes.readBigUInt64BE(at.sizeBytes));
  const l1Entries = bytes.readUInt32BE(at.l1Entries);
  const isCovered = l1Entries * 2 ** (2 * bits - 3) >= sizeBytes;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes % 512 !== 0 || !isCovered) {
    throw new DiskFormatError("sizes in the QCOW2 header contradict each other");
  }
  const nameAt = Number(bytes.readBigUInt64BE(at.backingName));
  const nameBytes = bytes.readUInt32BE(at.backingNameBytes);
  const backing =
    nameAt === 0
      ? {}
      : {
          backing: {
            name: bytes.toString("utf8", nameAt, nameAt + nameBytes),
            format: backingFormat(bytes, version),
          },
        };
  const l1TableAt = Number(bytes.readBigUInt64BE(at.l1Table));
  return { version, clusterBits: bits, sizeBytes, l1Entries, l1TableAt, ...backing };
}

/** What the header extensions say about the backing file's format. */
function backingFormat(bytes: Buffer, version: number): string | undefined {
  let position = version === 3 ? bytes.readUInt32BE(at.headerBytes) : headerBytesV2;
  for (;;) {
    const type = bytes.readUInt32BE(position);
    const length = bytes.readUInt32BE(position + 4);
    if (type === 0) return undefined;
    if (type === extensionBackingFormat) {
      return bytes.toString("utf8", position + 8, position + 8 + length);
    }
    position += 8 + Math.ceil(length / 8) * 8;
  }
}
