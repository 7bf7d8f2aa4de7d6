/**
 * mmap(2): choosing a place and making the mapping. Lock: the address space's.
 */
import { EACCES, EEXIST, EINVAL, ENOMEM, EPERM } from "../lib/errno";
import { totalFrameCount } from "../mm/frames";
import {
  HUGE_PAGE_MASK,
  HUGE_PAGE_SIZE,
  PAGE_MASK,
  PAGE_SHIFT,
  pageRoundUp,
  USER_END,
} from "../mm/layout";
import { AddressSpace } from "./address-space";
import { populate } from "./fault";
import {
  MAP_32BIT,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MAP_STACK,
  MAP_TYPE,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from "./flags";
import { Pager } from "./pager";
import { absorb, join, MAX_MAPPINGS } from "./split";
import { isUserRange, removeRange } from "./unmap";
import { createVma, Vma, VMA_FLAGS, VMA_NEVER_WRITE, VMA_NO_HUGE } from "./vma";

/** Nothing is mapped below (Linux: vm.mmap_min_addr), so that null pointers fault. */
export const MIN_ADDRESS: usize = 65536;
/** MAP_32BIT: the second gigabyte. */
const LOW_START: usize = 0x40000000;
const LOW_END: usize = 0x80000000;
/**
 * One mapping may exceed memory by this much; more is refused at once, as Linux refuses obvious
 * overcommitment, unless the application asks for address space only (MAP_NORESERVE, PROT_NONE).
 */
const OVERCOMMIT_BYTES: u64 = 256 << 20;

/** mmap(2): the address or a negative errno; see `AddressSpace.map`. */
export function mapRange(
  space: AddressSpace,
  address: usize,
  length: usize,
  prot: u32,
  flags: u32,
  pager: Pager | null,
  offset: u64,
): i64 {
  if (length == 0 || (offset & <u64>PAGE_MASK) != 0) return -EINVAL;
  if (length > USER_END) return -ENOMEM;
  const bytes = pageRoundUp(length);
  const rights = prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
  let kept = flags & VMA_FLAGS & ~(MAP_SHARED | MAP_PRIVATE);
  const type = flags & MAP_TYPE;
  if (type == MAP_PRIVATE) kept |= MAP_PRIVATE;
  else if (type == MAP_SHARED || type == MAP_SHARED_VALIDATE) kept |= MAP_SHARED;
  else return -EINVAL;
  if (kept & VMA_NEVER_WRITE && rights & PROT_WRITE) return -EACCES;
  if (flags & MAP_STACK) kept |= VMA_NO_HUGE;
  if (isTooMuch(bytes, rights, flags, pager)) return -ENOMEM;
  if (space.tree.length >= MAX_MAPPINGS) return -ENOMEM;
  const place = choosePlace(space, address, bytes, flags, pager);
  if (place < 0) return place;
  const start = <usize>place;
  if (absorb(space, start, start + bytes, rights, kept, pager, offset)) {
    space.mapped += <u64>bytes;
  } else {
    const vma = createVma(start, start + bytes, rights, kept, pager, pager ? offset : 0);
    if (!vma) return -ENOMEM;
    // Nothing to join with: `absorb` looked.
    space.mapped += <u64>bytes;
    space.tree.add(vma);
  }
  if (flags & (MAP_POPULATE | MAP_LOCKED) && !(flags & MAP_NONBLOCK) && rights != 0) {
    space.unlock();
    // Failure to fill in advance is no error (mmap(2)).
    populate(space, start, start + bytes, kept & MAP_PRIVATE ? (rights & PROT_WRITE) != 0 : false);
    space.lock();
  }
  return place;
}

/** Adds a mapping of an empty range, joined with its neighbours where possible. */
export function insert(space: AddressSpace, vma: Vma): void {
  space.mapped += <u64>vma.length;
  space.tree.add(vma);
  join(space, vma);
}

/** An unmapped range of `bytes` bytes: its start, or -ENOMEM. */
export function findPlace(space: AddressSpace, bytes: usize, hasPager: bool): i64 {
  // Large anonymous areas begin where a 2 MiB page can begin.
  if (!hasPager && bytes >= HUGE_PAGE_SIZE) {
    const room = space.tree.findRoom(bytes + HUGE_PAGE_SIZE, MIN_ADDRESS, space.mmapTop);
    if (room) {
      const end = room + bytes + HUGE_PAGE_SIZE;
      return <i64>((end - bytes) & ~HUGE_PAGE_MASK);
    }
  }
  let room = space.tree.findRoom(bytes, MIN_ADDRESS, space.mmapTop);
  if (!room) room = space.tree.findRoom(bytes, MIN_ADDRESS, USER_END);
  return room ? <i64>room : -ENOMEM;
}

/** Start of the range for a new mapping, unmapped by then, or a negative errno. */
function choosePlace(
  space: AddressSpace,
  address: usize,
  bytes: usize,
  flags: u32,
  pager: Pager | null,
): i64 {
  if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
    if (address & PAGE_MASK) return -EINVAL;
    if (!isUserRange(address, bytes)) return -ENOMEM;
    if (address < MIN_ADDRESS) return -EPERM;
    if (flags & MAP_FIXED_NOREPLACE) return isFree(space, address, bytes) ? <i64>address : -EEXIST;
    const error = removeRange(space, address, address + bytes);
    return error ? error : <i64>address;
  }
  const hint = address & ~PAGE_MASK;
  if (hint >= MIN_ADDRESS && isUserRange(hint, bytes) && isFree(space, hint, bytes)) {
    return <i64>hint;
  }
  if (flags & MAP_32BIT) {
    const room = space.tree.findRoom(bytes, LOW_START, LOW_END);
    return room ? <i64>room : -ENOMEM;
  }
  return findPlace(space, bytes, pager != null);
}

/** True if nothing is mapped in [start, start + bytes). */
export function isFree(space: AddressSpace, start: usize, bytes: usize): bool {
  const vma = space.tree.find(start);
  return !vma || vma.start >= start + bytes;
}

function isTooMuch(bytes: usize, rights: u32, flags: u32, pager: Pager | null): bool {
  if (!(rights & PROT_WRITE) || flags & MAP_NORESERVE) return false;
  if (pager && flags & MAP_SHARED) return false;
  return <u64>bytes > (totalFrameCount() << PAGE_SHIFT) + OVERCOMMIT_BYTES;
}
