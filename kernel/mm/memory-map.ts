/**
 * From the boot memory map to the free lists: which ranges are RAM, which of them are in use, where
 * the table of frame descriptors goes.
 *
 *   RAM        ├──────────────────────────────┤      ├───────────┤
 *   reserved       ├─image─┤├─table─┤
 *   free       ├──┤                   ├────────┤      ├───────────┤
 *
 * Used once, on one processor, before interrupts: no lock.
 */
import { giveRange, initBuddy, markEdges, markReserved } from "./buddy";
import { frameTableBytes, setFrameTable } from "./frame";
import { PAGE_SHIFT, PAGE_SIZE, toVirtual } from "./layout";
import { countFrames } from "./reserve";

const MAX_RANGES: u32 = 48;

/** Sorted, disjoint ranges of physical addresses: the count, then pairs of start and end. */
@unmanaged
class RangeList {
  count: u32;

  private slot(index: u32): usize {
    return changetype<usize>(this) + 8 + <usize>index * 16;
  }

  private set(index: u32, start: u64, end: u64): void {
    store<u64>(this.slot(index), start);
    store<u64>(this.slot(index), end, 8);
  }

  start(index: u32): u64 {
    return load<u64>(this.slot(index));
  }

  end(index: u32): u64 {
    return load<u64>(this.slot(index), 8);
  }

  /** Adds a range; ranges that touch or overlap become one. */
  add(start: u64, end: u64): void {
    let from = start;
    let to = end;
    let kept: u32 = 0;
    let position: u32 = 0;
    for (let i: u32 = 0; i < this.count; i++) {
      const otherStart = this.start(i);
      const otherEnd = this.end(i);
      if (otherEnd < from || otherStart > to) {
        this.set(kept, otherStart, otherEnd);
        kept++;
        if (otherEnd < from) position = kept;
      } else {
        from = min(from, otherStart);
        to = max(to, otherEnd);
      }
    }
    assert(kept < MAX_RANGES, "the memory map has too many ranges");
    for (let i = kept; i > position; i--) {
      this.set(i, this.start(i - 1), this.end(i - 1));
    }
    this.set(position, from, to);
    this.count = kept + 1;
  }

  clear(): void {
    this.count = 0;
  }
}

const ram = changetype<RangeList>(memory.data(8 + 48 * 16, 8));
const reserved = changetype<RangeList>(memory.data(8 + 48 * 16, 8));

/** Declares usable RAM [start, end), physical addresses. Parts of pages at the ends are dropped. */
export function addMemory(start: u64, end: u64): void {
  // Frame 0 stays out: 0 means "no frame".
  const from = max<u64>((start + (PAGE_SIZE - 1)) & ~(<u64>(PAGE_SIZE - 1)), PAGE_SIZE);
  const to = end & ~(<u64>(PAGE_SIZE - 1));
  if (from < to) ram.add(from, to);
}

/** Declares that [start, end) is in use (kernel image, boot module). Before `initFrames`. */
export function reserveMemory(start: u64, end: u64): void {
  const from = start & ~(<u64>(PAGE_SIZE - 1));
  const to = (end + (PAGE_SIZE - 1)) & ~(<u64>(PAGE_SIZE - 1));
  if (from < to) reserved.add(from, to);
}

/** First physical address beyond all RAM. */
export function memoryEnd(): u64 {
  return ram.count ? ram.end(ram.count - 1) : 0;
}

/** Number of ranges of RAM, `memoryStart(i)` .. `memoryRangeEnd(i)`; sorted and disjoint. */
export function memoryRangeCount(): u32 {
  return ram.count;
}

export function memoryRangeStart(index: u32): u64 {
  return ram.start(index);
}

export function memoryRangeEnd(index: u32): u64 {
  return ram.end(index);
}

/** Forgets the map (unit tests). */
export function clearMemoryMap(): void {
  ram.clear();
  reserved.clear();
}

/**
 * Builds the table of descriptors and the free lists from the declared ranges.
 * @returns false if no range of RAM has room for the table
 */
export function initFrames(): bool {
  const limit = <u32>(memoryEnd() >> PAGE_SHIFT);
  const tableBytes = (frameTableBytes(limit) + (PAGE_SIZE - 1)) & ~(PAGE_SIZE - 1);
  const tableStart = findRoom(tableBytes);
  if (!tableStart) return false;
  setFrameTable(toVirtual(tableStart));
  initBuddy(limit);
  for (let i: u32 = 0; i < ram.count; i++) {
    markEdges(<u32>(ram.start(i) >> PAGE_SHIFT), <u32>(ram.end(i) >> PAGE_SHIFT));
  }
  forEachPiece(true);
  // The table is never given back: only frames that look like buddies from outside matter.
  markEdges(<u32>((tableStart + tableBytes) >> PAGE_SHIFT), <u32>(tableStart >> PAGE_SHIFT));
  reserveMemory(tableStart, tableStart + tableBytes);
  forEachPiece(false);
  return true;
}

/** Marks the reserved pieces of RAM, or gives the free pieces to the buddy allocator. */
function forEachPiece(reservedPieces: bool): void {
  for (let i: u32 = 0; i < ram.count; i++) {
    const end = ram.end(i);
    let at = ram.start(i);
    for (let j: u32 = 0; j < reserved.count && at < end; j++) {
      const holeStart = max(reserved.start(j), at);
      const holeEnd = min(reserved.end(j), end);
      if (holeStart >= holeEnd) continue;
      if (reservedPieces)
        markReserved(<u32>(holeStart >> PAGE_SHIFT), <u32>(holeEnd >> PAGE_SHIFT));
      else giveFree(at, holeStart);
      at = holeEnd;
    }
    if (!reservedPieces) giveFree(at, end);
  }
}

function giveFree(start: u64, end: u64): void {
  if (start >= end) return;
  giveRange(<u32>(start >> PAGE_SHIFT), <u32>(end >> PAGE_SHIFT));
  countFrames((end - start) >> PAGE_SHIFT);
}

/** Lowest physical address of `bytes` of RAM that are not reserved; 0 = none. */
function findRoom(bytes: u64): u64 {
  for (let i: u32 = 0; i < ram.count; i++) {
    let at = ram.start(i);
    for (let j: u32 = 0; j < reserved.count; j++) {
      if (reserved.end(j) <= at) continue;
      if (reserved.start(j) >= at + bytes) break;
      at = reserved.end(j);
    }
    if (at + bytes <= ram.end(i)) return at;
  }
  return 0;
}
