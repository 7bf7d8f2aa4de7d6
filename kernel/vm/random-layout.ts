/**
 * Where the area for mappings begins in a new address space: below the highest addresses, which exec
 * uses for the stack, at a random distance (address-space layout randomisation, 28 bits like Linux).
 */
import { hasRdrand, rdrand, rdtsc } from "../arch/cpu";
import { hashInteger } from "../lib/hashtable";
import { PAGE_SHIFT, USER_END } from "../mm/layout";

/** Kept for the stack and its random distance. */
const STACK_AREA: usize = 32 << 30;
const RANDOM_PAGES_MASK: u64 = (1 << 28) - 1;

const randomWord = memory.data(8, 8);

/** Top of the area for mappings. */
export function randomMmapTop(): usize {
  // Without the instruction the time-stamp counter alone makes the difference.
  if (!hasRdrand() || !rdrand(randomWord)) store<u64>(randomWord, 0);
  const random = hashInteger(load<u64>(randomWord) ^ hashInteger(rdtsc()));
  return USER_END - STACK_AREA - <usize>((random & RANDOM_PAGES_MASK) << PAGE_SHIFT);
}
