/**
 * Weak references: a table that does not count as an owner finds an object that may be on its way
 * out. Neighbours: the inode table of `erofs`, the overlay of `tmpfs`.
 */
import { Counted } from "../lib/object";

/**
 * Takes a reference unless the last one was given back already, in which case `destroy` runs or will
 * run, and the object must not be used. The caller's lock keeps the memory valid: `destroy` takes
 * the same lock to leave the table before it frees.
 */
export function retainIfAlive(object: Counted): bool {
  const address = changetype<usize>(object) + offsetof<Counted>("references");
  let seen = atomic.load<u32>(address);
  while (seen != 0) {
    const before = atomic.cmpxchg<u32>(address, seen, seen + 1);
    if (before == seen) return true;
    seen = before;
  }
  return false;
}
