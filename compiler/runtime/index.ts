/**
 * The AssemblyScript runtime of the kernel: how `new` gets memory. It is compiled as a library file
 * (`~lib/rt/osv`), beside the standard library, and calls the kernel's heap; there is no garbage
 * collector and no shadow stack, so `__link`, `__pin`, `__visit` and `__collect` have nothing to do.
 *
 *     heap block
 *     +0  gcInfo, gcInfo2   unused (0)
 *     +8  rtId              class id, read by virtual calls and `instanceof`
 *     +12 rtSize            size of the payload in bytes
 *     +16 payload           what `this` points to
 *
 * Neighbours: `kernel/mm/heap` supplies the memory (in unit tests `testheap`); the layout is that of
 * the standard library's `rt/common`, which the compiler reads to place static objects.
 */
import { heapAllocate, heapFree } from "../../kernel/mm/heap";
import { AL_MASK, OBJECT_OVERHEAD } from "./common";

/** Offsets of header fields, counted back from the payload. */
// @ts-ignore: decorator
@inline const GC_INFO: usize = 16;
// @ts-ignore: decorator
@inline const ID: usize = 8;
// @ts-ignore: decorator
@inline const SIZE: usize = 4;

/** Largest payload: sizes are 32-bit in the object header. */
// @ts-ignore: decorator
@inline const SIZE_MAX: usize = 1 << 30;

function allocate(size: usize, id: u32): usize {
  if (size > SIZE_MAX) abort("an object would be larger than 1 GiB");
  const block = heapAllocate(OBJECT_OVERHEAD + size);
  if (block == 0) abort("out of kernel memory");
  const payload = block + OBJECT_OVERHEAD;
  store<u64>(payload - GC_INFO, 0);
  store<u32>(payload - ID, id);
  store<u32>(payload - SIZE, <u32>size);
  return payload;
}

function resize(payload: usize, size: usize, id: u32): usize {
  const oldSize = <usize>load<u32>(payload - SIZE);
  const moved = allocate(size, id);
  memory.copy(moved, payload, min(oldSize, size));
  heapFree(payload - OBJECT_OVERHEAD);
  return moved;
}

/** Memory for an object of an `@unmanaged` class. It carries the same header, so `__free` fits both. */
// @ts-ignore: decorator
@global @unsafe
export function __alloc(size: usize): usize {
  return allocate(size, 0);
}

/** Moves what `__alloc` returned to a block of `size` bytes. */
// @ts-ignore: decorator
@global @unsafe
export function __realloc(payload: usize, size: usize): usize {
  return resize(payload, size, 0);
}

/** Returns the memory of any object made with `new` (managed or not), or by `__alloc`. */
// @ts-ignore: decorator
@global @unsafe
export function __free(payload: usize): void {
  if (payload == 0 || payload & AL_MASK) abort("freed something that is not an object");
  heapFree(payload - OBJECT_OVERHEAD);
}

/** Memory for a managed object of class `id`. Not cleared: constructors set every field. */
// @ts-ignore: decorator
@global @unsafe
export function __new(size: usize, id: u32): usize {
  return allocate(size, id);
}

/** Moves a managed object to a block of `size` bytes. */
// @ts-ignore: decorator
@global @unsafe
export function __renew(payload: usize, size: usize): usize {
  return resize(payload, size, load<u32>(payload - ID));
}

// @ts-ignore: decorator
@global @unsafe
export function __link(parent: usize, child: usize, expectMultiple: bool): void {}

// @ts-ignore: decorator
@global @unsafe
export function __pin(payload: usize): usize {
  return payload;
}

// @ts-ignore: decorator
@global @unsafe
export function __unpin(payload: usize): void {}

// @ts-ignore: decorator
@global @unsafe
export function __visit(payload: usize, cookie: u32): void {}

// @ts-ignore: decorator
@global @unsafe
export function __collect(): void {}
