/**
 * Times as clients give them (doc/protocol.txt, "Expiration times"): 0 never, negative at once, up to 30
 * days from now, otherwise seconds since 1970.
 */
import { monotonicNs, realtimeNs } from "../../sched/clock";
import { Store } from "./store";

/** expiry of an item that stays. */
export const UNTIL_RESTART: u32 = 0;
const RELATIVE_MAX: i64 = 30 * 86400;
const NS_PER_SECOND: u64 = 1_000_000_000;
/** The store's clock begins with this second, so that times in the past have numbers, too. */
const FIRST_SECOND: u32 = 2;

/** The store's clock now. */
export function storeSeconds(): u32 {
  return FIRST_SECOND + <u32>(monotonicNs() / NS_PER_SECOND);
}

/** The second of the store's clock that `given` means; UNTIL_RESTART for 0. */
export function expiryOf(store: Store, given: i64): u32 {
  if (given == 0) return UNTIL_RESTART;
  if (given < 0) return 1;
  let ahead = given;
  if (given > RELATIVE_MAX) ahead = given - <i64>(realtimeNs() / NS_PER_SECOND);
  if (ahead <= 0) return 1;
  return <u32>min<i64>(ahead + store.nowSeconds, <i64>u32.MAX_VALUE);
}
