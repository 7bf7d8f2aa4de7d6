/**
 * Locks in static memory, for the modules below the heap: `new` at module level would need the heap
 * while the heap itself is being initialised. Arrays there are `memory.data` for the same reason;
 * they are always accessed `unchecked`.
 */
import { SpinLock } from "../arch/spinlock";

/** A spin lock in 8 bytes of zeroed static memory (`memory.data(8)`). */
export function staticLock(memory: usize): SpinLock {
  return changetype<SpinLock>(memory);
}
