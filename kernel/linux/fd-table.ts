/**
 * The table of open files of a process: file descriptor number to open file description (`File`)
 * and the descriptor's close-on-exec flag.
 *
 *     slots:  +--------------------------------+---+---+     file = 0, R = 0: free
 *             | address of the File, 16-aligned| R | C |     R: reserved, the call that will fill
 *             +--------------------------------+---+---+        it is under way
 *     used:   one bit a slot, 1 = not free                  C: FD_CLOEXEC
 *
 * The table owns one reference to each of its files. `lock` guards everything; it is never held
 * while a file is released, because that may sleep.
 *
 * Neighbours: `held-file.ts` (how system calls borrow a file), `fs/file.ts`.
 */
import { SpinLock } from "../arch/spinlock";
import { File } from "../fs/file";
import { EBADF, EBUSY, EMFILE, ENOMEM } from "../lib/errno";
import { Counted, free } from "../lib/object";
import { heapAllocate, heapFree } from "../mm/heap";

/** Descriptor flag: execve(2) closes the descriptor (fcntl(2)). */
export const FD_CLOEXEC: u32 = 1;

/** Highest RLIMIT_NOFILE that may be set (Linux's default for fs.nr_open). */
export const FD_MAXIMUM: u32 = 1 << 20;

const SLOT_CLOEXEC: usize = 1;
const SLOT_RESERVED: usize = 2;
const SLOT_FLAGS: usize = 15;
const FIRST_CAPACITY: u32 = 64;

/** The file in a slot; null if the slot is free or reserved. */
function slotFile(slot: usize): File | null {
  return changetype<File | null>(slot & ~SLOT_FLAGS);
}

export class FdTable extends Counted {
  private lock: SpinLock = new SpinLock();
  private slots: usize = 0;
  private used: usize = 0;
  /** Slots; a power of two, at least 64, or 0 before the first allocation. */
  private capacity: u32 = 0;
  /** Every descriptor below this one is in use. */
  private lowestFree: u32 = 0;
  private openCount: u32 = 0;

  /**
   * The file of `fd` with a reference taken for the caller, or null (EBADF).
   */
  get(fd: i32): File | null {
    this.lock.acquire();
    const file = this.peek(fd);
    if (file) file.retain();
    this.lock.release();
    return file;
  }

  /**
   * The file of `fd` without a reference. Only for a table that nobody else can change before the
   * caller is done with the file: see `held-file.ts`.
   */
  peek(fd: i32): File | null {
    if (<u32>fd >= this.capacity) return null;
    return slotFile(load<usize>(this.slotAddress(<u32>fd)));
  }

  /**
   * Takes the lowest free descriptor that is at least `minimum`, for `fill` or `cancel`.
   * @param limit RLIMIT_NOFILE: descriptors stay below it
   * @returns the descriptor, -EMFILE or -ENOMEM
   */
  reserve(minimum: u32, limit: u32): i32 {
    this.lock.acquire();
    const fd = this.reserveLocked(minimum, limit);
    this.lock.release();
    return fd;
  }

  /** Puts `file` into a reserved descriptor; the table takes over the caller's reference. */
  fill(fd: i32, file: File, descriptorFlags: u32): void {
    this.lock.acquire();
    const address = this.slotAddress(<u32>fd);
    assert(load<usize>(address) == SLOT_RESERVED, "fill of a descriptor that is not reserved");
    store<usize>(address, changetype<usize>(file) | (descriptorFlags & FD_CLOEXEC));
    this.openCount++;
    this.lock.release();
  }

  /** Gives a reserved descriptor back. */
  cancel(fd: i32): void {
    this.lock.acquire();
    assert(load<usize>(this.slotAddress(<u32>fd)) == SLOT_RESERVED, "cancel without reserve");
    this.clearSlot(<u32>fd);
    this.lock.release();
  }

  /**
   * `reserve` and `fill` in one: gives `file` the lowest free descriptor from `minimum`.
   * @returns the descriptor (the table has taken over the reference), -EMFILE or -ENOMEM
   *   (the reference is still the caller's)
   */
  install(file: File, minimum: u32, limit: u32, descriptorFlags: u32): i32 {
    this.lock.acquire();
    const fd = this.reserveLocked(minimum, limit);
    if (fd >= 0) {
      store<usize>(
        this.slotAddress(<u32>fd),
        changetype<usize>(file) | (descriptorFlags & FD_CLOEXEC),
      );
      this.openCount++;
    }
    this.lock.release();
    return fd;
  }

  /**
   * Makes `fd` refer to `file` (dup2(2)); the table takes over the caller's reference.
   * @param limit RLIMIT_NOFILE
   * @returns the address of the file that was there before (its reference is now the caller's),
   *   0 if there was none, or -EBADF (above the limit), -EBUSY (open(2) is just about to fill it)
   *   or -ENOMEM as in `asError`; after an error the reference is still the caller's
   */
  replace(fd: i32, file: File, limit: u32, descriptorFlags: u32): usize {
    if (<u32>fd >= limit) return <usize>-EBADF;
    this.lock.acquire();
    if (<u32>fd >= this.capacity && !this.grow(<u32>fd)) {
      this.lock.release();
      return <usize>-ENOMEM;
    }
    const address = this.slotAddress(<u32>fd);
    const before = load<usize>(address);
    if (before == SLOT_RESERVED) {
      this.lock.release();
      return <usize>-EBUSY;
    }
    store<usize>(address, changetype<usize>(file) | (descriptorFlags & FD_CLOEXEC));
    if (before == 0) {
      this.markUsed(<u32>fd);
      this.openCount++;
    }
    this.lock.release();
    return before & ~SLOT_FLAGS;
  }

  /** Takes the file out of `fd`; its reference is then the caller's. Null if `fd` is not open. */
  remove(fd: i32): File | null {
    this.lock.acquire();
    const file = this.peek(fd);
    if (file) {
      this.clearSlot(<u32>fd);
      this.openCount--;
    }
    this.lock.release();
    return file;
  }

  /** The descriptor's flags (FD_CLOEXEC or 0), or -EBADF. */
  descriptorFlags(fd: i32): i32 {
    this.lock.acquire();
    let flags = -EBADF;
    if (this.peek(fd)) flags = <i32>(load<usize>(this.slotAddress(<u32>fd)) & SLOT_CLOEXEC);
    this.lock.release();
    return flags;
  }

  /** Sets the descriptor's flags; 0 or -EBADF. */
  setDescriptorFlags(fd: i32, flags: u32): i32 {
    this.lock.acquire();
    let result = -EBADF;
    if (this.peek(fd)) {
      const address = this.slotAddress(<u32>fd);
      store<usize>(address, (load<usize>(address) & ~SLOT_CLOEXEC) | (flags & FD_CLOEXEC));
      result = 0;
    }
    this.lock.release();
    return result;
  }

  /** The lowest open descriptor that is at least `from`, or -1. */
  nextOpen(from: u32): i32 {
    this.lock.acquire();
    let found = -1;
    for (let fd = from; fd < this.capacity; fd++) {
      if (this.peek(<i32>fd)) {
        found = <i32>fd;
        break;
      }
    }
    this.lock.release();
    return found;
  }

  /** Every open descriptor is below this number. */
  tableSize(): u32 {
    return this.capacity;
  }

  /** Number of open descriptors. */
  count(): u32 {
    return this.openCount;
  }

  /**
   * Closes every descriptor with FD_CLOEXEC: part of execve(2).
   * @param close ends the use of a file and takes over its reference (`fd-control.ts`)
   */
  closeOnExec(close: (file: File) => void): void {
    for (let fd = this.nextOpen(0); fd >= 0; fd = this.nextOpen(<u32>fd + 1)) {
      if (this.descriptorFlags(fd) != <i32>FD_CLOEXEC) continue;
      const file = this.remove(fd);
      if (file) close(file);
    }
  }

  /**
   * A copy that shares the open file descriptions: fork(2).
   * @returns null if there is no memory
   */
  duplicate(): FdTable | null {
    const copy = new FdTable();
    this.lock.acquire();
    if (this.capacity > 0 && !copy.grow(this.capacity - 1)) {
      this.lock.release();
      copy.release();
      return null;
    }
    for (let fd: u32 = 0; fd < this.capacity; fd++) {
      const file = this.peek(<i32>fd);
      if (!file) continue;
      file.retain();
      store<usize>(copy.slotAddress(fd), load<usize>(this.slotAddress(fd)));
      copy.markUsed(fd);
      copy.openCount++;
    }
    this.lock.release();
    return copy;
  }

  /** Closes what is open and frees the table. */
  destroy(): void {
    for (let fd: u32 = 0; fd < this.capacity; fd++) {
      const file = this.peek(<i32>fd);
      if (file) file.release();
    }
    if (this.slots) heapFree(this.slots);
    free(this.lock);
    free(this);
  }

  private slotAddress(fd: u32): usize {
    return this.slots + ((<usize>fd) << 3);
  }

  private wordAddress(fd: u32): usize {
    return this.used + ((<usize>fd >> 6) << 3);
  }

  private markUsed(fd: u32): void {
    const word = this.wordAddress(fd);
    store<u64>(word, load<u64>(word) | ((<u64>1) << (fd & 63)));
  }

  private clearSlot(fd: u32): void {
    store<usize>(this.slotAddress(fd), 0);
    const word = this.wordAddress(fd);
    store<u64>(word, load<u64>(word) & ~((<u64>1) << (fd & 63)));
    if (fd < this.lowestFree) this.lowestFree = fd;
  }

  private reserveLocked(minimum: u32, limit: u32): i32 {
    const start = max(minimum, this.lowestFree);
    const fd = this.findFree(start);
    if (minimum <= this.lowestFree) this.lowestFree = fd;
    if (fd >= limit) return -EMFILE;
    if (fd >= this.capacity && !this.grow(fd)) return -ENOMEM;
    store<usize>(this.slotAddress(fd), SLOT_RESERVED);
    this.markUsed(fd);
    if (fd == this.lowestFree) this.lowestFree = fd + 1;
    return <i32>fd;
  }

  /** The lowest free descriptor from `start`; it may lie beyond the capacity. */
  private findFree(start: u32): u32 {
    let fd = start;
    while (fd < this.capacity) {
      const free = ~load<u64>(this.wordAddress(fd)) >> (fd & 63);
      if (free != 0) return fd + <u32>ctz(free);
      fd = (fd | 63) + 1;
    }
    return fd;
  }

  /** Makes room for descriptor `fd`; false if there is no memory. One block: slots, then bits. */
  private grow(fd: u32): bool {
    let capacity = max(this.capacity, FIRST_CAPACITY);
    while (capacity <= fd) capacity <<= 1;
    if (capacity == this.capacity) return true;
    const slotBytes = (<usize>capacity) << 3;
    const block = heapAllocate(slotBytes + (slotBytes >> 6));
    if (!block) return false;
    memory.fill(block, 0, slotBytes + (slotBytes >> 6));
    if (this.slots) {
      memory.copy(block, this.slots, (<usize>this.capacity) << 3);
      memory.copy(block + slotBytes, this.used, <usize>this.capacity >> 3);
      heapFree(this.slots);
    }
    this.slots = block;
    this.used = block + slotBytes;
    this.capacity = capacity;
    return true;
  }
}
