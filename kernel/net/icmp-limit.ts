/**
 * How many ICMP errors are sent (RFC 1812, section 4.3.2.8; RFC 4443, section 2.4 f): a thousand a
 * second in all, and at most fifty at once, as Linux does by default (icmp(7), icmp_msgs_per_sec).
 * Answers to echo requests are not limited.
 *
 * Without a lock: one word says until when the errors sent so far have used the rate up (the generic
 * cell rate algorithm, ITU-T I.371). Neighbours: `icmp.ts`, `icmpv6.ts`.
 */
import { monotonicNs } from "../sched/clock";

const INTERVAL_NS: u64 = 1_000_000;
const BURST: u64 = 50;

const usedUntilNs = new StaticArray<u64>(1);

/** True if another error may be sent now, which it then counts. Any context. */
export function mayReportError(): bool {
  const nowNs = monotonicNs();
  const cell = changetype<usize>(usedUntilNs);
  let seen = atomic.load<u64>(cell);
  while (true) {
    const start = max(seen, nowNs);
    if (start - nowNs > (BURST - 1) * INTERVAL_NS) return false;
    const before = atomic.cmpxchg<u64>(cell, seen, start + INTERVAL_NS);
    if (before == seen) return true;
    seen = before;
  }
}
