/**
 * Slabs: page frames cut into objects of one size class.
 *
 *   ┌────────┬────────┬────────┬────────┬─────────┐   the frame's descriptor says which class, how
 *   │ in use │  free ─┼─► free │ in use │ uncut   │   many objects are out (in use or in magazines),
 *   └────────┴────────┴────────┴────────┴─────────┘   where the first free one is, how many were cut
 *
 * Slabs with something to give are on their class's partial list. A slab whose objects are all back
 * is freed at once; the magazines of `heap` keep this from happening back and forth.
 *
 * Lock: `slabLock` guards all slabs; `buddyLock` may be taken inside it.
 */
import { FRAME_SLAB, frameAt, frameByNumber, frameContent, frameOf, numberOf } from "./frame";
import { allocateFrame, freeFrame, physicalOf } from "./frames";
import { PAGE_MASK } from "./layout";
import { CLASS_COUNT, classSize, objectsPerSlab } from "./size-class";
import { staticLock } from "./static-data";

export const slabLock = staticLock(memory.data(8));

/** First partial slab of each class, as a frame number. */
const partial = changetype<StaticArray<u32>>(memory.data(4 * 21));
/** Slabs of each class, and objects that are out of them. */
const slabCounts = changetype<StaticArray<u32>>(memory.data(4 * 21));
const outCounts = changetype<StaticArray<u32>>(memory.data(4 * 21));

/** Number of frames in use as slabs. Read without the lock it is a recent value. */
export function slabFrameCount(): u64 {
  let frames: u64 = 0;
  for (let sizeClass: u32 = 0; sizeClass < CLASS_COUNT; sizeClass++) {
    frames += unchecked(slabCounts[sizeClass]);
  }
  return frames;
}

/** Slabs of a class. */
export function slabsOfClass(sizeClass: u32): u32 {
  return unchecked(slabCounts[sizeClass]);
}

/** Objects of a class that are in use or in magazines. */
export function objectsOut(sizeClass: u32): u32 {
  return unchecked(outCounts[sizeClass]);
}

/** The slab's view of its frame descriptor. */
@unmanaged
class Slab {
  kind: u8;
  flags: u8;
  order: u8;
  sizeClass: u8;
  /** Objects not in the slab. */
  out: u32;
  next: u32;
  previous: u32;
  unused: u64;
  /** Offset of the first free object plus 1; 0 = none. */
  firstFree: u32;
  /** Objects cut from the frame so far. */
  cut: u32;
}

/**
 * Takes up to `wanted` objects of a class from one slab and chains them through their first word.
 * Hold `slabLock`.
 * @returns the number taken (0 = no memory); the chain's head goes to `*chainOut`
 */
export function takeObjects(sizeClass: u32, wanted: u32, chainOut: usize): u32 {
  let number = unchecked(partial[sizeClass]);
  if (!number) {
    number = newSlab(sizeClass);
    if (!number) return 0;
  }
  const frame = frameByNumber(number);
  const slab = changetype<Slab>(frame);
  const base = frameContent(frame);
  const size = classSize(sizeClass);
  const capacity = objectsPerSlab(sizeClass);
  let chain: usize = 0;
  let taken: u32 = 0;
  while (taken < wanted && slab.firstFree) {
    const object = base + slab.firstFree - 1;
    slab.firstFree = load<u32>(object);
    store<usize>(object, chain);
    chain = object;
    taken++;
  }
  while (taken < wanted && slab.cut < capacity) {
    const object = base + slab.cut * size;
    store<usize>(object, chain);
    chain = object;
    slab.cut++;
    taken++;
  }
  slab.out += taken;
  unchecked((outCounts[sizeClass] += taken));
  if (!slab.firstFree && slab.cut == capacity) unlinkPartial(slab, sizeClass);
  store<usize>(chainOut, chain);
  return taken;
}

/** Gives one object back to its slab. Hold `slabLock`. */
export function giveObject(object: usize): void {
  const frame = frameAt(object);
  const slab = changetype<Slab>(frame);
  const sizeClass = <u32>slab.sizeClass;
  const wasFull = !slab.firstFree && slab.cut == objectsPerSlab(sizeClass);
  store<u32>(object, slab.firstFree);
  slab.firstFree = <u32>(object & PAGE_MASK) + 1;
  slab.out--;
  unchecked(outCounts[sizeClass]--);
  if (slab.out == 0) {
    if (!wasFull) unlinkPartial(slab, sizeClass);
    unchecked(slabCounts[sizeClass]--);
    freeFrame(physicalOf(frame));
  } else if (wasFull) linkPartial(slab, numberOf(frame), sizeClass);
}

function newSlab(sizeClass: u32): u32 {
  const physical = allocateFrame();
  if (!physical) return 0;
  const frame = frameOf(physical);
  const slab = changetype<Slab>(frame);
  slab.kind = FRAME_SLAB;
  slab.sizeClass = <u8>sizeClass;
  slab.out = 0;
  slab.firstFree = 0;
  slab.cut = 0;
  const number = numberOf(frame);
  linkPartial(slab, number, sizeClass);
  unchecked(slabCounts[sizeClass]++);
  return number;
}

function linkPartial(slab: Slab, number: u32, sizeClass: u32): void {
  const head = unchecked(partial[sizeClass]);
  slab.next = head;
  slab.previous = 0;
  if (head) frameByNumber(head).previous = number;
  unchecked((partial[sizeClass] = number));
}

function unlinkPartial(slab: Slab, sizeClass: u32): void {
  if (slab.next) frameByNumber(slab.next).previous = slab.previous;
  if (slab.previous) frameByNumber(slab.previous).next = slab.next;
  else unchecked((partial[sizeClass] = slab.next));
}
