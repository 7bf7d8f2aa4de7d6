/**
 * The buddy allocator: free blocks of 2^order frames, one list an order.
 *
 *   order 2   ┌───────────────┐        a block of order k starts at a frame number divisible by 2^k;
 *   order 1   │ buddy │ buddy │        its buddy is the other half of the block of order k+1 that
 *   order 0   │ 0 │ 1 │ 2 │ 3 │        contains it: number xor 2^k. Two free buddies become one block
 *
 * Only the descriptor of a block's first frame is written, so setting up gigabytes costs a few
 * writes. Safe because the first frame of a block's buddy was always written before: when the
 * block they come from was split, or (at the edges of RAM) by `markEdges`.
 *
 * Lock: `buddyLock` guards everything here; it is a leaf (nothing else is taken while it is held).
 * Neighbours: `frames` puts per-CPU caches of single frames in front of this.
 */
import { FRAME_FREE, FRAME_KERNEL, FRAME_RESERVED, Frame, frameByNumber } from "./frame";
import { staticLock } from "./static-data";

/** Largest block: 2^13 frames, 32 MiB. */
export const MAX_ORDER: u32 = 13;

export const buddyLock = staticLock(memory.data(8));

/** First free block of each order, as a frame number; 0 = none (frame 0 is never free). */
const heads = changetype<StaticArray<u32>>(memory.data(4 * 14));
/** Bit k is set if the list of order k has a block. */
let nonEmpty: u32 = 0;
/** Frames in all the lists. */
let freeFramesInLists: u64 = 0;
/** Frames that have a descriptor. */
let frameLimit: u32 = 0;

/** Number of frames in the free lists. Read without the lock it is a recent value. */
export function buddyFreeCount(): u64 {
  return freeFramesInLists;
}

/** Sets how many descriptors exist and empties the lists. */
export function initBuddy(limit: u32): void {
  frameLimit = limit;
  nonEmpty = 0;
  freeFramesInLists = 0;
  for (let order: u32 = 0; order <= MAX_ORDER; order++) unchecked((heads[order] = 0));
}

function push(frame: Frame, number: u32, order: u32): void {
  const head = unchecked(heads[order]);
  frame.kind = FRAME_FREE;
  frame.order = <u8>order;
  frame.next = head;
  frame.previous = 0;
  if (head) frameByNumber(head).previous = number;
  unchecked((heads[order] = number));
  nonEmpty |= 1 << order;
}

function unlink(frame: Frame, order: u32): void {
  const next = frame.next;
  const previous = frame.previous;
  if (next) frameByNumber(next).previous = previous;
  if (previous) frameByNumber(previous).next = next;
  else {
    unchecked((heads[order] = next));
    if (!next) nonEmpty &= ~(1 << order);
  }
}

/**
 * Takes a block of 2^order frames. The first frame's descriptor becomes that of a kernel block with
 * one reference; the others are not touched. Hold `buddyLock`.
 * @returns number of the first frame, 0 = none
 */
export function takeBlock(order: u32): u32 {
  const candidates = nonEmpty >> order;
  if (!candidates) return 0;
  let found = order + ctz<u32>(candidates);
  const number = unchecked(heads[found]);
  const frame = frameByNumber(number);
  unlink(frame, found);
  while (found > order) {
    found--;
    const half = number + (1 << found);
    push(frameByNumber(half), half, found);
  }
  freeFramesInLists -= (<u64>1) << order;
  claim(frame, order);
  return number;
}

/** Largest order that has a free block, at most `order`; -1 if nothing is free. Hold `buddyLock`. */
export function largestOrder(order: u32): i32 {
  if (nonEmpty >> order) return <i32>order;
  return 31 - clz<u32>(nonEmpty);
}

/** Writes the descriptor of a block that is now in use. */
export function claim(frame: Frame, order: u32): void {
  frame.kind = FRAME_KERNEL;
  frame.flags = 0;
  frame.order = <u8>order;
  frame.tag = 0;
  frame.references = 1;
}

/** Gives a block back, joined with its buddy as long as that is free. Hold `buddyLock`. */
export function giveBlock(first: u32, firstOrder: u32): void {
  let number = first;
  let order = firstOrder;
  freeFramesInLists += (<u64>1) << order;
  while (order < MAX_ORDER) {
    const buddyNumber = number ^ (1 << order);
    if (buddyNumber >= frameLimit) break;
    const buddy = frameByNumber(buddyNumber);
    if (buddy.kind != FRAME_FREE || <u32>buddy.order != order) break;
    unlink(buddy, order);
    buddy.kind = FRAME_RESERVED;
    number &= buddyNumber;
    order++;
  }
  push(frameByNumber(number), number, order);
}

/** Order of the largest block that starts at `number` and ends by `end`. */
function orderOfPiece(number: u32, end: u32): u32 {
  let order: u32 = number ? min<u32>(ctz<u32>(number), MAX_ORDER) : 0;
  while ((<u32>1) << order > end - number) order--;
  return order;
}

/** Gives frames [start, end) back as the largest blocks that fit. Hold `buddyLock`. */
export function giveRange(start: u32, end: u32): void {
  // A piece may be the buddy of an earlier one and its descriptor still rubbish.
  for (let number = start; number < end; number += 1 << orderOfPiece(number, end)) {
    frameByNumber(number).kind = FRAME_RESERVED;
  }
  let number = start;
  while (number < end) {
    const order = orderOfPiece(number, end);
    giveBlock(number, order);
    number += 1 << order;
  }
}

/**
 * Gives all but the first `keep` frames of an allocated block back. What is kept is then freed with
 * `giveRange`. Hold `buddyLock`.
 */
export function trimBlock(first: u32, order: u32, keep: u32): void {
  let base = first;
  let kept = keep;
  let size: u32 = 1 << order;
  while (kept < size) {
    size >>= 1;
    if (kept <= size) {
      giveBlock(base + size, ctz<u32>(size));
    } else {
      // A block that starts inside the kept part: no free buddy for what is given next.
      base += size;
      kept -= size;
      claim(frameByNumber(base), ctz<u32>(size));
    }
  }
}

/** Writes the descriptors of frames [start, end) as reserved. */
export function markReserved(start: u32, end: u32): void {
  for (let number = start; number < end; number++) {
    const frame = frameByNumber(number);
    memory.fill(changetype<usize>(frame), 0, offsetof<Frame>());
    frame.kind = FRAME_RESERVED;
  }
}

/**
 * Marks the frames outside the RAM range [start, end) that could be taken for buddies of blocks at
 * its edges. Runs before any block is given.
 */
export function markEdges(start: u32, end: u32): void {
  for (let order: u32 = 0; order <= MAX_ORDER; order++) {
    const mask: u32 = (1 << order) - 1;
    if (start > 0) frameByNumber((start - 1) & ~mask).kind = FRAME_RESERVED;
    const after = (end + mask) & ~mask;
    if (after < frameLimit) frameByNumber(after).kind = FRAME_RESERVED;
  }
}

/** First free block of an order and the one after it: for tests and statistics. */
export function firstFree(order: u32): u32 {
  return unchecked(heads[order]);
}

export function nextFree(number: u32): u32 {
  return frameByNumber(number).next;
}

/** Makes each frame of an allocated block an allocated frame of order 0 with one reference. */
export function splitBlock(first: u32, order: u32): void {
  const kind = frameByNumber(first).kind;
  const count: u32 = 1 << order;
  for (let i: u32 = 0; i < count; i++) {
    const frame = frameByNumber(first + i);
    claim(frame, 0);
    frame.kind = kind;
  }
}
