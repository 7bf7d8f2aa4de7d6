/**
 * What the peer says it has received beyond the cumulative acknowledgement (RFC 2018), and what
 * follows from it for the amount of data in flight (RFC 6675, section 4).
 *
 *     ranges: start, end pairs, sorted, disjoint; allocated with the first report
 *
 * Lock: the connection's. Neighbours: `tcp-input.ts` enters reports, `tcp-output.ts` fills holes.
 */
import { heapAllocate, heapFree } from "../mm/heap";
import { load32 } from "./bytes";
import { before } from "./tcp-segment";

const RANGES_MAX: u32 = 64;
const RANGE_BYTES: usize = 8;

export class Scoreboard {
  private ranges: usize = 0;
  count: u32 = 0;

  start(index: u32): u32 {
    return load<u32>(this.ranges + <usize>index * RANGE_BYTES);
  }

  end(index: u32): u32 {
    return load<u32>(this.ranges + <usize>index * RANGE_BYTES, 4);
  }

  private set(index: u32, start: u32, end: u32): void {
    const at = this.ranges + <usize>index * RANGE_BYTES;
    store<u32>(at, start);
    store<u32>(at, end, 4);
  }

  private removeAt(index: u32): void {
    const at = this.ranges + <usize>index * RANGE_BYTES;
    this.count--;
    memory.copy(at, at + RANGE_BYTES, <usize>(this.count - index) * RANGE_BYTES);
  }

  /**
   * Enters the blocks of a SACK option that lie between `low` and `high`.
   * @returns true if they say something new
   */
  report(blocks: usize, blockCount: u32, low: u32, high: u32): bool {
    let isNews = false;
    for (let i: u32 = 0; i < blockCount; i++) {
      const start = load32(blocks + i * RANGE_BYTES);
      const end = load32(blocks + i * RANGE_BYTES + 4);
      // Blocks below `low` are duplicates that were received twice (RFC 2883).
      if (!before(start, end) || before(start, low) || before(high, end)) continue;
      if (this.add(start, end)) isNews = true;
    }
    return isNews;
  }

  private add(from: u32, to: u32): bool {
    if (this.ranges == 0) {
      this.ranges = heapAllocate(<usize>RANGES_MAX * RANGE_BYTES);
      if (this.ranges == 0) return false;
    }
    let start = from;
    let end = to;
    let at: u32 = 0;
    while (at < this.count && before(this.end(at), start)) at++;
    if (at < this.count && !before(start, this.start(at)) && !before(this.end(at), end))
      return false;
    while (at < this.count && !before(end, this.start(at))) {
      if (before(this.start(at), start)) start = this.start(at);
      if (before(end, this.end(at))) end = this.end(at);
      this.removeAt(at);
    }
    if (this.count == RANGES_MAX) return false; // it will be reported again
    const place = this.ranges + <usize>at * RANGE_BYTES;
    memory.copy(place + RANGE_BYTES, place, <usize>(this.count - at) * RANGE_BYTES);
    this.count++;
    this.set(at, start, end);
    return true;
  }

  /** Everything below `sequence` has been acknowledged. */
  acknowledge(sequence: u32): void {
    while (this.count > 0 && !before(sequence, this.end(0))) this.removeAt(0);
    if (this.count > 0 && before(this.start(0), sequence)) this.set(0, sequence, this.end(0));
  }

  /** The end of the highest range; only if `count` is not 0. */
  get highest(): u32 {
    return this.end(this.count - 1);
  }

  /**
   * Bytes of holes below the highest range that have been sent again: still in flight.
   * @param low the cumulative acknowledgement @param resent everything below was sent again
   */
  resentBytes(low: u32, resent: u32): u32 {
    let bytes: u32 = 0;
    let position = low;
    for (let i: u32 = 0; i < this.count && before(position, resent); i++) {
      const end = before(resent, this.start(i)) ? resent : this.start(i);
      if (before(position, end)) bytes += end - position;
      position = this.end(i);
    }
    return bytes;
  }

  /** The first position from `from` on that no range covers. */
  skip(from: u32): u32 {
    for (let i: u32 = 0; i < this.count; i++) {
      if (!before(from, this.start(i)) && before(from, this.end(i))) return this.end(i);
    }
    return from;
  }

  /** The start of the first range above `from`, or `limit`. */
  holeEnd(from: u32, limit: u32): u32 {
    for (let i: u32 = 0; i < this.count; i++) {
      if (before(from, this.start(i))) {
        return before(this.start(i), limit) ? this.start(i) : limit;
      }
    }
    return limit;
  }

  clear(): void {
    this.count = 0;
  }

  dispose(): void {
    if (this.ranges != 0) heapFree(this.ranges);
    this.ranges = 0;
    __free(changetype<usize>(this));
  }
}
