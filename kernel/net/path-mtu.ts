/**
 * Path MTU discovery: RFC 1191, RFC 8201. What routers say about a destination is remembered for a
 * while, within bounds that keep liars from making packets tiny (RFC 5927, section 7).
 *
 * Lock: `lock` guards the table; nobody takes it while nothing has been learnt.
 * Neighbours: `icmp-errors.ts` fills it, `ipv4.ts`, `ipv6.ts` and TCP read it.
 */
import { SpinLock } from "../arch/spinlock";
import { IpAddress } from "../lib/ip-address";
import { monotonicNs } from "../sched/clock";
import { Route } from "./routes";

const ENTRIES: i32 = 64;
/** After that a larger size is tried again (RFC 1191, section 6.3). */
const LIFETIME_NS: u64 = 600_000_000_000;
/** The smallest that is believed: RFC 791 asks for 68 bytes, but no link of today has less than 552. */
const V4_MTU_MIN: u32 = 552;
const V6_MTU_MIN: u32 = 1280;

class PathEntry {
  private addressFirst: u64 = 0;
  private addressLast: u64 = 0;
  mtuBytes: u32 = 0;
  learntNs: u64 = 0;

  get address(): IpAddress {
    return changetype<IpAddress>(changetype<usize>(this) + offsetof<PathEntry>("addressFirst"));
  }
}

const lock = new SpinLock();
const entries = new StaticArray<PathEntry | null>(ENTRIES);
let count: i32 = 0;

/** The largest packet that goes along `route` to `destination`, in bytes. */
export function pathMtu(route: Route, destination: IpAddress): u32 {
  const mtu = route.through.mtuBytes;
  if (count == 0) return mtu;
  lock.acquire();
  const entry = find(destination);
  const learnt = entry && monotonicNs() - entry.learntNs < LIFETIME_NS ? entry.mtuBytes : mtu;
  lock.release();
  return min(mtu, learnt);
}

function find(destination: IpAddress): PathEntry | null {
  for (let i = 0; i < count; i++) {
    const entry = entries[i]!;
    if (entry.address.equals(destination)) return entry;
  }
  return null;
}

/** A router says that packets to `destination` may have `mtuBytes`. @returns what is believed */
export function learnPathMtu(destination: IpAddress, mtuBytes: u32): u32 {
  const believed = max(mtuBytes, destination.isV4 ? V4_MTU_MIN : V6_MTU_MIN);
  lock.acquire();
  let entry = find(destination);
  if (!entry) {
    entry = claim();
    entry.address.copyFrom(destination);
  }
  entry.mtuBytes = believed;
  entry.learntNs = monotonicNs();
  lock.release();
  return believed;
}

/** A new entry, or the oldest one. */
function claim(): PathEntry {
  if (count < ENTRIES) {
    const added = new PathEntry();
    entries[count++] = added;
    return added;
  }
  let oldest = entries[0]!;
  for (let i = 1; i < ENTRIES; i++) {
    if (entries[i]!.learntNs < oldest.learntNs) oldest = entries[i]!;
  }
  return oldest;
}
