/**
 * The kernel heap: memory of any size for the kernel's own objects.
 *
 *   up to 2048 bytes   magazine of this processor ──(some at a time)──► slabs ──► frames
 *   more               whole page frames from the buddy allocator, surplus ones given back
 *   before initHeap    the early heap in the kernel image
 *
 * A magazine is a stack of free objects of one size class. Each processor has one set for thread
 * context and one for interrupt handlers, so taking from it needs neither a lock nor interrupts off.
 *
 * Neighbours: `new` and `free` of the language runtime end here; `slab`, `size-class`, `early-heap`.
 */
import { __early_heap_end, cpuId, interruptDepth } from "../arch/cpu";
import { buddyLock, giveRange, MAX_ORDER, trimBlock } from "./buddy";
import { closeEarlyHeap, earlyAllocate, earlyFree, isEarly } from "./early-heap";
import { FRAME_KERNEL, FRAME_LARGE, FRAME_SLAB, frameAt, frameOf, numberOf } from "./frame";
import { allocateFrames, freeFrame, giveFrames, physicalOf } from "./frames";
import { KERNEL_IMAGE, PAGE_MASK, PAGE_SHIFT, toVirtual } from "./layout";
import { batchSize, CLASS_COUNT, classOf, classSize, SMALL_MAX } from "./size-class";
import { giveObject, slabLock, takeObjects } from "./slab";

/** Free objects of one class for one processor and context, chained through their first word. */
@unmanaged
class Magazine {
  head: usize;
  count: u32;
  /** Objects moved at a time; the magazine is emptied by so many when it holds twice as many. */
  batch: u32;
}

const MAX_CPUS: u32 = 64;
const SET_BYTES: usize = <usize>CLASS_COUNT * offsetof<Magazine>();

/** Address of the magazines of each processor: thread context, then interrupt context. */
const magazineSets = changetype<StaticArray<usize>>(memory.data(8 * 2 * 64));
/** The first processor's magazines. */
const bootMagazines = memory.data(2 * 21 * 16, 16);
let ready: bool = false;
let largeFrames: u64 = 0;

function magazineOf(sizeClass: u32): Magazine {
  const index = (cpuId() << 1) + <u32>(interruptDepth() != 0);
  return changetype<Magazine>(
    unchecked(magazineSets[index]) + <usize>sizeClass * offsetof<Magazine>(),
  );
}

/** Frames in use for allocations of more than 2048 bytes. */
export function largeFrameCount(): u64 {
  return largeFrames;
}

/** Free objects of a class in all magazines. Others use theirs meanwhile: a recent value. */
export function objectsInMagazines(sizeClass: u32): u32 {
  let objects: u32 = 0;
  for (let i: u32 = 0; i < 2 * MAX_CPUS; i++) {
    const set = unchecked(magazineSets[i]);
    if (set) objects += changetype<Magazine>(set + <usize>sizeClass * offsetof<Magazine>()).count;
  }
  return objects;
}

/**
 * Returns memory, 16-byte aligned, content undefined. Never sleeps; may be called anywhere.
 * @returns 0 if there is no memory, or for more than 32 MiB
 */
export function heapAllocate(sizeBytes: usize): usize {
  if (!ready) return earlyAllocate(sizeBytes);
  if (sizeBytes > SMALL_MAX) return allocatePages(sizeBytes);
  const sizeClass = classOf(sizeBytes);
  const magazine = magazineOf(sizeClass);
  let object = magazine.head;
  if (!object) {
    slabLock.acquire();
    magazine.count = takeObjects(sizeClass, magazine.batch, changetype<usize>(magazine));
    slabLock.release();
    if (!magazine.count) return 0;
    object = magazine.head;
  }
  magazine.head = load<usize>(object);
  magazine.count--;
  return object;
}

/** Returns memory from `heapAllocate`; `pointer` may be 0. */
export function heapFree(pointer: usize): void {
  if (!pointer) return;
  if (isEarly(pointer)) {
    earlyFree(pointer);
    return;
  }
  const frame = frameAt(pointer);
  if (frame.kind != FRAME_SLAB) {
    freePages(pointer);
    return;
  }
  const magazine = magazineOf(<u32>frame.tag);
  store<usize>(pointer, magazine.head);
  magazine.head = pointer;
  magazine.count++;
  if (magazine.count > 2 * magazine.batch) drain(magazine);
}

/** Usable bytes of an allocation made after `initHeap`: at least what was asked for. */
export function heapSize(pointer: usize): usize {
  const frame = frameAt(pointer);
  if (frame.kind == FRAME_SLAB) return <usize>classSize(<u32>frame.tag);
  return (<usize>frame.index) << (<usize>PAGE_SHIFT);
}

setMagazines(0, bootMagazines);

/** Leaves the early heap. After `initFrames`. */
export function initHeap(): void {
  ready = true;
  const end = closeEarlyHeap();
  // In unit tests the early heap is no part of an image.
  if (end >= KERNEL_IMAGE) {
    giveFrames(<u64>(end - KERNEL_IMAGE), <u64>(__early_heap_end() - KERNEL_IMAGE));
  }
}

/** Makes the magazines of a further processor; false if there is no memory. */
export function initHeapOfCpu(cpu: u32): bool {
  const sets = heapAllocate(2 * SET_BYTES);
  if (!sets) return false;
  setMagazines(cpu, sets);
  return true;
}

function setMagazines(cpu: u32, sets: usize): void {
  for (let i: u32 = 0; i < 2 * CLASS_COUNT; i++) {
    const magazine = changetype<Magazine>(sets + <usize>i * offsetof<Magazine>());
    magazine.head = 0;
    magazine.count = 0;
    magazine.batch = batchSize(i % CLASS_COUNT);
  }
  unchecked((magazineSets[cpu * 2] = sets));
  unchecked((magazineSets[cpu * 2 + 1] = sets + SET_BYTES));
}

function drain(magazine: Magazine): void {
  let object = magazine.head;
  let left = magazine.count - magazine.batch;
  const keep = magazine.batch;
  slabLock.acquire();
  for (; left > 0; left--) {
    const next = load<usize>(object);
    giveObject(object);
    object = next;
  }
  slabLock.release();
  magazine.head = object;
  magazine.count = keep;
}

function allocatePages(sizeBytes: usize): usize {
  const pages = (sizeBytes + PAGE_MASK) >> <usize>PAGE_SHIFT;
  if (pages > (<usize>1) << (<usize>MAX_ORDER) || sizeBytes > (<usize>1) << 40) return 0;
  const order: u32 = pages == 1 ? 0 : 32 - clz<u32>(<u32>pages - 1);
  const physical = allocateFrames(order);
  if (!physical) return 0;
  const frame = frameOf(physical);
  if (pages < (<usize>1) << (<usize>order)) {
    buddyLock.acquire();
    trimBlock(numberOf(frame), order, <u32>pages);
    buddyLock.release();
  }
  frame.kind = FRAME_LARGE;
  frame.order = 0;
  frame.index = <u64>pages;
  largeFrames += <u64>pages;
  return toVirtual(physical);
}

function freePages(pointer: usize): void {
  const frame = frameAt(pointer);
  assert(
    frame.kind == FRAME_LARGE && (pointer & PAGE_MASK) == 0,
    "freed memory that is not the heap's",
  );
  const pages = <u32>frame.index;
  largeFrames -= <u64>pages;
  frame.kind = FRAME_KERNEL;
  if (pages == 1) {
    freeFrame(physicalOf(frame));
    return;
  }
  const first = numberOf(frame);
  buddyLock.acquire();
  giveRange(first, first + pages);
  buddyLock.release();
}
