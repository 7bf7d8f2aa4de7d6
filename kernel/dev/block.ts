/**
 * Block devices as file systems see them: requests over scattered physical memory, several in
 * flight, completed by interrupt.
 *
 * A request belongs to whoever made it; the device refers to it from `submit` until `completed` has
 * been called. Neighbours: `dev/virtio/blk` implements the device; `fs/page-cache` and
 * `fs/erofs` make requests.
 */
import { equalsLiteral, startsWithLiteral } from "../lib/bytes";
import { SpinLock } from "../arch/spinlock";
import { EIO } from "../lib/errno";
import { free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";
import { FOREVER, WaitQueue } from "../sched/wait";
import { physicalAddress } from "./dma";

/** Unit of `BlockRequest.sector` and `BlockDevice.sectorCount`, whatever the device's own block size. */
export const SECTOR_BYTES: u32 = 512;

export const BLOCK_READ: u32 = 0;
export const BLOCK_WRITE: u32 = 1;
/** Makes all completed writes durable; carries no data. */
export const BLOCK_FLUSH: u32 = 2;

/** Status of a request that has not completed. */
export const BLOCK_PENDING: i32 = 1;

/** A segment of a request: 8 bytes address, 4 bytes length, 4 bytes that the device may use. */
const SEGMENT_BYTES: usize = 16;
/** Scratch memory before the segments, for the device (headers, status). */
export const REQUEST_HEADER_BYTES: usize = 32;
/** Entries before and after the segments that the device may use. */
const SPARE_SEGMENTS: u32 = 2;

/**
 * One transfer between consecutive sectors and a list of physical memory segments.
 * Make it, `addSegment` as needed, `submit` it to a device, `wait` for it, `reset` for the next use.
 *
 * The request's `area` is physically contiguous memory laid out so that a device can use it as it is:
 *
 *     header (32 bytes) | spare entry | segment 0 | segment 1 | ... | spare entry
 */
export class BlockRequest {
  operation: u32 = BLOCK_READ;
  /** First sector, in units of SECTOR_BYTES. */
  sector: u64 = 0;
  /** BLOCK_PENDING, then 0 or a negative errno (-EIO, -EROFS, -EINVAL). */
  status: i32 = BLOCK_PENDING;
  /** Number of segments in use. */
  segmentCount: u32 = 0;
  /** Bytes in all segments. */
  lengthBytes: u32 = 0;
  /** For the owner's use. */
  context: usize = 0;
  /** Link for the device while the request is in flight, for the owner otherwise. */
  next: BlockRequest | null = null;
  /** Address of the header; 0 if memory ran out. */
  area: usize;
  /** Guards `status` against the waiter. */
  private lock: SpinLock = new SpinLock();
  private done: WaitQueue = new WaitQueue();

  /** @param capacity the most segments the request can carry; see `isUsable` */
  constructor(readonly capacity: u32 = 32) {
    this.area = heapAllocate(
      REQUEST_HEADER_BYTES + <usize>(capacity + SPARE_SEGMENTS) * SEGMENT_BYTES,
    );
  }

  /** False if there was no memory for the segments; such a request can only be disposed of. */
  isUsable(): bool {
    return this.area != 0;
  }

  private segment(index: u32): usize {
    return this.area + REQUEST_HEADER_BYTES + <usize>(index + 1) * SEGMENT_BYTES;
  }

  /** Physical address of segment `index`. */
  segmentAddress(index: u32): u64 {
    return load<u64>(this.segment(index));
  }

  /** Length of segment `index` in bytes. */
  segmentLength(index: u32): u32 {
    return load<u32>(this.segment(index), 8);
  }

  /**
   * Appends `lengthBytes` bytes of physical memory at `physical`; a segment that continues the last
   * one is merged with it.
   * @returns false if the request is full
   */
  addSegment(physical: u64, lengthBytes: u32): bool {
    if (lengthBytes > u32.MAX_VALUE - this.lengthBytes) return false;
    if (this.segmentCount > 0) {
      const last = this.segment(this.segmentCount - 1);
      const lastLength = load<u32>(last, 8);
      if (load<u64>(last) + lastLength == physical) {
        store<u32>(last, lastLength + lengthBytes, 8);
        this.lengthBytes += lengthBytes;
        return true;
      }
    }
    if (this.segmentCount == this.capacity) return false;
    const segment = this.segment(this.segmentCount++);
    store<u64>(segment, physical);
    store<u32>(segment, lengthBytes, 8);
    this.lengthBytes += lengthBytes;
    return true;
  }

  /** Makes a new or completed request ready for use: no segments, pending. */
  reset(operation: u32, sector: u64): void {
    this.operation = operation;
    this.sector = sector;
    this.status = BLOCK_PENDING;
    this.segmentCount = 0;
    this.lengthBytes = 0;
  }

  /**
   * Called by the device exactly once with the outcome (0 or a negative errno), usually in an
   * interrupt (no sleeping), with no lock of the device held. This one lets `wait` return; an
   * override that does not call it may submit or dispose of the request, but then nobody may `wait`.
   */
  completed(status: i32): void {
    this.lock.acquire();
    this.status = status;
    this.done.wakeAll();
    // From here on the waiter may dispose of the request: `release` touches nothing after its store.
    this.lock.release();
  }

  /** Sleeps until the request has completed. @returns 0 or a negative errno */
  wait(): i32 {
    this.lock.acquire();
    while (this.status == BLOCK_PENDING) this.done.sleep(this.lock, FOREVER, false);
    const status = this.status;
    this.lock.release();
    return status;
  }

  /** Frees the request, which must not be in flight. */
  dispose(): void {
    if (this.area != 0) heapFree(this.area);
    this.done.dispose();
    free(this.done);
    free(this.lock);
    free(this);
  }
}

/** A device of `sectorCount` sectors. */
export abstract class BlockDevice {
  /** Name under /dev, e.g. "vda". */
  name: string = "";
  /** Capacity in units of SECTOR_BYTES. */
  sectorCount: u64 = 0;
  readOnly: bool = false;
  /** The device's preferred block size in bytes. */
  blockBytes: u32 = SECTOR_BYTES;
  /** The most segments one request may have. */
  maxSegments: u32 = 1;
  /** Requests and bytes completed, for /proc and statistics. */
  readRequests: u64 = 0;
  readBytes: u64 = 0;
  writeRequests: u64 = 0;
  writeBytes: u64 = 0;

  /**
   * Hands the request to the device and returns; sleeps only while the device's queue is full.
   * Failures (range, read-only) are reported through the request's status and `completed`.
   */
  abstract submit(request: BlockRequest): void;

  /** As `submit`, but never sleeps. @returns false if the queue is full (nothing was done) */
  abstract trySubmit(request: BlockRequest): bool;

  /** True if `count` sectors from `sector` lie on the device. */
  hasRange(sector: u64, count: u64): bool {
    return sector <= this.sectorCount && count <= this.sectorCount - sector;
  }

  /**
   * Reads `count` sectors from `sector` into the kernel memory (direct map or kernel image) at
   * `address`; sleeps. @returns 0 or a negative errno
   */
  read(sector: u64, address: usize, count: u32): i32 {
    return this.transfer(BLOCK_READ, sector, address, count);
  }

  /** Writes `count` sectors; as `read`. */
  write(sector: u64, address: usize, count: u32): i32 {
    return this.transfer(BLOCK_WRITE, sector, address, count);
  }

  /** Makes completed writes durable; sleeps. @returns 0 or a negative errno */
  flush(): i32 {
    return this.transfer(BLOCK_FLUSH, 0, 0, 0);
  }

  private transfer(operation: u32, sector: u64, address: usize, count: u32): i32 {
    const request = new BlockRequest(1);
    let status: i32 = -EIO;
    if (request.isUsable()) {
      request.reset(operation, sector);
      if (count == 0 || request.addSegment(physicalAddress(address), count * SECTOR_BYTES)) {
        this.submit(request);
        status = request.wait();
      }
    }
    request.dispose();
    return status;
  }
}

/** How many block devices can be registered. */
const MAX_DEVICES: u32 = 26;

const devices = new StaticArray<BlockDevice | null>(<i32>MAX_DEVICES);
let deviceCount: u32 = 0;

/** Registers a device; it becomes known under its name. @returns false if there are too many */
export function registerBlockDevice(device: BlockDevice): bool {
  if (deviceCount == MAX_DEVICES) return false;
  devices[deviceCount++] = device;
  return true;
}

/** How many block devices there are. */
export function blockDeviceCount(): u32 {
  return deviceCount;
}

/** The device number `index` in order of discovery, or null. */
export function blockDeviceAt(index: u32): BlockDevice | null {
  return index < deviceCount ? devices[index] : null;
}

/** The device called by the `length` bytes at `name` ("vda"; a leading "/dev/" is skipped), or null. */
export function findBlockDevice(name: usize, length: usize): BlockDevice | null {
  if (startsWithLiteral(name, length, "/dev/")) {
    name += 5;
    length -= 5;
  }
  for (let i: u32 = 0; i < deviceCount; i++) {
    const device = changetype<BlockDevice>(devices[i]);
    if (equalsLiteral(name, length, device.name)) return device;
  }
  return null;
}
