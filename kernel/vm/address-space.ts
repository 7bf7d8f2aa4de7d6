/**
 * An address space: the mappings of a process and the page tables that realise them.
 *
 * Methods take and release the lock around the work in the files beside this one: `map`, `unmap`,
 * `protect`, `remap`, `advise`, `break`, `fault`. Ranges are whole pages of user addresses; results
 * are addresses or 0, or a negative errno.
 *
 * Lock: `guard` protects everything in here and the application's half of the tables.
 */
import { free } from "../lib/object";
import { beginGather, createGather, finishGather, FrameGather, freeGather } from "../mm/gather";
import { isMemoryShort } from "../mm/frames";
import { USER_END } from "../mm/layout";
import { createRoot, freeRoot, isUserHalfEmpty } from "../mm/pagetable";
import { leaveEverywhere } from "../mm/tlb";
import { unmapPages } from "../mm/user-tables";
import { adviseRange } from "./advise";
import { moveBreak } from "./break";
import { handleFaultIn } from "./fault";
import { findPlace, mapRange } from "./map";
import { Pager } from "./pager";
import { protectRange } from "./protect";
import { randomMmapTop } from "./random-layout";
import { enlist, unlist } from "./relieve";
import { remapRange } from "./remap";
import { residencyOf, syncRange } from "./residency";
import { SpaceLock } from "./space-lock";
import { unmapRange } from "./unmap";
import { destroyVma, Vma } from "./vma";
import { VmaTree } from "./vma-tree";

export * from "./flags";
export { Vma } from "./vma";

/** One past the last address that the application's half of a root table covers. */
const TABLES_END: usize = 1 << 47;
const DEFAULT_STACK_BYTES: usize = 8 << 20;

export class AddressSpace {
  /** Links of the list of all spaces (`relieve`). */
  listNext: usize = 0;
  listPrevious: usize = 0;
  readonly tree: VmaTree = new VmaTree();
  private guard: SpaceLock = new SpaceLock();
  /** The mapping of the latest fault; null after any change of the tree. */
  recent: Vma | null = null;
  /** New mappings are placed below this address. */
  mmapTop: usize = randomMmapTop();
  /** How far a mapping with MAP_GROWSDOWN may grow (RLIMIT_STACK), bytes. */
  stackLimitBytes: usize = DEFAULT_STACK_BYTES;
  /** The heap of brk(2). */
  breakStart: usize = 0;
  breakEnd: usize = 0;
  /** Bytes in all mappings. */
  mapped: u64 = 0;
  /** Pages (4 KiB) mapped now. */
  resident: u64 = 0;
  /** Largest `resident` so far. */
  residentPeak: u64 = 0;
  /** The page that a fault waits for (`fault`); valid until the lock is released. */
  wantedPager: Pager | null = null;
  wantedIndex: u64 = 0;
  wantedForWrite: bool = false;
  /** Faults that needed nothing from outside, and those that waited for a file. */
  minorFaults: u64 = 0;
  majorFaults: u64 = 0;
  /** PR_SET_THP_DISABLE: nothing is mapped in pages of 2 MiB. */
  hasSmallPagesOnly: bool = false;
  /** Processes that use the space: more than one between vfork(2) and execve(2). */
  private users: u32 = 1;

  /**
   * @param root physical address of the root table: value of CR3
   * @param gather owned
   */
  constructor(
    public root: u64,
    readonly gather: FrameGather,
  ) {}

  /** A space without mappings; null if there is no memory. */
  static create(): AddressSpace | null {
    if (isMemoryShort()) return null;
    const root = createRoot();
    if (!root) return null;
    const gather = createGather(root);
    if (!gather) {
      freeRoot(root);
      return null;
    }
    const space = new AddressSpace(root, gather);
    enlist(space);
    return space;
  }

  /**
   * mmap(2). `flags` may contain VMA_NEVER_WRITE.
   * @param address hint, or with MAP_FIXED the address itself
   * @param length bytes, rounded up to whole pages
   * @param pager takes a reference; null with MAP_ANONYMOUS
   * @param offset in the file, a multiple of the page size
   * @returns the address, or -EINVAL, -ENOMEM, -EEXIST, -EPERM, -EACCES
   */
  map(address: usize, length: usize, prot: u32, flags: u32, pager: Pager | null, offset: u64): i64 {
    this.lock();
    const result = mapRange(this, address, length, prot, flags, pager, offset);
    this.unlock();
    return result;
  }

  /** Room for `bytes` bytes of a file, its own as long as only the caller maps, or -ENOMEM. */
  findPlace(bytes: usize): i64 {
    this.lock();
    const place = findPlace(this, bytes, true);
    this.unlock();
    return place;
  }

  /** munmap(2): 0, -EINVAL, or -ENOMEM if a mapping cannot be divided. */
  unmap(address: usize, length: usize): i64 {
    this.lock();
    const result = unmapRange(this, address, length);
    this.unlock();
    return result;
  }

  /** mprotect(2): 0, -EINVAL, -ENOMEM (also if a part is not mapped), -EACCES. */
  protect(address: usize, length: usize, prot: u32): i64 {
    this.lock();
    const result = protectRange(this, address, length, prot);
    this.unlock();
    return result;
  }

  /** mremap(2): the new address, or -EINVAL, -EFAULT, -ENOMEM. */
  remap(address: usize, oldLength: usize, newLength: usize, flags: u32, newAddress: usize): i64 {
    this.lock();
    const result = remapRange(this, address, oldLength, newLength, flags, newAddress);
    this.unlock();
    return result;
  }

  /** madvise(2): 0, -EINVAL, -ENOMEM (a part is not mapped), -EFAULT. */
  advise(address: usize, length: usize, advice: i32): i64 {
    return adviseRange(this, address, length, advice);
  }

  /** msync(2): 0, or -ENOMEM if a part is not mapped. */
  sync(address: usize, length: usize, flags: u32): i64 {
    return syncRange(this, address, length, flags);
  }

  /** mincore(2): one byte a page to `out` (kernel memory); 0 or -ENOMEM. */
  residency(address: usize, length: usize, out: usize): i64 {
    this.lock();
    const result = residencyOf(this, address, length, out);
    this.unlock();
    return result;
  }

  /** Where the heap of brk(2) begins; set by exec. */
  setBreakStart(address: usize): void {
    this.breakStart = address;
    this.breakEnd = address;
  }

  /** brk(2): returns the new break, or the unchanged one if it cannot be moved. */
  brk(newBreak: usize): usize {
    this.lock();
    const result = moveBreak(this, newBreak);
    this.unlock();
    return result;
  }

  /** Resolves a page fault; may sleep. @returns FAULT_RESOLVED or another FAULT_ value */
  handleFault(address: usize, write: bool, execute: bool, _user: bool): i32 {
    return handleFaultIn(this, address, write, execute);
  }

  /** The mapping that contains the address, or the next above it, or null. Hold the lock. */
  findVma(address: usize): Vma | null {
    return this.tree.find(address);
  }

  /** The mapping after this one. Hold the lock. */
  nextVma(vma: Vma): Vma | null {
    return this.tree.next(vma);
  }

  /** Locks the space against changes (sleeps). Do not touch application memory meanwhile. */
  lock(): void {
    this.guard.lock();
  }

  tryLock(): bool {
    return this.guard.tryLock();
  }

  unlock(): void {
    this.guard.unlock();
  }

  /** Resident pages of 4 KiB. */
  residentPages(): u64 {
    return this.resident;
  }

  /** Most resident pages there ever were. */
  peakResidentPages(): u64 {
    return max(this.resident, this.residentPeak);
  }

  /** Mapped bytes. */
  mappedBytes(): u64 {
    return this.mapped;
  }

  /** One more process uses the space. */
  retain(): void {
    atomic.add<u32>(changetype<usize>(this) + offsetof<AddressSpace>("users"), 1);
  }

  /** As `retain`, unless nobody uses the space any more and it is being destroyed. */
  retainIfUsed(): bool {
    const slot = changetype<usize>(this) + offsetof<AddressSpace>("users");
    let seen = atomic.load<u32>(slot);
    while (seen != 0) {
      const before = atomic.cmpxchg<u32>(slot, seen, seen + 1);
      if (before == seen) return true;
      seen = before;
    }
    return false;
  }

  /** One process less uses the space; the last one destroys it. May sleep. */
  release(): void {
    const slot = changetype<usize>(this) + offsetof<AddressSpace>("users");
    if (atomic.sub<u32>(slot, 1) == 1) this.destroy();
  }

  /** Unmaps everything and frees the space. No thread may be using it. */
  destroy(): void {
    unlist(this);
    // Idle processors keep the tables they used last: they load others now.
    leaveEverywhere(this.root);
    this.lock();
    this.recent = null;
    const gather = this.gather;
    const tree = this.tree;
    gather.quiet = true;
    beginGather(gather, 0, USER_END);
    // Mapping by mapping, so that the empty parts of the tables are not looked at. What lies below a
    // mapping is gone already, hence its tables go up to the next mapping.
    let vma = tree.first;
    while (vma) {
      const next = tree.next(vma);
      unmapPages(gather, vma.start, vma.end, 0, next ? next.start : TABLES_END);
      vma = next;
    }
    finishGather(gather);
    for (vma = tree.first; vma; vma = tree.first) {
      tree.remove(vma);
      destroyVma(vma);
    }
    assert(isUserHalfEmpty(this.root), "page tables outlived the mappings they were for");
    this.unlock();
    freeGather(gather);
    freeRoot(this.root);
    this.guard.dispose();
    free(this.guard);
    free(this.tree);
    free(this);
  }
}
