/**
 * What a TCP connection has sent and not heard of by a cumulative acknowledgement: a list of records
 * in the order of sequence numbers, each with the time of its latest transmission.
 *
 *     first ─► [start, end) sentNs flags ◄─► … ◄─ last          SACKED: the peer has it (RFC 2018)
 *                                                               LOST: to be sent again
 *                                                               RESENT: was sent more than once
 *
 * From the times follows what is lost: RACK (RFC 8985, section 6). Whatever was sent sufficiently
 * earlier than something that has arrived is lost; how much earlier depends on the reordering seen.
 *
 * Lock: the connection's. Neighbours: `tcp-recovery.ts` decides with it, `tcp-output.ts` sends.
 */
import { heapAllocate, heapFree } from "../mm/heap";
import { load32 } from "./bytes";
import { before } from "./tcp-segment";

export const SACKED: u32 = 1;
export const LOST: u32 = 2;
export const RESENT: u32 = 4;

const BLOCK_BYTES: usize = 8;
const NS_PER_MS: u64 = 1_000_000;

/** One record. */
@unmanaged
export class Sent {
  next: usize;
  previous: usize;
  sentNs: u64;
  start: u32;
  end: u32;
  flags: u32;
  reserved: u32;
}

export class SentList {
  private first: usize = 0;
  private last: usize = 0;
  /** Bytes of records that are SACKED, and of those that are LOST. */
  sackedBytes: u32 = 0;
  lostBytes: u32 = 0;
  /** Round trip of what was delivered last and sent once; 0 = the last report told none. */
  roundTripNs: u64 = 0;
  /** A block below the acknowledgement: the peer got something twice (RFC 2883). */
  sawDuplicate: bool = false;
  // RACK: of all that has arrived, what was sent last: when, its end, its round trip.
  private rackNs: u64 = 0;
  private rackEnd: u32 = 0;
  private rackRoundTripNs: u64 = 0;
  private leastRoundTripNs: u64 = u64.MAX_VALUE;
  /** End of the highest record that has arrived. */
  private deliveredEnd: u32 = 0;
  private hasDelivered: bool = false;
  private sawReordering: bool = false;
  /** The reordering window in quarters of the least round trip. */
  private windowQuarters: u64 = 1;

  get isEmpty(): bool {
    return this.first == 0;
  }

  /** The first record, 0 = none. */
  get oldest(): usize {
    return this.first;
  }

  /** The last record, 0 = none. */
  get newest(): usize {
    return this.last;
  }

  /**
   * Notes that [start, end) is being sent for the first time; it follows what was sent before.
   * @param mergeBytes records sent at nearly the same time may share one up to this size
   * @returns false without memory: do not send
   */
  append(start: u32, end: u32, nowNs: u64, mergeBytes: u32): bool {
    if (this.last != 0) {
      const last = changetype<Sent>(this.last);
      if (last.flags == 0 && end - last.start <= mergeBytes && nowNs - last.sentNs < NS_PER_MS) {
        last.end = end;
        return true;
      }
    }
    const address = heapAllocate(offsetof<Sent>());
    if (address == 0) return false;
    const added = changetype<Sent>(address);
    added.start = start;
    added.end = end;
    added.sentNs = nowNs;
    added.flags = 0;
    added.next = 0;
    added.previous = this.last;
    if (this.last != 0) changetype<Sent>(this.last).next = address;
    else this.first = address;
    this.last = address;
    return true;
  }

  /** Cuts a record in two at `at`; false without memory. */
  split(record: Sent, at: u32): bool {
    const address = heapAllocate(offsetof<Sent>());
    if (address == 0) return false;
    const added = changetype<Sent>(address);
    added.start = at;
    added.end = record.end;
    added.sentNs = record.sentNs;
    added.flags = record.flags;
    added.previous = changetype<usize>(record);
    added.next = record.next;
    if (record.next != 0) changetype<Sent>(record.next).previous = address;
    else this.last = address;
    record.next = address;
    record.end = at;
    return true;
  }

  /** Everything below `sequence` has arrived. */
  acknowledge(sequence: u32, nowNs: u64): void {
    while (this.first != 0) {
      const record = changetype<Sent>(this.first);
      if (!before(record.start, sequence)) return;
      if (before(sequence, record.end)) {
        const bytes = sequence - record.start;
        this.forgetFlags(record.flags, bytes);
        record.start = sequence;
        return;
      }
      if ((record.flags & SACKED) == 0) this.delivered(record, nowNs);
      this.forgetFlags(record.flags, record.end - record.start);
      this.first = record.next;
      if (record.next != 0) changetype<Sent>(record.next).previous = 0;
      else this.last = 0;
      heapFree(changetype<usize>(record));
    }
  }

  private forgetFlags(flags: u32, bytes: u32): void {
    if ((flags & SACKED) != 0) this.sackedBytes -= bytes;
    if ((flags & LOST) != 0) this.lostBytes -= bytes;
  }

  /**
   * Enters the blocks of a SACK option.
   * @param low the cumulative acknowledgement @param high end of what was sent
   * @returns true if they say something new
   */
  report(blocks: usize, count: u32, low: u32, high: u32, nowNs: u64): bool {
    let isNews = false;
    this.sawDuplicate = false;
    for (let i: u32 = 0; i < count; i++) {
      const start = load32(blocks + i * BLOCK_BYTES);
      const end = load32(blocks + i * BLOCK_BYTES + 4);
      if (!before(start, end) || before(high, end)) continue;
      if (before(start, low)) this.sawDuplicate = true;
      else if (this.mark(start, end, nowNs)) isNews = true;
    }
    if (this.sawDuplicate && this.windowQuarters < 16) this.windowQuarters++;
    return isNews;
  }

  /** Marks what lies in [start, end) as SACKED. */
  private mark(start: u32, end: u32, nowNs: u64): bool {
    let isNews = false;
    let at = this.last;
    // From the end: news are about what was sent lately.
    while (at != 0) {
      let record = changetype<Sent>(at);
      at = record.previous;
      if (!before(start, record.end)) return isNews;
      if (!before(record.start, end) || (record.flags & SACKED) != 0) continue;
      if (before(end, record.end) && !this.split(record, end)) continue;
      if (before(record.start, start)) {
        if (!this.split(record, start)) continue;
        record = changetype<Sent>(record.next);
      }
      const bytes = record.end - record.start;
      if ((record.flags & LOST) != 0) this.lostBytes -= bytes;
      record.flags = (record.flags & ~LOST) | SACKED;
      this.sackedBytes += bytes;
      this.delivered(record, nowNs);
      isNews = true;
    }
    return isNews;
  }

  /** A record has arrived (RFC 8985, section 6.2, steps 1 to 3). */
  private delivered(record: Sent, nowNs: u64): void {
    const roundTripNs = max(nowNs - record.sentNs, 1);
    const wasResent = (record.flags & RESENT) != 0;
    if (!wasResent) {
      this.roundTripNs = roundTripNs;
      this.leastRoundTripNs = min(this.leastRoundTripNs, roundTripNs);
      if (this.hasDelivered && before(record.end, this.deliveredEnd)) this.sawReordering = true;
    } else if (roundTripNs < this.leastRoundTripNs) return; // it answers the first transmission
    if (!this.hasDelivered || before(this.deliveredEnd, record.end)) {
      this.deliveredEnd = record.end;
      this.hasDelivered = true;
    }
    if (
      record.sentNs > this.rackNs ||
      (record.sentNs == this.rackNs && before(this.rackEnd, record.end))
    ) {
      this.rackNs = record.sentNs;
      this.rackEnd = record.end;
      this.rackRoundTripNs = roundTripNs;
    }
  }

  /**
   * Marks as LOST what was sent long enough before something that has arrived (section 6.2, step 5).
   * @param smoothedNs the smoothed round trip @param isUrgent reordering unseen, much has arrived:
   *   no allowance for reordering
   * @returns when to look again, 0 = not
   */
  detectLoss(nowNs: u64, smoothedNs: u64, isUrgent: bool): u64 {
    if (this.rackNs == 0) return 0;
    const quarter = this.leastRoundTripNs == u64.MAX_VALUE ? 0 : this.leastRoundTripNs / 4;
    const isExact = !this.sawReordering && isUrgent;
    const allowanceNs = isExact ? 0 : min(quarter * this.windowQuarters, smoothedNs);
    let againNs: u64 = 0;
    for (let at = this.first; at != 0; at = changetype<Sent>(at).next) {
      const record = changetype<Sent>(at);
      const isLater =
        record.sentNs > this.rackNs ||
        (record.sentNs == this.rackNs && !before(record.end, this.rackEnd));
      if (isLater) {
        // Records that were sent once are in the order of time.
        if ((record.flags & RESENT) == 0) break;
        continue;
      }
      if ((record.flags & (SACKED | LOST)) != 0) continue;
      const deadlineNs = record.sentNs + this.rackRoundTripNs + allowanceNs;
      if (deadlineNs <= nowNs) this.setLost(record);
      else if (againNs == 0 || deadlineNs < againNs) againNs = deadlineNs;
    }
    return againNs;
  }

  private setLost(record: Sent): void {
    if ((record.flags & (SACKED | LOST)) != 0) return;
    record.flags |= LOST;
    this.lostBytes += record.end - record.start;
  }

  /** The oldest record is lost: what duplicate acknowledgements without SACK say. */
  loseOldest(bytes: u32): void {
    if (this.first == 0) return;
    const record = changetype<Sent>(this.first);
    if (record.end - record.start > bytes) this.split(record, record.start + bytes);
    this.setLost(record);
  }

  /** Nothing was heard for long: whatever is not known to have arrived is lost. */
  loseAll(): void {
    for (let at = this.first; at != 0; at = changetype<Sent>(at).next) {
      this.setLost(changetype<Sent>(at));
    }
  }

  /** The first record that is LOST, 0 = none. */
  firstLost(): usize {
    if (this.lostBytes == 0) return 0;
    let at = this.first;
    while (at != 0 && (changetype<Sent>(at).flags & LOST) == 0) at = changetype<Sent>(at).next;
    return at;
  }

  /** The record is being sent again. */
  resent(record: Sent, nowNs: u64): void {
    if ((record.flags & LOST) != 0) this.lostBytes -= record.end - record.start;
    record.flags = (record.flags & ~LOST) | RESENT;
    record.sentNs = nowNs;
  }

  /** Frees all records. */
  clear(): void {
    let at = this.first;
    while (at != 0) {
      const next = changetype<Sent>(at).next;
      heapFree(at);
      at = next;
    }
    this.first = 0;
    this.last = 0;
    this.sackedBytes = 0;
    this.lostBytes = 0;
  }
}
