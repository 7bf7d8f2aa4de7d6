/**
 * Partitions of a disk with a legacy partition table (UEFI specification 2.10, section 5.2): each is
 * a block device whose requests go to the disk, moved by where it begins.
 *
 * Nothing is read before somebody asks for a partition: most machines boot from a whole disk.
 * Neighbours: `dev/block` (the interface), `main` (looks for the root file system);
 * `capstan/disk/boot/partition-table.ts` writes the table.
 */
import { EIO } from "../lib/errno";
import { free } from "../lib/object";
import { parseHex } from "../lib/parse";
import { heapAllocate, heapFree } from "../mm/heap";
import {
  BLOCK_FLUSH,
  BlockDevice,
  BlockRequest,
  SECTOR_BYTES,
  blockDeviceAt,
  blockDeviceCount,
  registerBlockDevice,
} from "./block";

/** Offsets in the first sector. */
const SIGNATURE: usize = 440;
const ENTRIES: usize = 446;
const BOOT_MARK: usize = 510;
const BOOT_MARK_VALUE: u16 = 0xaa55;

const ENTRY_BYTES: usize = 16;
const ENTRY_FIRST_SECTOR: usize = 8;
const ENTRY_SECTORS: usize = 12;
const MAX_PARTITIONS: u32 = 4;

/** Digits of `PARTUUID=SSSSSSSS-NN`. */
const SIGNATURE_DIGITS: usize = 8;
const NUMBER_DIGITS: usize = 2;
const PARTITION_ID_LENGTH: usize = SIGNATURE_DIGITS + 1 + NUMBER_DIGITS;

/** Part of a disk. */
/** One unit of UTF-16 makes the character. */
const NO_SURROGATE: i32 = -1;

export class PartitionDevice extends BlockDevice {
  constructor(
    readonly disk: BlockDevice,
    readonly firstSector: u64,
    sectors: u64,
    number: u32,
  ) {
    super();
    this.name = disk.name + String.fromCharCode(0x30 + number, NO_SURROGATE);
    this.sectorCount = sectors;
    this.readOnly = disk.readOnly;
    this.blockBytes = disk.blockBytes;
    this.maxSegments = disk.maxSegments;
  }

  submit(request: BlockRequest): void {
    if (!this.move(request)) request.completed(-EIO);
    else this.disk.submit(request);
  }

  trySubmit(request: BlockRequest): bool {
    if (!this.move(request)) {
      request.completed(-EIO);
      return true;
    }
    if (this.disk.trySubmit(request)) return true;
    request.sector -= this.firstSector;
    return false;
  }

  /** Makes the request one to the disk. @returns false if it does not lie in the partition */
  private move(request: BlockRequest): bool {
    if (request.operation == BLOCK_FLUSH) return true;
    if (!this.hasRange(request.sector, request.lengthBytes / SECTOR_BYTES)) return false;
    request.sector += this.firstSector;
    return true;
  }
}

/**
 * The partition called by `length` bytes of text as Linux writes it, `SSSSSSSS-NN`: the disk's
 * signature and the partition's number, hexadecimal. Reads the first sector of each disk; sleeps.
 * @returns null if no disk has it
 */
export function findPartition(text: usize, length: usize): BlockDevice | null {
  if (length != PARTITION_ID_LENGTH || load<u8>(text + SIGNATURE_DIGITS) != 0x2d) return null;
  const signature = <u32>parseHex(text, SIGNATURE_DIGITS);
  const number = parseHex(text + SIGNATURE_DIGITS + 1, NUMBER_DIGITS);
  if (number < 1 || number > MAX_PARTITIONS) return null;
  const sector = heapAllocate(SECTOR_BYTES);
  if (sector == 0) return null;
  let found: BlockDevice | null = null;
  for (let i: u32 = 0, n = blockDeviceCount(); i < n && !found; i++) {
    const disk = changetype<BlockDevice>(blockDeviceAt(i));
    if (disk.read(0, sector, 1) != 0) continue;
    if (load<u32>(sector + SIGNATURE) == signature) {
      found = partitionOf(disk, sector, <u32>number);
    }
  }
  heapFree(sector);
  return found;
}

/** Makes the device of a partition by the table in `sector`; null if the table lacks it. */
function partitionOf(disk: BlockDevice, sector: usize, number: u32): BlockDevice | null {
  if (load<u16>(sector + BOOT_MARK) != BOOT_MARK_VALUE) return null;
  const entry = sector + ENTRIES + <usize>(number - 1) * ENTRY_BYTES;
  const first = <u64>load<u32>(entry + ENTRY_FIRST_SECTOR);
  const sectors = <u64>load<u32>(entry + ENTRY_SECTORS);
  if (first == 0 || sectors == 0 || !disk.hasRange(first, sectors)) return null;
  const partition = new PartitionDevice(disk, first, sectors, number);
  if (registerBlockDevice(partition)) return partition;
  free(partition);
  return null;
}
