/**
 * System V shared memory (shmget(2), shmop(2), shmctl(2)): segments are files in memory without a name,
 * and attaching one maps it.
 *
 * A segment lives until it is removed and nobody has it attached. Its pagers count the mappings: each
 * holds the segment, and is held by the mappings that one shmat made, also in forked processes.
 *
 * Neighbours: `ipc-table.ts`, `memory-calls.ts`, `fs/tmpfs/memory-file`.
 */
import { createMemoryVnode } from "../fs/tmpfs/memory-file";
import { truncateVnode } from "../fs/write-locks";
import { Vnode } from "../fs/vnode";
import { EINVAL, ENOMEM, ENOSPC, isError } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { PAGE_MASK, pageRoundUp, USER_END } from "../mm/layout";
import { kernelMemoryIsShort, memoryFileFrameCount } from "../fs/page-cache";
import { AddressSpace } from "../vm/address-space";
import {
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from "../vm/flags";
import { Pager } from "../vm/pager";
import { countMappings } from "../vm/unmap-content";
import { VMA_NEVER_WRITE } from "../vm/vma";
import {
  IPC_INFO,
  IPC_PRIVATE,
  IPC_RMID,
  IPC_SET,
  IPC_SLOTS,
  IPC_STAT,
  IpcObject,
  IpcTable,
  ipcLock,
  lookUpKey,
  nowSeconds,
  PERM_BYTES,
} from "./ipc-table";
import { currentProcess } from "./process";
import { copyIn, copyOut, scratch } from "./user-memory";

const SHM_HUGETLB: u32 = 0o4000;
const SHM_RDONLY: u32 = 0o10000;
const SHM_RND: u32 = 0o20000;
const SHM_REMAP: u32 = 0o40000;
const SHM_EXEC: u32 = 0o100000;
/** Bits of the mode: removed but attached, locked in memory. */
const SHM_DEST: u32 = 0o1000;
const SHM_LOCKED: u32 = 0o2000;

const SHM_LOCK: i32 = 11;
const SHM_UNLOCK: i32 = 12;
const SHM_STAT: i32 = 13;
const SHM_INFO: i32 = 14;
const SHM_STAT_ANY: i32 = 15;

/** struct shmid64_ds after the permissions. */
const SHMID_BYTES: usize = 112;
const SEGMENT_SIZE: usize = 48;
const ATTACHED_AT: usize = 56;
const DETACHED_AT: usize = 64;
const CHANGED_AT: usize = 72;
const CREATOR: usize = 80;
const LAST_USER: usize = 84;
const ATTACHMENTS: usize = 88;

/** struct shminfo: largest and smallest segment, number of segments, the same a process, pages. */
const SHMINFO_BYTES: usize = 72;
const SIZE_MAX: u64 = u64.MAX_VALUE - (1 << 24);

const table = new IpcTable();

class Segment extends IpcObject {
  attachedAt: i64 = 0;
  detachedAt: i64 = 0;
  creator: i32 = 0;
  lastUser: i32 = 0;
  /** It was removed, and goes when nobody has it attached any more. */
  isDoomed: bool = false;
  /** Pagers, and those about to make one; guarded by `ipcLock`. */
  holders: u32 = 0;

  constructor(
    readonly content: Vnode,
    readonly sizeBytes: u64,
  ) {
    super();
  }

  /** Gives a hold back; the last one of a removed segment frees it. May sleep. */
  letGo(): void {
    ipcLock.acquire();
    this.holders--;
    this.detachedAt = nowSeconds();
    const isLast = this.holders == 0 && this.isDoomed;
    if (isLast) table.remove(this);
    ipcLock.release();
    if (isLast) this.destroy();
  }

  destroy(): void {
    this.content.release();
    free(this);
  }
}

class SegmentPager extends Pager {
  /** Takes over one hold of the segment. */
  constructor(readonly segment: Segment) {
    super();
  }

  page(index: u64, forWrite: bool): i64 {
    return this.segment.content.pageForMapping(index, forWrite, true);
  }

  cachedPage(index: u64): u64 {
    return this.segment.content.pageInMemory(index, true);
  }

  sizeBytes(): u64 {
    return this.segment.sizeBytes;
  }

  contentKey(): usize {
    return changetype<usize>(this.segment.content);
  }

  inode(): u64 {
    return <u64>this.segment.id;
  }

  /** As in /proc/PID/maps of Linux: the key. */
  writePath(out: ByteWriter): void {
    out.writeString("/SYSV");
    const key = <u32>this.segment.key;
    for (let shift = 28; shift >= 0; shift -= 4) {
      const digit = <u8>((key >> shift) & 15);
      out.writeByte(digit < 10 ? 0x30 + digit : 0x57 + digit);
    }
    out.writeString(" (deleted)");
  }

  destroy(): void {
    const segment = this.segment;
    free(this);
    segment.letGo();
  }
}

/** shmget(2). */
export function sysShmget(key: i32, size: usize, flags: u32): i64 {
  if (!table.makeRoom()) return -ENOMEM;
  ipcLock.acquire();
  const found = lookUpKey(table, key, flags);
  let result = <i64>found;
  if (found != 0 && !isError(found)) {
    const segment = changetype<Segment>(found);
    result = size > segment.sizeBytes ? -EINVAL : <i64>segment.id;
  }
  ipcLock.release();
  return found == 0 ? makeSegment(key, size, flags) : result;
}

function makeSegment(key: i32, size: usize, flags: u32): i64 {
  if (size == 0 || size > USER_END || (flags & SHM_HUGETLB) != 0) return -EINVAL;
  if (kernelMemoryIsShort()) return -ENOMEM;
  const content = createMemoryVnode();
  const grown = truncateVnode(content, <u64>pageRoundUp(size));
  const segment = new Segment(content, size);
  segment.creator = currentProcess().id;
  ipcLock.acquire();
  // Somebody else may have made one with this key meanwhile.
  const found = grown == 0 ? lookUpKey(table, key, flags) : 0;
  let result: i64 = <i64>found;
  if (found == 0) result = grown == 0 && table.add(segment, key, flags) ? segment.id : -ENOSPC;
  else if (!isError(found)) result = changetype<IpcObject>(found).id;
  ipcLock.release();
  if (found != 0 || result < 0) segment.destroy();
  return result;
}

/** shmat(2): the address, -EINVAL, -EIDRM, -ENOMEM. */
export function sysShmat(id: i32, wanted: usize, flags: u32): i64 {
  let address = wanted;
  if ((address & PAGE_MASK) != 0) {
    if ((flags & SHM_RND) == 0) return -EINVAL;
    address &= ~PAGE_MASK;
    if (address == 0 && (flags & SHM_REMAP) != 0) return -EINVAL;
  }
  if (wanted == 0 && (flags & SHM_REMAP) != 0) return -EINVAL;
  ipcLock.acquire();
  const object = table.find(id);
  const segment = changetype<Segment>(changetype<usize>(object));
  if (object) {
    segment.holders++;
    segment.attachedAt = nowSeconds();
    segment.lastUser = currentProcess().id;
  }
  ipcLock.release();
  if (!object) return -EINVAL;
  const pager = new SegmentPager(segment);
  let mapFlags = MAP_SHARED;
  if (address != 0) mapFlags |= (flags & SHM_REMAP) != 0 ? MAP_FIXED : MAP_FIXED_NOREPLACE;
  let rights = PROT_READ;
  if ((flags & SHM_RDONLY) == 0) rights |= PROT_WRITE;
  else mapFlags |= VMA_NEVER_WRITE;
  if ((flags & SHM_EXEC) != 0) rights |= PROT_EXEC;
  const bytes = pageRoundUp(<usize>segment.sizeBytes);
  const result = currentProcess().addressSpace.map(address, bytes, rights, mapFlags, pager, 0);
  pager.release();
  // Something else is mapped there.
  return result < 0 && result != -ENOMEM ? -EINVAL : result;
}

/** shmdt(2): 0, or -EINVAL if no segment is attached at the address. */
export function sysShmdt(address: usize): i64 {
  if ((address & PAGE_MASK) != 0) return -EINVAL;
  const space = currentProcess().addressSpace;
  space.lock();
  const first = space.findVma(address);
  let pager: Pager | null = null;
  if (first && first.start == address && first.offset == 0) pager = first.pager;
  const isSegment = pager != null && pager instanceof SegmentPager;
  const bytes = pager && isSegment ? pageRoundUp(<usize>pager.sizeBytes()) : 0;
  if (pager && isSegment) pager.retain();
  space.unlock();
  if (!pager || !isSegment) return -EINVAL;
  detach(space, pager, address, bytes);
  const segment = (pager as SegmentPager).segment;
  segment.lastUser = currentProcess().id;
  pager.release();
  return 0;
}

/** Unmaps what of [address, address + bytes) still shows the segment: mprotect may have divided it. */
function detach(space: AddressSpace, pager: Pager, address: usize, bytes: usize): void {
  let at = address;
  while (at < address + bytes) {
    space.lock();
    const vma = space.findVma(at);
    let start: usize = 0;
    let end: usize = address + bytes;
    if (vma && vma.start < end) {
      const isPart = vma.pager == pager && <u64>(vma.start - address) == vma.offset;
      start = isPart ? vma.start : 0;
      end = vma.end;
    }
    space.unlock();
    if (start != 0) space.unmap(start, end - start);
    at = end;
  }
}

/** shmctl(2). */
export function sysShmctl(id: i32, command: i32, buffer: usize): i64 {
  if (id < 0 || command < 0) return -EINVAL;
  const isIndex = command == SHM_STAT || command == SHM_STAT_ANY;
  if (command == IPC_INFO) return shmInfo(buffer);
  if (command == SHM_INFO) return shmUsage(buffer);
  if (command == IPC_SET) {
    const error = copyIn(scratch(), buffer, PERM_BYTES);
    if (error != 0) return error;
  }
  ipcLock.acquire();
  const object: IpcObject | null = isIndex ? table.at(<u32>id) : table.find(id);
  if (!object) {
    ipcLock.release();
    return -EINVAL;
  }
  const segment = changetype<Segment>(changetype<usize>(object));
  let result: i64 = 0;
  let isFreed = false;
  switch (command) {
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
      segment.holders++;
      ipcLock.release();
      result = writeSegment(segment, buffer);
      if (result == 0 && isIndex) result = segment.id;
      ipcLock.acquire();
      segment.holders--;
      isFreed = segment.isDoomed && segment.holders == 0;
      break;
    case IPC_SET:
      segment.takePermissions(scratch());
      break;
    case IPC_RMID:
      // The key can be used anew at once; those who have it attached go on.
      segment.isDoomed = true;
      segment.key = IPC_PRIVATE;
      segment.mode |= SHM_DEST;
      isFreed = segment.holders == 0;
      break;
    case SHM_LOCK:
      segment.mode |= SHM_LOCKED;
      break;
    case SHM_UNLOCK:
      segment.mode &= ~SHM_LOCKED;
      break;
    default:
      result = -EINVAL;
  }
  if (isFreed) table.remove(segment);
  ipcLock.release();
  if (isFreed) segment.destroy();
  return result;
}

/** Copies struct shmid64_ds out. */
function writeSegment(segment: Segment, buffer: usize): i64 {
  const attachments = countMappings(changetype<usize>(segment.content));
  const out = scratch();
  memory.fill(out, 0, SHMID_BYTES);
  segment.writePermissions(out);
  store<u64>(out, segment.sizeBytes, SEGMENT_SIZE);
  store<i64>(out, segment.attachedAt, ATTACHED_AT);
  store<i64>(out, segment.detachedAt, DETACHED_AT);
  store<i64>(out, segment.changedAt, CHANGED_AT);
  store<i32>(out, segment.creator, CREATOR);
  store<i32>(out, segment.lastUser, LAST_USER);
  store<u64>(out, attachments, ATTACHMENTS);
  return copyOut(buffer, out, SHMID_BYTES);
}

function highestSlot(): i64 {
  return table.end == 0 ? 0 : <i64>table.end - 1;
}

function shmInfo(buffer: usize): i64 {
  const out = scratch();
  memory.fill(out, 0, SHMINFO_BYTES);
  store<u64>(out, SIZE_MAX);
  store<u64>(out, 1, 8);
  store<u64>(out, IPC_SLOTS, 16);
  store<u64>(out, IPC_SLOTS, 24);
  store<u64>(out, SIZE_MAX, 32);
  const error = copyOut(buffer, out, SHMINFO_BYTES);
  return error != 0 ? error : highestSlot();
}

/** struct shm_info: segments in use i32, pages in all, in memory and in swap u64. */
function shmUsage(buffer: usize): i64 {
  const out = scratch();
  let pages: u64 = 0;
  ipcLock.acquire();
  for (let slot: u32 = 0; slot < table.end; slot++) {
    const object = table.at(slot);
    if (object) pages += (changetype<Segment>(changetype<usize>(object)).sizeBytes + 4095) >> 12;
  }
  memory.fill(out, 0, 48);
  store<i32>(out, table.count);
  ipcLock.release();
  store<u64>(out, pages, 8);
  store<u64>(out, min(pages, memoryFileFrameCount()), 16);
  const error = copyOut(buffer, out, 48);
  return error != 0 ? error : highestSlot();
}
