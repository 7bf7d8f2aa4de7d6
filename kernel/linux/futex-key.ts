/**
 * What identifies a futex: for one process's own memory its address, for shared memory the file and
 * the offset in it, so that mappings at different addresses meet (futex(2), FUTEX_PRIVATE_FLAG).
 *
 * Neighbours: `futex-table.ts`.
 */
import { EFAULT, EINVAL } from "../lib/errno";
import { MAP_SHARED } from "../vm/flags";
import { LinuxProcess } from "./process";
import { checkRange } from "./user-memory";

/** A futex's identity; `owner` is the address of an AddressSpace or the content key of a Pager. */
export class FutexKey {
  owner: usize = 0;
  address: usize = 0;
}

/**
 * Finds the key of the futex at `address`.
 * @param isPrivate the program promises that only its own threads use it
 * @returns 0, -EINVAL (not aligned to 4), -EFAULT (not a user address, or nothing is mapped there)
 */
export function futexKey(
  process: LinuxProcess,
  address: usize,
  isPrivate: bool,
  out: FutexKey,
): i64 {
  if ((address & 3) != 0) return -EINVAL;
  if (!checkRange(address, 4)) return -EFAULT;
  const space = process.addressSpace;
  out.owner = changetype<usize>(space);
  out.address = address;
  if (isPrivate) return 0;
  space.lock();
  let vma = space.findVma(address);
  if (vma && (vma.start > address || vma.prot == 0)) vma = null;
  if (vma && (vma.flags & MAP_SHARED) != 0) {
    const pager = vma.pager;
    if (pager) {
      // The offset is whole pages, so the address stays a multiple of 4.
      out.owner = pager.contentKey();
      out.address = <usize>vma.offset + (address - vma.start);
    }
  }
  space.unlock();
  return vma ? 0 : -EFAULT;
}
