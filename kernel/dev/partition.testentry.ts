/** Surface of partitions for their tests: disks in memory that answer at once. */
import { BLOCK_READ, BlockDevice, BlockRequest, SECTOR_BYTES, registerBlockDevice } from "./block";
import { findPartition } from "./partition";

class MemoryDisk extends BlockDevice {
  constructor(readonly bytes: usize) {
    super();
  }

  submit(request: BlockRequest): void {
    if (!this.hasRange(request.sector, request.lengthBytes / SECTOR_BYTES)) {
      request.completed(-5);
      return;
    }
    let at = this.bytes + <usize>request.sector * SECTOR_BYTES;
    for (let i: u32 = 0; i < request.segmentCount; i++) {
      const length = request.segmentLength(i);
      if (request.operation == BLOCK_READ)
        memory.copy(<usize>request.segmentAddress(i), at, length);
      at += length;
    }
    request.completed(0);
  }

  trySubmit(request: BlockRequest): bool {
    this.submit(request);
    return true;
  }
}

let found: BlockDevice | null = null;

export function addDisk(bytes: usize, sectors: u64): void {
  const disk = new MemoryDisk(bytes);
  disk.sectorCount = sectors;
  disk.name = "vda";
  registerBlockDevice(disk);
}

/** Finds a partition by its name. @returns its size in sectors; 0 if there is none */
export function find(text: usize, length: usize): u64 {
  found = findPartition(text, length);
  return found ? changetype<BlockDevice>(found).sectorCount : 0;
}

export function nameLength(): i32 {
  return changetype<BlockDevice>(found).name.length;
}

export function nameCode(index: i32): i32 {
  return changetype<BlockDevice>(found).name.charCodeAt(index);
}

/** Reads a sector of the partition that was found last. */
export function read(sector: u64, address: usize, count: u32): i32 {
  return changetype<BlockDevice>(found).read(sector, address, count);
}
