/**
 * Moves ioctl(2) arguments, which are addresses the application merely claims, to and from the
 * kernel. Kernel addresses are refused.
 *
 * Kernel-side values lie in heap blocks: a copy may fault and sleep, so nothing shared will do.
 */
import { copyUser } from "../../arch/cpu";
import { EFAULT, ENOMEM } from "../../lib/errno";
import { heapAllocate, heapFree } from "../../mm/heap";
import { USER_END } from "../../mm/layout";

/** Copies `length` bytes from the kernel to `argument`. @returns 0 or -EFAULT */
export function copyOutArgument(argument: usize, source: usize, length: usize): i64 {
  if (argument > USER_END - length) return -(<i64>EFAULT);
  return copyUser(argument, source, length) == 0 ? 0 : -(<i64>EFAULT);
}

/** Copies `length` bytes from `argument` to the kernel. @returns 0 or -EFAULT */
export function copyInArgument(target: usize, argument: usize, length: usize): i64 {
  if (argument > USER_END - length) return -(<i64>EFAULT);
  return copyUser(target, argument, length) == 0 ? 0 : -(<i64>EFAULT);
}

/** Stores an `int` at `argument`. @returns 0, -EFAULT or -ENOMEM */
export function storeIntArgument(argument: usize, value: u32): i64 {
  const word = heapAllocate(4);
  if (word == 0) return -(<i64>ENOMEM);
  store<u32>(word, value);
  const result = copyOutArgument(argument, word, 4);
  heapFree(word);
  return result;
}

/**
 * Loads an `int` from `argument`.
 * @returns the number, 0 to 2^32 - 1, or -EFAULT or -ENOMEM
 */
export function loadIntArgument(argument: usize): i64 {
  const word = heapAllocate(4);
  if (word == 0) return -(<i64>ENOMEM);
  let result = copyInArgument(word, argument, 4);
  if (result == 0) result = load<u32>(word);
  heapFree(word);
  return result;
}
