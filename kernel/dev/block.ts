/**
 * Block devices as file systems see them: requests over scattered physical pages, several in flight,
 * completed by interrupt.
 *
 * A request belongs to whoever made it; the device refers to it from `submit` until `completed` has
 * been called. Neighbours: `dev/virtio/blk` implements the device; `fs/page-cache` and
 * `fs/erofs` make requests.
 */
import { SpinLock } from "../arch/spinlock";
import { free } from "../lib/object";
import { WaitQueue } from "../sched/wait";

/** Unit of `BlockRequest.sector` and `BlockDevice.sectorCount`, whatever the device's own block size. */
export const SECTOR_BYTES: u32 = 512;

export const BLOCK_READ: u32 = 0;
export const BLOCK_WRITE: u32 = 1;
/** Makes all completed writes durable; carries no data. */
export const BLOCK_FLUSH: u32 = 2;

/** Status of a request that has not completed. */
export const BLOCK_PENDING: i32 = 1;

/**
 * One transfer between consecutive sectors and a list of physical memory segments.
 * Make it, `addSegment` as needed, `submit` it to a device, `wait` for it, `reset` for the next use.
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
  /** For the device while the request is in flight; for its queue while it waits. */
  next: BlockRequest | null = null;
  /** Guards `status` against the waiter. */
  private lock: SpinLock = new SpinLock();
  private done: WaitQueue = new WaitQueue();

  /** @param capacity the most segments the request can carry */
  constructor(readonly capacity: u32 = 32) {
    abort("unwritten");
  }

  /** Physical address of segment `index`. */
  segmentAddress(index: u32): u64 {
    abort("unwritten");
    return 0;
  }

  /** Length of segment `index` in bytes. */
  segmentLength(index: u32): u32 {
    abort("unwritten");
    return 0;
  }

  /**
   * Appends `lengthBytes` bytes of physical memory at `physical`; a segment that continues the last
   * one is merged with it.
   * @returns false if the request is full
   */
  addSegment(physical: u64, lengthBytes: u32): bool {
    abort("unwritten");
    return false;
  }

  /** Makes a completed request ready for reuse: no segments, pending. */
  reset(operation: u32, sector: u64): void {
    abort("unwritten");
  }

  /** Called by the device exactly once, with interrupts off and no lock held; overridable. */
  completed(): void {
    abort("unwritten");
  }

  /** Sleeps until the request has completed. @returns 0 or a negative errno */
  wait(): i32 {
    abort("unwritten");
    return 0;
  }

  /** Frees the request, which must not be in flight. */
  dispose(): void {
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

  /**
   * Hands the request to the device and returns; sleeps only while the device's queue is full.
   * Failures (range, read-only) are reported through the request's status and `completed`.
   */
  abstract submit(request: BlockRequest): void;

  /** As `submit`, but never sleeps. @returns false if the queue is full (nothing was done) */
  abstract trySubmit(request: BlockRequest): bool;

  /**
   * Reads `count` sectors from `sector` into the kernel memory (direct map or kernel image) at
   * `address`; sleeps. @returns 0 or a negative errno
   */
  read(sector: u64, address: usize, count: u32): i32 {
    abort("unwritten");
    return 0;
  }

  /** Writes `count` sectors; as `read`. */
  write(sector: u64, address: usize, count: u32): i32 {
    abort("unwritten");
    return 0;
  }
}

/** Registers a device; it becomes known under its name. */
export function registerBlockDevice(device: BlockDevice): void {
  abort("unwritten");
}

/** How many block devices there are. */
export function blockDeviceCount(): u32 {
  return 0;
}

/** The device number `index` in order of discovery, or null. */
export function blockDeviceAt(index: u32): BlockDevice | null {
  return null;
}

/** The device called by the `length` bytes at `name` ("vda"; a leading "/dev/" is skipped), or null. */
export function findBlockDevice(name: usize, length: usize): BlockDevice | null {
  return null;
}
