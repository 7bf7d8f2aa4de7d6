/**
 * Connections that go on without an application: orphans, whose socket is closed while the peer has
 * not confirmed everything, and those in TIME-WAIT (tcp(7): tcp_max_orphans, tcp_max_tw_buckets).
 *
 * Peers decide how many there are, so both are limited: an orphan too many is reset, a TIME-WAIT too
 * many ends at once. Lock: the connection's for `ending`; the counts are atomic.
 * Neighbours: `tcp-socket.ts`, `tcp-input.ts`, `tcp-connection.ts`.
 */
import { count, TCP_ABORTED_FOR_MEMORY, TCP_TIME_WAIT_OVERFLOWS } from "./counters";
import { TcpConnection } from "./tcp-connection";

/** What `TcpConnection.ending` says. */
export const NOT_ENDING: u8 = 0;
export const ORPHAN: u8 = 1;
export const WAITING: u8 = 2;

/** About what a connection takes that holds no data, in bytes; each kind may have 1/64 of memory. */
const CONNECTION_BYTES: u64 = 2048;
const SHARE: u64 = 64;

/** How many connections are in each state. */
const counts = memory.data(3 * 4, 4);
let limit: u32 = u32.MAX_VALUE;

/** Sets the limits for a machine with so much free memory. */
export function limitEndings(freeBytes: u64): void {
  limit = <u32>min<u64>(freeBytes / SHARE / CONNECTION_BYTES, u32.MAX_VALUE);
}

/** How many connections are ORPHAN or WAITING. */
export function endingCount(kind: u8): u32 {
  return atomic.load<u32>(counts + <usize>kind * 4);
}

/** How many there may be of each. */
export function endingLimit(): u32 {
  return limit;
}

/**
 * Counts a connection as `kind` from now on. The lock is held.
 * @returns false if there are too many: the caller ends it
 */
export function setEnding(c: TcpConnection, kind: u8): bool {
  if (c.ending == kind) return true;
  if (c.ending != NOT_ENDING) atomic.sub<u32>(counts + <usize>c.ending * 4, 1);
  c.ending = kind;
  if (kind == NOT_ENDING || atomic.add<u32>(counts + <usize>kind * 4, 1) < limit) return true;
  count(kind == ORPHAN ? TCP_ABORTED_FOR_MEMORY : TCP_TIME_WAIT_OVERFLOWS);
  return false;
}
