/**
 * Sizes of small heap allocations. A slab is one page frame cut into objects of one class, so the
 * larger classes are those that cut 4096 bytes with little loss.
 */

export const CLASS_COUNT: u32 = 21;
/** Largest size that comes from a slab; larger ones are whole pages. */
export const SMALL_MAX: usize = 2048;

const SIZES = changetype<StaticArray<u16>>(
  memory.data<u16>([
    16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 672, 816, 1024, 1360,
    2048,
  ]),
);

/** Class of each multiple of 16 bytes up to SMALL_MAX; entry 0 serves size 0. */
const classOfSixteenths = changetype<StaticArray<u8>>(memory.data(129));

for (let sixteenths: u32 = 0, sizeClass: u32 = 0; sixteenths <= 128; sixteenths++) {
  if (sixteenths * 16 > classSize(sizeClass)) sizeClass++;
  unchecked((classOfSixteenths[sixteenths] = <u8>sizeClass));
}

/** Class for a size of at most SMALL_MAX bytes. */
export function classOf(sizeBytes: usize): u32 {
  return <u32>unchecked(classOfSixteenths[<i32>((sizeBytes + 15) >> 4)]);
}

/** Size in bytes of the objects of a class. */
export function classSize(sizeClass: u32): u32 {
  return <u32>unchecked(SIZES[sizeClass]);
}

/** Objects of a class in a slab. */
export function objectsPerSlab(sizeClass: u32): u32 {
  return 4096 / classSize(sizeClass);
}

/** How many free objects move between a processor's magazine and the slabs at a time. */
export function batchSize(sizeClass: u32): u32 {
  return max<u32>(2, min<u32>(32, 2048 / classSize(sizeClass)));
}
