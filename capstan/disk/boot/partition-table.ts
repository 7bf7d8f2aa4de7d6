/**
 * The partition table in a disk's first sector.
 *
 *     0    boot code        446  4 entries of 16 bytes:
 *     440  disk signature        active flag, first CHS, type, last CHS, first sector, sectors
 *     444  zeros            510  0x55 0xaa
 *
 * Reference: UEFI specification 2.10, section 5.2 (legacy MBR). Neighbours: `boot-sector.ts` is the
 * code; the kernel's reader is `kernel/dev/partition.ts`.
 */

export const sectorBytes = 512;

/** One partition. */
export interface Partition {
  /** Type byte: 0xda for data without a file system, 0x83 for a Linux file system. */
  readonly type: number;
  readonly isActive: boolean;
  readonly firstSector: number;
  readonly sectors: number;
}

const signatureAt = 440;
const entriesAt = 446;
const entryBytes = 16;
const mostEntries = 4;
const bootMarkAt = 510;
const bootMark = 0xaa55;
/** CHS of partitions that are addressed by sector numbers only. */
const chsUnused = Buffer.from([0xfe, 0xff, 0xff]);

/**
 * A first sector.
 * @param code at most 440 bytes
 * @param signature 32 bits that tell this disk from others
 */
export function encodeFirstSector(
  code: Buffer,
  signature: number,
  partitions: readonly Partition[],
): Buffer {
  if (partitions.length > mostEntries || code.length > signatureAt) {
    throw new RangeError("a boot sector has room for 440 bytes of code and 4 partitions");
  }
  const sector = Buffer.alloc(sectorBytes);
  code.copy(sector);
  sector.writeUInt32LE(signature, signatureAt);
  for (const [index, { type, isActive, firstSector, sectors }] of partitions.entries()) {
    const at = entriesAt + index * entryBytes;
    sector.writeUInt8(isActive ? 0x80 : 0, at);
    chsUnused.copy(sector, at + 1);
    sector.writeUInt8(type, at + 4);
    chsUnused.copy(sector, at + 5);
    sector.writeUInt32LE(firstSector, at + 8);
    sector.writeUInt32LE(sectors, at + 12);
  }
  sector.writeUInt16LE(bootMark, bootMarkAt);
  return sector;
}

/** What a first sector says; undefined if it is none. */
export function decodeFirstSector(
  sector: Buffer,
): { readonly signature: number; readonly partitions: readonly Partition[] } | undefined {
  if (sector.length < sectorBytes || sector.readUInt16LE(bootMarkAt) !== bootMark) return undefined;
  const partitions: Partition[] = [];
  for (let at = entriesAt; at < bootMarkAt; at += entryBytes) {
    const sectors = sector.readUInt32LE(at + 12);
    if (sectors === 0) continue;
    partitions.push({
      type: sector.readUInt8(at + 4),
      isActive: sector.readUInt8(at) === 0x80,
      firstSector: sector.readUInt32LE(at + 8),
      sectors,
    });
  }
  return { signature: sector.readUInt32LE(signatureAt), partitions };
}

/** How the kernel's `root=` names partition `number` (from 1) of a disk, as in Linux. */
export function partitionName(signature: number, number: number): string {
  const disk = signature.toString(16).padStart(8, "0");
  return `PARTUUID=${disk}-${String(number).padStart(2, "0")}`;
}
