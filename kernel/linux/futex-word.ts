/**
 * The word of a futex that has an owner: robust mutexes and PI futexes (set_robust_list(2), futex(2)).
 *
 *     0 free | owner's thread id | FUTEX_WAITERS: ask the kernel to unlock | FUTEX_OWNER_DIED
 *
 * Neighbours: `futex-exit.ts`, `futex-pi.ts`.
 */

export const FUTEX_WAITERS: u32 = 0x8000_0000;
export const FUTEX_OWNER_DIED: u32 = 0x4000_0000;
const FUTEX_TID_MASK: u32 = 0x3fff_ffff;

/** Thread id of the owner; 0 if there is none. */
export function ownerOf(word: u32): i32 {
  return <i32>(word & FUTEX_TID_MASK);
}

/** The word once thread `id` has taken a futex without owner; that its owner died stays known. */
export function takenWord(word: u32, id: i32, hasWaiters: bool): u32 {
  return (word & FUTEX_OWNER_DIED) | (hasWaiters ? FUTEX_WAITERS : 0) | <u32>id;
}

/** The word once the owner has given the futex to waiter `id`. */
export function givenWord(id: i32): u32 {
  return FUTEX_WAITERS | <u32>id;
}

/** The word once waiter `id` has got the futex of an owner that ended. */
export function inheritedWord(id: i32): u32 {
  return FUTEX_WAITERS | FUTEX_OWNER_DIED | <u32>id;
}

/** The word of a robust mutex whose owner ended. */
export function abandonedWord(word: u32): u32 {
  return (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
}

/** True if thread `id` ended as the owner and nobody has had the futex since. */
export function isLeftBy(word: u32, id: i32): bool {
  const named = ownerOf(word);
  return named == id || (named == 0 && (word & FUTEX_OWNER_DIED) != 0);
}

/**
 * True if a word agrees with what the kernel knows of a PI futex that is waited for: the program may
 * have written anything.
 * @param owner thread id, 0 if the owner ended and an heir is on its way
 */
export function isOwnedBy(word: u32, owner: i32): bool {
  const hasDied = (word & FUTEX_OWNER_DIED) != 0;
  const named = ownerOf(word);
  if (hasDied && named == 0) return true; // the owner is ending, or has ended
  return owner != 0 && named == owner;
}
