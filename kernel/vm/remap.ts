/**
 * mremap(2): growing, shrinking and moving a mapping without copying. Lock: the address space's.
 */
import { EFAULT, EINVAL, ENOMEM } from "../lib/errno";
import { beginGather, finishGather } from "../mm/gather";
import { PAGE_MASK, pageRoundUp, USER_END } from "../mm/layout";
import { movePages, prepareMove } from "../mm/protect-tables";
import { AddressSpace } from "./address-space";
import { MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from "./flags";
import { findPlace, insert, isFree, MIN_ADDRESS } from "./map";
import { join, splitAt } from "./split";
import { isUserRange, removeRange } from "./unmap";
import { createVma, Vma } from "./vma";

const MREMAP_ALL: u32 = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;

/** mremap(2): see `AddressSpace.remap`. */
export function remapRange(
  space: AddressSpace,
  address: usize,
  oldLength: usize,
  newLength: usize,
  flags: u32,
  newAddress: usize,
): i64 {
  if (flags & ~MREMAP_ALL || newLength == 0 || newLength > USER_END) return -EINVAL;
  if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE)) return -EINVAL;
  if (oldLength > USER_END || address & PAGE_MASK) return -EINVAL;
  const oldBytes = pageRoundUp(oldLength);
  const newBytes = pageRoundUp(newLength);
  if (flags & MREMAP_DONTUNMAP && oldBytes != newBytes) return -EINVAL;
  if (!isUserRange(address, oldBytes)) return -EINVAL;
  const isFixed = (flags & MREMAP_FIXED) != 0;
  if (isFixed) {
    if (newAddress & PAGE_MASK || !isUserRange(newAddress, newBytes)) return -EINVAL;
    if (newAddress < MIN_ADDRESS) return -EINVAL;
    if (newAddress < address + oldBytes && address < newAddress + newBytes) return -EINVAL;
  }
  if (oldBytes == 0) return duplicate(space, address, newBytes, flags, newAddress);
  const keepsPlace = !isFixed && !(flags & MREMAP_DONTUNMAP);
  if (keepsPlace && newBytes <= oldBytes) {
    if (!find(space, address, newBytes)) return -EFAULT;
    if (newBytes == oldBytes) return <i64>address;
    const error = removeRange(space, address + newBytes, address + oldBytes);
    return error ? error : <i64>address;
  }
  const vma = find(space, address, min(oldBytes, newBytes));
  if (!vma || (newBytes > oldBytes && vma.end < address + oldBytes)) return -EFAULT;
  if (keepsPlace && vma.end == address + oldBytes && canGrow(space, vma, newBytes - oldBytes)) {
    space.mapped += <u64>(newBytes - oldBytes);
    space.tree.resize(vma, vma.start, address + newBytes);
    join(space, vma);
    return <i64>address;
  }
  if (!(flags & MREMAP_MAYMOVE)) return -ENOMEM;
  if (isFixed) {
    const error = removeRange(space, newAddress, newAddress + newBytes);
    if (error) return error;
  }
  return move(space, address, oldBytes, newBytes, flags, newAddress);
}

/** The mapping that contains all of [start, start + bytes), or null. */
function find(space: AddressSpace, start: usize, bytes: usize): Vma | null {
  const vma = space.tree.find(start);
  return vma && vma.start <= start && vma.end >= start + bytes ? vma : null;
}

function canGrow(space: AddressSpace, vma: Vma, bytes: usize): bool {
  return isUserRange(vma.end, bytes) && isFree(space, vma.end, bytes);
}

/** Moves [address, address + oldBytes), cut or lengthened to `newBytes`, elsewhere. */
function move(
  space: AddressSpace,
  address: usize,
  oldBytes: usize,
  newBytes: usize,
  flags: u32,
  newAddress: usize,
): i64 {
  if (newBytes < oldBytes) {
    const error = removeRange(space, address + newBytes, address + oldBytes);
    if (error) return error;
  }
  const moved = min(oldBytes, newBytes);
  if (!splitAt(space, address, address + moved)) return -ENOMEM;
  const source = find(space, address, moved);
  if (!source) return -EFAULT;
  const pager = source.pager;
  const place = flags & MREMAP_FIXED ? <i64>newAddress : findPlace(space, newBytes, pager != null);
  if (place < 0) return place;
  const target = <usize>place;
  const copy = createVma(
    target,
    target + newBytes,
    source.prot,
    source.flags,
    pager,
    source.offset,
  );
  if (!copy) return -ENOMEM;
  insert(space, copy);
  if (!prepareMove(space.root, address, target, moved)) {
    removeRange(space, target, target + newBytes);
    return -ENOMEM;
  }
  const gather = space.gather;
  beginGather(gather, address, address + moved);
  movePages(gather, address, target, moved);
  finishGather(gather);
  if (flags & MREMAP_DONTUNMAP) join(space, source);
  else removeRange(space, address, address + moved);
  return place;
}

/** Old length 0: a second mapping of the same pages of a file. */
function duplicate(
  space: AddressSpace,
  address: usize,
  bytes: usize,
  flags: u32,
  newAddress: usize,
): i64 {
  const vma = space.tree.find(address);
  if (!vma || vma.start > address) return -EFAULT;
  if (!(flags & MREMAP_MAYMOVE) || !vma.isShared || !vma.pager) return -EINVAL;
  let place = <i64>newAddress;
  if (flags & MREMAP_FIXED) {
    const error = removeRange(space, newAddress, newAddress + bytes);
    if (error) return error;
  } else place = findPlace(space, bytes, true);
  if (place < 0) return place;
  const start = <usize>place;
  // The tree may have changed: the mapping is looked up again.
  const source = space.tree.find(address);
  if (!source || source.start > address) return -EFAULT;
  const offset = source.offset + <u64>(address - source.start);
  const copy = createVma(start, start + bytes, source.prot, source.flags, source.pager, offset);
  if (!copy) return -ENOMEM;
  insert(space, copy);
  return place;
}
