/**
 * System calls on the address space (mmap(2) and relatives, brk(2)): they check arguments and find
 * the file; `vm/address-space` does the work.
 */
import { O_APPEND } from "../fs/constants";
import {
  EACCES,
  EBADF,
  EFAULT,
  EINVAL,
  ENOMEM,
  EOPNOTSUPP,
  EOVERFLOW,
  isError,
} from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { USER_END, pageRoundUp } from "../mm/layout";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MAP_SYNC,
  MAP_TYPE,
  PROT_WRITE,
} from "../vm/flags";
import { zeroPager } from "../fs/zero-pager";
import { Pager } from "../vm/pager";
import { drop, heldFile, hold } from "./held-file";
import { RLIMIT_AS, RLIMIT_DATA } from "./limits";
import { currentProcess } from "./process";
import { checkRange, copyOut } from "./user-memory";

const PAGE_MASK: usize = 4095;
const MS_ASYNC: u32 = 1;
const MS_INVALIDATE: u32 = 2;
const MS_SYNC: u32 = 4;
/** mincore(2) reports at most this many pages a step. */
const RESIDENCY_STEP: usize = 4096;

/** mmap(2). */
export function sysMmap(
  address: usize,
  length: usize,
  protection: u32,
  flags: u32,
  fd: i32,
  offset: u64,
): i64 {
  if (length == 0 || (offset & PAGE_MASK) != 0) return -EINVAL;
  if (length > USER_END) return -ENOMEM;
  const bytes = pageRoundUp(length);
  if (offset + bytes < offset) return -EOVERFLOW;
  const isFixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;
  if (isFixed && (address & PAGE_MASK) != 0) return -EINVAL;
  if (isFixed && !checkRange(address, bytes)) return -ENOMEM;
  const type = flags & MAP_TYPE;
  if (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE) return -EINVAL;
  if (exceedsLimit(bytes)) return -ENOMEM;
  const hint = address & ~PAGE_MASK;
  if ((flags & MAP_ANONYMOUS) != 0 && type != MAP_PRIVATE) {
    return mapSharedMemory(hint, bytes, protection, flags);
  }
  if ((flags & MAP_ANONYMOUS) != 0) {
    return currentProcess().addressSpace.map(hint, bytes, protection, flags, null, 0);
  }
  if (type == MAP_SHARED_VALIDATE && (flags & MAP_SYNC) != 0) return -EOPNOTSUPP;
  const held = hold(fd);
  if (held == 0) return -EBADF;
  const result = mapFile(held, hint, bytes, protection, flags, offset);
  drop(held);
  return result;
}

function mapFile(
  held: usize,
  hint: usize,
  bytes: usize,
  protection: u32,
  flags: u32,
  offset: u64,
): i64 {
  const file = heldFile(held);
  if (!file.isReadable) return -EACCES;
  const isShared = (flags & MAP_TYPE) != MAP_PRIVATE;
  if (isShared && (protection & PROT_WRITE) != 0) {
    if (!file.isWritable || (file.flags & O_APPEND) != 0) return -EACCES;
  }
  const pager = file.pager();
  if (isError(pager)) return <i64>pager;
  const source = changetype<Pager>(pager);
  const space = currentProcess().addressSpace;
  const result = space.map(hint, bytes, protection, flags, source, offset);
  source.release();
  return result;
}

/** Memory shared with the processes forked from this one: its pages belong to a file without name. */
function mapSharedMemory(hint: usize, bytes: usize, protection: u32, flags: u32): i64 {
  const pager = zeroPager();
  if (isError(pager)) return <i64>pager;
  const source = changetype<Pager>(pager);
  const kept = flags & ~MAP_ANONYMOUS;
  const result = currentProcess().addressSpace.map(hint, bytes, protection, kept, source, 0);
  source.release();
  return result;
}

function exceedsLimit(bytes: usize): bool {
  const process = currentProcess();
  const limit = process.limits.softLimit(RLIMIT_AS);
  return bytes > limit || process.addressSpace.mappedBytes() > limit - bytes;
}

/** munmap(2). */
export function sysMunmap(address: usize, length: usize): i64 {
  if ((address & PAGE_MASK) != 0 || length == 0) return -EINVAL;
  if (!checkRange(address, length)) return -EINVAL;
  return currentProcess().addressSpace.unmap(address, pageRoundUp(length));
}

/** mprotect(2). */
export function sysMprotect(address: usize, length: usize, protection: u32): i64 {
  if ((address & PAGE_MASK) != 0) return -EINVAL;
  if (length == 0) return 0;
  if (!checkRange(address, length)) return -ENOMEM;
  return currentProcess().addressSpace.protect(address, pageRoundUp(length), protection);
}

/** mremap(2). */
export function sysMremap(
  address: usize,
  oldLength: usize,
  newLength: usize,
  flags: u32,
  newAddress: usize,
): i64 {
  if ((address & PAGE_MASK) != 0 || newLength == 0) return -EINVAL;
  if (newLength > USER_END || !checkRange(address, oldLength)) return -EINVAL;
  const oldBytes = pageRoundUp(oldLength);
  const newBytes = pageRoundUp(newLength);
  if (newBytes > oldBytes && exceedsLimit(newBytes - oldBytes)) return -ENOMEM;
  const space = currentProcess().addressSpace;
  return space.remap(address, oldBytes, newBytes, flags, newAddress);
}

/**
 * remap_file_pages(2): shows another part of a shared file mapping in its place. As in Linux since 4.0,
 * that is a new mapping of the same file.
 */
export function sysRemapFilePages(
  address: usize,
  length: usize,
  protection: u32,
  pageOffset: usize,
  _flags: u32,
): i64 {
  const start = address & ~PAGE_MASK;
  const bytes = length & ~PAGE_MASK;
  if (protection != 0 || bytes == 0 || !checkRange(start, bytes)) return -EINVAL;
  const offset = (<u64>pageOffset) << 12;
  if (offset >> 12 != <u64>pageOffset || offset + bytes < offset) return -EINVAL;
  const space = currentProcess().addressSpace;
  space.lock();
  const vma = space.findVma(start);
  const found = vma != null && vma.start <= start && vma.end >= start + bytes && vma.isShared;
  const pager: Pager | null = vma && found ? vma.pager : null;
  const prot: u32 = vma ? vma.prot : 0;
  const flags: u32 = vma ? vma.flags : 0;
  if (pager) pager.retain();
  space.unlock();
  if (!pager) return -EINVAL;
  const result = space.map(start, bytes, prot, flags | MAP_FIXED, pager, offset);
  pager.release();
  return result < 0 ? result : 0;
}

/** madvise(2). */
export function sysMadvise(address: usize, length: usize, advice: i32): i64 {
  if ((address & PAGE_MASK) != 0) return -EINVAL;
  if (length == 0) return 0;
  if (!checkRange(address, length)) return -ENOMEM;
  return currentProcess().addressSpace.advise(address, pageRoundUp(length), advice);
}

/** brk(2) as the kernel has it: returns the new break, or the old one if it cannot be moved. */
export function sysBrk(address: usize): i64 {
  const process = currentProcess();
  const space = process.addressSpace;
  const current = space.brk(0);
  if (address <= current) return address == 0 ? <i64>current : <i64>space.brk(address);
  if (address >= USER_END || exceedsLimit(address - current)) return <i64>current;
  const dataLimit = process.limits.softLimit(RLIMIT_DATA);
  if (address - current > dataLimit) return <i64>current;
  return <i64>space.brk(address);
}

/** msync(2). */
export function sysMsync(address: usize, length: usize, flags: u32): i64 {
  if ((address & PAGE_MASK) != 0) return -EINVAL;
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) != 0) return -EINVAL;
  if ((flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC)) return -EINVAL;
  if (length == 0) return 0;
  if (!checkRange(address, length)) return -ENOMEM;
  return currentProcess().addressSpace.sync(address, pageRoundUp(length), flags);
}

/** mincore(2). */
export function sysMincore(address: usize, length: usize, vector: usize): i64 {
  if ((address & PAGE_MASK) != 0) return -EINVAL;
  if (!checkRange(address, length)) return -ENOMEM;
  const pages = pageRoundUp(length) >> 12;
  if (!checkRange(vector, pages)) return -EFAULT;
  const buffer = heapAllocate(RESIDENCY_STEP);
  if (buffer == 0) return -ENOMEM;
  const space = currentProcess().addressSpace;
  let error: i64 = 0;
  for (let done: usize = 0; done < pages && error == 0; done += RESIDENCY_STEP) {
    const step = min(pages - done, RESIDENCY_STEP);
    error = space.residency(address + (done << 12), step << 12, buffer);
    if (error == 0) error = copyOut(vector + done, buffer, step);
  }
  heapFree(buffer);
  return error;
}

/** mlock(2): nothing is ever paged out, so only the range is checked. */
export function sysMlock(address: usize, length: usize): i64 {
  return checkRange(address, length) ? 0 : -ENOMEM;
}

/** mlock2(2); MLOCK_ONFAULT is 1. */
export function sysMlock2(address: usize, length: usize, flags: u32): i64 {
  return flags > 1 ? -EINVAL : sysMlock(address, length);
}

/** munlock(2). */
export function sysMunlock(address: usize, length: usize): i64 {
  return checkRange(address, length) ? 0 : -ENOMEM;
}

/** mlockall(2): MCL_CURRENT 1, MCL_FUTURE 2, MCL_ONFAULT 4. */
export function sysMlockall(flags: u32): i64 {
  return flags == 0 || flags > 7 || flags == 4 ? -EINVAL : 0;
}

/** munlockall(2). */
export function sysMunlockall(): i64 {
  return 0;
}
