/**
 * Reads runs of disk sectors into page frames, in as few requests as the device allows, all in
 * flight at once. Neighbours: `dev/block`; `erofs` and `block-vnode` read through it.
 */
import { SpinLock } from "../arch/spinlock";
import { BLOCK_READ, BlockDevice, BlockRequest, SECTOR_BYTES } from "../dev/block";
import { ENOMEM } from "../lib/errno";
import { CLUSTER_PAGES } from "./file-pages";
import { PAGE_BYTES } from "./constants";

/** Sectors of a page. */
export const PAGE_SECTORS: u64 = <u64>PAGE_BYTES / SECTOR_BYTES;

/** Requests kept for the next use, linked by `next`. */
let spares: BlockRequest | null = null;
let spareCount: u32 = 0;
const sparesLock = new SpinLock();
const SPARES_MAX: u32 = 4;

/**
 * Fills `count` page frames with consecutive sectors; the part of the last frame beyond `lengthBytes`
 * is not touched.
 * @param frames address of `count` physical addresses (u64)
 * @param lengthBytes a multiple of the sector size, at most `count` pages
 * @returns 0, -EIO or -ENOMEM
 */
export function readSectors(
  device: BlockDevice,
  sector: u64,
  frames: usize,
  count: u32,
  lengthBytes: u64,
): i32 {
  let inFlight: BlockRequest | null = null;
  let status: i32 = 0;
  let index: u32 = 0;
  let left = lengthBytes;
  while (index < count && left > 0 && status == 0) {
    const request = takeRequest();
    if (!request) {
      status = -ENOMEM;
      break;
    }
    request.reset(BLOCK_READ, sector);
    const limit = min<u32>(device.maxSegments, request.capacity);
    while (index < count && left > 0 && request.segmentCount < limit) {
      const bytes = <u32>min<u64>(left, PAGE_BYTES);
      request.addSegment(load<u64>(frames + index * 8), bytes);
      left -= bytes;
      index++;
    }
    sector += request.lengthBytes / SECTOR_BYTES;
    // The device uses `next` while the request is in flight, so the list hangs on `context`.
    request.context = changetype<usize>(inFlight);
    inFlight = request;
    device.submit(request);
  }
  while (inFlight) {
    const request = inFlight;
    inFlight = changetype<BlockRequest | null>(request.context);
    const outcome = request.wait();
    if (outcome < 0) status = outcome;
    giveRequest(request);
  }
  return status;
}

function takeRequest(): BlockRequest | null {
  sparesLock.acquire();
  const spare = spares;
  if (spare) {
    spares = spare.next;
    spareCount--;
  }
  sparesLock.release();
  if (spare) return spare;
  const made = new BlockRequest(CLUSTER_PAGES);
  if (made.isUsable()) return made;
  made.dispose();
  return null;
}

function giveRequest(request: BlockRequest): void {
  sparesLock.acquire();
  const keeps = spareCount < SPARES_MAX;
  if (keeps) {
    request.next = spares;
    spares = request;
    spareCount++;
  }
  sparesLock.release();
  if (!keeps) request.dispose();
}
