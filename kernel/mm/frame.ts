/**
 * Descriptors of physical page frames: one 32-byte record a frame, in one table in the direct map.
 *
 * Only the descriptor of the first frame of a block is kept up to date by the buddy allocator
 * (`frames`); `splitFrames` makes every frame of a block one of its own.
 */
import { PAGE_SHIFT, toPhysical, toVirtual } from "./layout";

/** What a frame is used for. */
export const FRAME_RESERVED: u8 = 0;
export const FRAME_FREE: u8 = 1;
/** Allocated; the user may set a more exact kind. */
export const FRAME_KERNEL: u8 = 2;
export const FRAME_SLAB: u8 = 3;
/** First frame of a heap allocation of whole pages; `index` is their number. */
export const FRAME_LARGE: u8 = 4;
export const FRAME_TABLE: u8 = 5;
/** Anonymous memory of an address space. */
export const FRAME_ANONYMOUS: u8 = 6;
/** A page of a file: `owner` and `index` belong to the page cache, and so do the links. */
export const FRAME_CACHE: u8 = 7;
/** Free, in a per-CPU cache. */
export const FRAME_PARKED: u8 = 8;

/** Bits of `Frame.flags`. */
/** Content differs from the file. */
export const FRAME_DIRTY: u8 = 1;
/** Never freed (the zero page). */
export const FRAME_PINNED: u8 = 2;
/** Used since the flag was last cleared. */
export const FRAME_REFERENCED: u8 = 4;
/** Being read from disk. */
export const FRAME_LOADING: u8 = 8;
/** Content is valid. */
export const FRAME_VALID: u8 = 16;

/** One frame. The user of an allocated frame owns every field except `order`. */
@unmanaged
export class Frame {
  kind: u8;
  flags: u8;
  /** The block that starts here has 2^order frames. */
  order: u8;
  /** Free for the user; the heap keeps the size class here. */
  tag: u8;
  /** Holders of the frame: mappings, the page cache, system calls. Use retainFrame/releaseFrame. */
  references: u32;
  /** Links as frame numbers (0 = none) for whoever the frame belongs to. */
  next: u32;
  previous: u32;
  /** Free for the user, for instance the address of the file's page-cache object. */
  owner: usize;
  /** Free for the user, for instance the page's number in its file. */
  index: u64;
}

/** log2 of the size of a descriptor. */
const FRAME_SHIFT: usize = 5;

let table: usize = 0;

/** Tells where the table of descriptors is; called once by `initFrames`. */
export function setFrameTable(address: usize): void {
  table = address;
}

/** Bytes of descriptors needed for `frames` frames. */
export function frameTableBytes(frames: u64): usize {
  return (<usize>frames) << FRAME_SHIFT;
}

/** Descriptor of the frame that holds the physical address. */
export function frameOf(physical: u64): Frame {
  return changetype<Frame>(table + ((<usize>physical >> <usize>PAGE_SHIFT) << FRAME_SHIFT));
}

/** Descriptor by frame number. */
export function frameByNumber(number: u32): Frame {
  return changetype<Frame>(table + ((<usize>number) << FRAME_SHIFT));
}

/** Number of a frame: physical address divided by the page size. */
export function numberOf(frame: Frame): u32 {
  return <u32>((changetype<usize>(frame) - table) >> FRAME_SHIFT);
}

/** Physical address of a frame. */
export function physicalOf(frame: Frame): u64 {
  return (<u64>(changetype<usize>(frame) - table) >> <u64>FRAME_SHIFT) << (<u64>PAGE_SHIFT);
}

/** Descriptor of the frame at a direct-map address. */
export function frameAt(directMapAddress: usize): Frame {
  return frameOf(toPhysical(directMapAddress));
}

/** Direct-map address of a frame's content. */
export function frameContent(frame: Frame): usize {
  return toVirtual(physicalOf(frame));
}

/** Takes one more reference to an allocated frame. */
export function retainFrame(frame: Frame): void {
  atomic.add<u32>(changetype<usize>(frame) + offsetof<Frame>("references"), 1);
}

/** Gives one reference back; true if it was the last, then the caller frees the frame. */
export function dropFrame(frame: Frame): bool {
  return atomic.sub<u32>(changetype<usize>(frame) + offsetof<Frame>("references"), 1) == 1;
}
