/**
 * Addresses that the application hands over are claims, not pointers. These functions test the
 * claim (the range lies in user space) and move bytes with fault handling; nothing else in
 * `kernel/linux` may read or write application memory directly.
 *
 * Holding the result of `checkRange` proves only that the range is the application's half of the
 * address space, not that it is mapped: the copy may still fail with -EFAULT.
 *
 * Neighbours: `arch/x86_64/usercopy.S`, `thread.ts` (per-thread scratch memory).
 */
import { clearUser, compareExchangeUser32, copyUser, lengthUser, loadUser32 } from "../arch/cpu";
import { EAGAIN, EFAULT, ENAMETOOLONG } from "../lib/errno";
import { USER_END } from "../mm/layout";
import { currentLinuxThread } from "./process";

/** True if `length` bytes at `address` lie in user space. */
export function checkRange(address: usize, length: usize): bool {
  return length <= USER_END && address <= USER_END - length;
}

/** Copies from the application to the kernel; 0 or -EFAULT. */
export function copyIn(kernelDestination: usize, userSource: usize, length: usize): i64 {
  if (!checkRange(userSource, length)) return -EFAULT;
  return copyUser(kernelDestination, userSource, length) == 0 ? 0 : -EFAULT;
}

/** Copies from the kernel to the application; 0 or -EFAULT. */
export function copyOut(userDestination: usize, kernelSource: usize, length: usize): i64 {
  if (!checkRange(userDestination, length)) return -EFAULT;
  return copyUser(userDestination, kernelSource, length) == 0 ? 0 : -EFAULT;
}

/** Writes zero bytes to application memory; 0 or -EFAULT. */
export function zeroOut(userDestination: usize, length: usize): i64 {
  if (!checkRange(userDestination, length)) return -EFAULT;
  return clearUser(userDestination, length) == 0 ? 0 : -EFAULT;
}

/**
 * Copies a zero-terminated string with its terminator.
 * @param capacity size of `kernelBuffer` in bytes, terminator included
 * @returns length without the terminator, -EFAULT, or -ENAMETOOLONG if it does not fit
 */
export function copyInString(userSource: usize, kernelBuffer: usize, capacity: usize): i64 {
  const length = userStringLength(userSource, capacity);
  if (length < 0) return length;
  if (<usize>length >= capacity) return -ENAMETOOLONG;
  if (copyUser(kernelBuffer, userSource, <usize>length) != 0) return -EFAULT;
  store<u8>(kernelBuffer + <usize>length, 0);
  return length;
}

/** Length of a zero-terminated application string, at most `limit`; or -EFAULT. */
export function userStringLength(userSource: usize, limit: usize): i64 {
  if (userSource >= USER_END) return -EFAULT;
  const room = min(limit, USER_END - userSource);
  const length = lengthUser(userSource, room);
  if (length == <usize>-1) return -EFAULT;
  if (length == room && room < limit) return -EFAULT;
  return <i64>length;
}

/**
 * Reads 8 bytes from the application; the value is then `loadedValue()`.
 * @returns 0 or -EFAULT
 */
export function load64(userSource: usize): i64 {
  return copyIn(currentLinuxThread().valueSlot(), userSource, 8);
}

/** Reads 4 bytes from the application; the value, zero-extended, is then `loadedValue()`. */
export function load32(userSource: usize): i64 {
  const slot = currentLinuxThread().valueSlot();
  store<u64>(slot, 0);
  if (!checkRange(userSource, 4)) return -EFAULT;
  return loadUser32(userSource, slot) == 0 ? 0 : -EFAULT;
}

/** The value read by this thread's last successful `load32` or `load64`. */
export function loadedValue(): u64 {
  return load<u64>(currentLinuxThread().valueSlot());
}

/** Changes 4 bytes of the application in one step; 0, -EAGAIN if they are not `expected`, -EFAULT. */
export function exchange32(address: usize, expected: u32, desired: u32): i64 {
  const slot = currentLinuxThread().valueSlot() + 8;
  if (!checkRange(address, 4)) return -EFAULT;
  if (compareExchangeUser32(address, expected, desired, slot) != 0) return -EFAULT;
  return load<u32>(slot) == expected ? 0 : -EAGAIN;
}

/** Writes 8 bytes to the application; 0 or -EFAULT. */
export function store64(userDestination: usize, value: u64): i64 {
  const slot = currentLinuxThread().valueSlot() + 8;
  store<u64>(slot, value);
  return copyOut(userDestination, slot, 8);
}

/** Writes 4 bytes to the application; 0 or -EFAULT. */
export function store32(userDestination: usize, value: u32): i64 {
  const slot = currentLinuxThread().valueSlot() + 8;
  store<u32>(slot, value);
  return copyOut(userDestination, slot, 4);
}

/** Writes 1 byte to the application; 0 or -EFAULT. */
export function store8(userDestination: usize, value: u8): i64 {
  const slot = currentLinuxThread().valueSlot() + 8;
  store<u8>(slot, value);
  return copyOut(userDestination, slot, 1);
}

/**
 * Memory of the running thread for the fixed-size structures of one system call (256 bytes).
 * Any other function of `kernel/linux` may use it too: read it out before calling one.
 */
export function scratch(): usize {
  return currentLinuxThread().scratchAddress();
}

/** Size of `scratch()` in bytes. */
export const SCRATCH_BYTES: usize = 256;
