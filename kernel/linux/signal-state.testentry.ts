/** What `signal-state.test.ts` calls. */
import { PendingSignals } from "./signal-state";

let pending = new PendingSignals();

export function reset(): void {
  pending.discard(~(<u64>0));
  pending = new PendingSignals();
}
export function add(info: usize): bool {
  return pending.add(info);
}
export function addOverrun(info: usize): bool {
  return pending.addOverrun(info);
}
export function set(): u64 {
  return pending.set;
}
export function next(blocked: u64): i32 {
  return pending.next(blocked);
}
export function take(signal: i32, infoOut: usize): void {
  pending.take(signal, infoOut);
}
export function discard(mask: u64): void {
  pending.discard(mask);
}
