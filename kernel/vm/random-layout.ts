/**
 * Where the area for mappings begins in a new address space: below the highest addresses, which exec
 * uses for the stack, at a random distance (address-space layout randomisation, 28 bits like Linux).
 *
 * On hardware every program gets a layout of its own. An emulator keeps translated code by virtual
 * address, so there all programs of one boot share a random layout: executing a position-independent
 * program takes 1 ms instead of 25 ms (QEMU/TCG).
 */
import { hasRdrand, isEmulated, rdrand, rdtsc } from "../arch/cpu";
import { hashInteger } from "../lib/hashtable";
import { PAGE_SHIFT, USER_END } from "../mm/layout";

/** Kept for the stack and its random distance. */
const STACK_AREA: usize = 32 << 30;
const RANDOM_PAGES_MASK: u64 = (1 << 28) - 1;

/** What is placed at random; for `layoutRandom`. */
export const PLACE_OF_MAPPINGS: usize = 0;
export const PLACE_OF_PROGRAM: usize = 1;
export const PLACE_OF_STACK: usize = 2;
export const PLACE_OF_BREAK: usize = 3;

const randomWord = memory.data(8, 8);
/** The random numbers of this boot, one a place; 0 = not drawn yet. */
const numbersOfBoot = memory.data(8 * 4, 8);

/** The random number that decides a place: `fresh`, or in an emulator that of the first program. */
export function layoutRandom(place: usize, fresh: u64): u64 {
  if (!isEmulated()) return fresh;
  const slot = numbersOfBoot + (place << 3);
  if (load<u64>(slot) == 0) store<u64>(slot, fresh);
  return load<u64>(slot);
}

/** Top of the area for mappings. */
export function randomMmapTop(): usize {
  // Without the instruction the time-stamp counter alone makes the difference.
  if (!hasRdrand() || !rdrand(randomWord)) store<u64>(randomWord, 0);
  const fresh = hashInteger(load<u64>(randomWord) ^ hashInteger(rdtsc()));
  const random = layoutRandom(PLACE_OF_MAPPINGS, fresh);
  return USER_END - STACK_AREA - <usize>((random & RANDOM_PAGES_MASK) << PAGE_SHIFT);
}
