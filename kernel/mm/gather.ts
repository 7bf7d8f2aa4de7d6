/**
 * Frames taken out of page tables, held until the translations that lead to them are invalidated,
 * then released all at once.
 *
 * One gather belongs to each address space and is guarded by its lock. The object is a 2 KiB heap
 * block: this header, then the frame numbers.
 */
import { FRAME_CACHE, FRAME_DIRTY, FRAME_PINNED, Frame, frameByNumber } from "./frame";
import { freeFrames, physicalOf, releaseFrame } from "./frames";
import { heapAllocate, heapFree } from "./heap";
import { flushRange } from "./tlb";

const GATHER_BYTES: usize = 2048;

@unmanaged
export class FrameGather {
  root: u64;
  /** Range of addresses that the current operation takes translations from. */
  start: usize;
  end: usize;
  /** Frames held now. */
  count: u32;
  /** True if something was changed that other uses of the range could still see. */
  stale: bool;
  /** True if nobody can use the tables any more, so no invalidation is needed. */
  quiet: bool;
  /** Resident pages (of 4 KiB) that the current operation removed. */
  pages: u64;
  /** Page tables that it removed. */
  tables: u64;
}

const CAPACITY: u32 = <u32>((GATHER_BYTES - offsetof<FrameGather>()) / 4);

/** A gather for the tables of `root`; null without memory. */
export function createGather(root: u64): FrameGather | null {
  const address = heapAllocate(GATHER_BYTES);
  if (!address) return null;
  memory.fill(address, 0, offsetof<FrameGather>());
  const gather = changetype<FrameGather>(address);
  gather.root = root;
  return gather;
}

export function freeGather(gather: FrameGather): void {
  heapFree(changetype<usize>(gather));
}

/** Starts an operation on [start, end). */
export function beginGather(gather: FrameGather, start: usize, end: usize): void {
  gather.start = start;
  gather.end = end;
  gather.stale = false;
  gather.pages = 0;
  gather.tables = 0;
}

/** Adds a frame (block) whose entry was just cleared. */
export function gatherFrame(gather: FrameGather, number: u32): void {
  gather.stale = true;
  const count = gather.count;
  store<u32>(changetype<usize>(gather) + offsetof<FrameGather>() + ((<usize>count) << 2), number);
  gather.count = count + 1;
  if (count + 1 == CAPACITY) finishGather(gather);
}

/** Invalidates translations if need be and releases the frames held. */
export function finishGather(gather: FrameGather): void {
  if (gather.stale && !gather.quiet) flushRange(gather.root, gather.start, gather.end);
  gather.stale = false;
  let at = changetype<usize>(gather) + offsetof<FrameGather>();
  const end = at + ((<usize>gather.count) << 2);
  gather.count = 0;
  for (; at < end; at += 4) releaseMapped(frameByNumber(load<u32>(at)));
}

/** Releases the reference that a mapping held. */
export function releaseMapped(frame: Frame): void {
  // With one reference nobody else can find the frame: no atomic operation needed.
  if (frame.references == 1 && (frame.flags & FRAME_PINNED) == 0) {
    freeFrames(physicalOf(frame), <u32>frame.order);
  } else releaseFrame(frame);
}

/** Notes that the application wrote to a page of a file through its mapping. */
export function noteDirty(frame: Frame): void {
  if (frame.kind == FRAME_CACHE) frame.flags |= FRAME_DIRTY;
}
