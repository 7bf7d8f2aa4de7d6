/**
 * Congestion control and round-trip time: RFC 5681 (slow start, fast recovery), RFC 9438 (CUBIC),
 * RFC 6298 (retransmission time-out), RFC 6928 (initial window).
 *
 * Windows are in bytes, times in nanoseconds; CUBIC's curve is computed in whole milliseconds and
 * segments, so without floating point. Lock: the connection's. Neighbours: `tcp-input.ts`,
 * `tcp-timers.ts`.
 */

const INITIAL_SEGMENTS: u32 = 10;
const RTO_INITIAL_NS: u64 = 1_000_000_000;
const RTO_MIN_NS: u64 = 200_000_000;
const RTO_MAX_NS: u64 = 120_000_000_000;
const GRANULARITY_NS: u64 = 1_000_000;
const WINDOW_MAX: u32 = 1 << 30;
const NS_PER_MS: u64 = 1_000_000;
/** Largest distance from the inflection that is computed; the cube of it fits 64 bits. */
const CURVE_MAX_MS: i64 = 200_000;

export class Congestion {
  /** NewReno's growth (RFC 5681, section 3.1) in place of CUBIC's. */
  isReno: bool = false;
  window: u32 = 0;
  threshold: u32 = WINDOW_MAX;
  segment: u32 = 536;
  smoothedNs: u64 = 0;
  variationNs: u64 = 0;
  rtoNs: u64 = RTO_INITIAL_NS;
  /** CUBIC: the window before the last reduction, start of the epoch (0 = none), K. */
  private maximum: u32 = 0;
  /** The window when the last loss was noticed. */
  private prior: u32 = 0;
  private epochNs: u64 = 0;
  private inflectionMs: i64 = 0;
  /** What Reno's window would be (RFC 9438, section 4.3), and acknowledged bytes towards it. */
  private estimate: u32 = 0;
  private credit: u64 = 0;

  /** The connection is established. @param segment bytes of a full segment */
  start(segment: u32): void {
    this.segment = segment;
    this.window = segment * INITIAL_SEGMENTS;
  }

  /** A round trip was measured (RFC 6298, section 2). */
  measured(roundTripNs: u64): void {
    if (this.smoothedNs == 0) {
      this.smoothedNs = max(roundTripNs, 1);
      this.variationNs = roundTripNs / 2;
    } else {
      const smoothed = this.smoothedNs;
      const delta = smoothed > roundTripNs ? smoothed - roundTripNs : roundTripNs - smoothed;
      this.variationNs = (3 * this.variationNs + delta) / 4;
      this.smoothedNs = (7 * smoothed + roundTripNs) / 8;
    }
    const margin = max(4 * this.variationNs, GRANULARITY_NS);
    this.rtoNs = min(max(this.smoothedNs + margin, RTO_MIN_NS), RTO_MAX_NS);
  }

  /** The time-out passed without an answer (RFC 6298, section 5.5). */
  backOff(): void {
    this.rtoNs = min(this.rtoNs * 2, RTO_MAX_NS);
  }

  /** New data was acknowledged, and the window was in use. */
  acknowledged(bytes: u32, nowNs: u64): void {
    if (this.window < this.threshold) {
      this.window = min(this.window + min(bytes, 2 * this.segment), WINDOW_MAX);
      return;
    }
    if (this.isReno) {
      this.credit += bytes;
      if (this.credit >= this.window) {
        this.credit -= this.window;
        this.window = min(this.window + this.segment, WINDOW_MAX);
      }
      return;
    }
    if (this.epochNs == 0) this.startEpoch(nowNs);
    const target = this.targetAt(nowNs);
    this.credit += bytes;
    // Reno's growth with CUBIC's factor, 3 (1 - b) / (1 + b) = 9 / 17 of a segment a window, until
    // it is where the last loss was; then Reno's own (section 4.3).
    const growth = (<u64>bytes * this.segment) / max(this.window, 1);
    this.estimate += <u32>(this.estimate < this.prior ? (growth * 9) / 17 : growth);
    if (this.estimate > target) {
      this.window = min(max(this.window, this.estimate), WINDOW_MAX);
      this.credit = 0;
    } else if (target > this.window) {
      const step = (<u64>(target - this.window) * this.credit) / this.window;
      if (step > 0) {
        this.window = min(this.window + min(<u32>step, this.segment), WINDOW_MAX);
        this.credit = 0;
      }
    } else this.credit = 0;
  }

  private startEpoch(nowNs: u64): void {
    this.epochNs = nowNs;
    this.estimate = this.window;
    this.credit = 0;
    if (this.maximum < this.window) {
      this.maximum = this.window;
      this.inflectionMs = 0;
    } else {
      // K = cbrt((W_max - cwnd) / C), C = 0.4 segments per second cubed.
      const segments = <u64>((this.maximum - this.window) / this.segment);
      this.inflectionMs = <i64>cubeRoot(segments * 2_500_000_000);
    }
  }

  /** W_cubic one round trip from now (RFC 9438, section 4.2). */
  private targetAt(nowNs: u64): u32 {
    const elapsedMs = <i64>((nowNs - this.epochNs + this.smoothedNs) / NS_PER_MS);
    const distance = min(max(elapsedMs - this.inflectionMs, -CURVE_MAX_MS), CURVE_MAX_MS);
    // 0.4 * d^3 / 10^9 segments, in bytes; divided early so that nothing overflows.
    const cube = (distance * distance * distance) / 1_000_000;
    const bytes = (cube * <i64>this.segment * 4) / 10_000;
    const target = <i64>this.maximum + bytes;
    const most = <i64>this.window + <i64>this.window / 2;
    return <u32>min(max(target, <i64>this.segment), min(most, <i64>WINDOW_MAX));
  }

  /** A loss was noticed: the window shrinks to 0.7 of itself (section 4.6), Reno's to half. */
  lost(): void {
    const window = this.window;
    this.prior = window;
    // Fast convergence (section 4.7): give room to newcomers.
    this.maximum = window < this.maximum ? <u32>((<u64>window * 17) / 20) : window;
    this.threshold = max(
      this.isReno ? window / 2 : <u32>((<u64>window * 7) / 10),
      2 * this.segment,
    );
    this.window = this.threshold;
    this.epochNs = 0;
  }

  /** The time-out passed: start again with one segment (RFC 5681, section 3.1). */
  collapsed(): void {
    this.lost();
    this.window = this.segment;
  }
}

/** The cube root, rounded down. */
function cubeRoot(value: u64): u64 {
  let root: u64 = 0;
  for (let bit: u64 = 1 << 20; bit != 0; bit >>= 1) {
    const trial = root | bit;
    if (trial * trial * trial <= value) root = trial;
  }
  return root;
}
