/**
 * Lifetime of objects on the kernel heap. There is no garbage collector: what is created with `new`
 * ends with `free`, and what several owners share extends `Counted`.
 *
 * Neighbours: the compiler's runtime (`~lib/rt`) implements `__free` on `kernel/mm/heap`.
 */

/** Returns the memory of an object made with `new`. The object must not be used afterwards. */
export function free<T>(object: T): void {
  __free(changetype<usize>(object));
}

/**
 * A reference-counted object. It is born with one reference, owned by whoever created it; the last
 * `release` calls `destroy`, which frees what the object owns and then the object itself.
 */
export abstract class Counted {
  private references: u32 = 1;

  /** Takes one more reference. */
  retain(): void {
    atomic.add<u32>(changetype<usize>(this) + offsetof<Counted>("references"), 1);
  }

  /** Gives one reference back; at the last one the object is destroyed. */
  release(): void {
    const before = atomic.sub<u32>(changetype<usize>(this) + offsetof<Counted>("references"), 1);
    assert(before != 0, "released an object once too often");
    if (before == 1) this.destroy();
  }

  /** How many references exist now; for assertions and statistics only. */
  referenceCount(): u32 {
    return atomic.load<u32>(changetype<usize>(this) + offsetof<Counted>("references"));
  }

  /** Frees what the object owns and the object. Called once, by the last `release`. */
  abstract destroy(): void;
}
