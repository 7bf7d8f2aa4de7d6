/**
 * The buffer of a pipe: a ring of pages that are taken when first written to. An empty ring starts
 * again at its first page, so a pipe with little in it uses one page.
 *
 *   pages:  [0][1][2] … [15]      head: next byte to read, tail: next byte to write;
 *              ^head  ^tail       both count bytes from an origin that moves when the ring is empty
 *
 * One reader and one writer may copy at the same time: a copy touches only its own part, and the
 * part changes hands when `consumed` or `produced` is called under the owner's lock.
 * Neighbour: `pipe`.
 */
import { copyUser } from "../arch/cpu";
import { heapAllocate, heapFree } from "../mm/heap";
import { frameOf, allocateUserFrame, releaseFrame, toVirtual } from "../mm/frames";
import { PAGE_BYTES, PAGE_SHIFT } from "./constants";

/** Capacity of a new pipe in bytes (pipe(7)). */
export const PIPE_BYTES: u64 = 65536;

export class PipeBuffer {
  private head: u64 = 0;
  private tail: u64 = 0;
  /** Address of one physical address (u64) for each page, 0 where there is none. */
  private pages: usize = 0;
  /** A power of two, at least a page. */
  capacity: u64;

  /** @param capacity bytes, a power of two of at least a page; check `isUsable` */
  constructor(capacity: u64) {
    this.capacity = capacity;
    this.pages = allocateTable(capacity);
  }

  /** False if there was no memory. */
  get isUsable(): bool {
    return this.pages != 0;
  }

  /** Bytes that can be read. */
  get available(): u64 {
    return this.tail - this.head;
  }

  /** Bytes that can be written. */
  get space(): u64 {
    return this.capacity - (this.tail - this.head);
  }

  /** Copies up to `length` bytes to `target`; returns how many came across (fewer after a fault). */
  copyOut(target: usize, length: usize): usize {
    let done: usize = 0;
    while (done < length) {
      const at = this.head + done;
      const within = <usize>at & (PAGE_BYTES - 1);
      const chunk = min<usize>(PAGE_BYTES - within, length - done);
      const page = toVirtual(load<u64>(this.slot(at)));
      const missed = copyUser(target + done, page + within, chunk);
      done += chunk - missed;
      if (missed) break;
    }
    return done;
  }

  /** Copies up to `length` bytes from `source`; fewer after a fault or if memory ran out. */
  copyIn(source: usize, length: usize): usize {
    let done: usize = 0;
    while (done < length) {
      const at = this.tail + done;
      const within = <usize>at & (PAGE_BYTES - 1);
      const chunk = min<usize>(PAGE_BYTES - within, length - done);
      const slot = this.slot(at);
      let page = load<u64>(slot);
      if (!page) {
        page = allocateUserFrame();
        if (!page) break;
        store<u64>(slot, page);
      }
      const missed = copyUser(toVirtual(page) + within, source + done, chunk);
      done += chunk - missed;
      if (missed) break;
    }
    return done;
  }

  /**
   * Gives `length` read bytes up. Lock of the owner.
   * @param mayRestart true if no writer is copying, so that an empty ring can start at 0
   */
  consumed(length: usize, mayRestart: bool): void {
    if (length == 0) return;
    const first = this.head >> PAGE_SHIFT;
    this.head += length;
    const end = this.head >> PAGE_SHIFT;
    const restarts = mayRestart && this.head == this.tail;
    // When the ring is empty, the page read last serves again.
    const kept = restarts ? (this.head - 1) >> PAGE_SHIFT : end;
    for (let page = first; page < end; page++) {
      if (page != kept) this.releaseSlot(this.slot(page << PAGE_SHIFT));
    }
    if (restarts) this.restart(this.slot(kept << PAGE_SHIFT));
  }

  /** Makes `length` written bytes readable. Lock of the owner. */
  produced(length: usize): void {
    this.tail += length;
  }

  /**
   * Changes the capacity; nobody may be copying. Lock of the owner.
   * @returns false if there is no memory, or more is in the buffer
   */
  resize(capacity: u64): bool {
    if (this.available > capacity) return false;
    const table = allocateTable(capacity);
    if (!table) return false;
    const old = this.pages;
    const oldMask = this.capacity - 1;
    const first = this.head >> PAGE_SHIFT;
    const end = (this.tail + PAGE_BYTES - 1) >> PAGE_SHIFT;
    // A ring whose ends share a page has no place for it twice.
    if (end - first > capacity >> PAGE_SHIFT) {
      heapFree(table);
      return false;
    }
    for (let page = first; page < end; page++) {
      const from = old + <usize>(((page << PAGE_SHIFT) & oldMask) >> PAGE_SHIFT) * 8;
      const to = table + <usize>(((page << PAGE_SHIFT) & (capacity - 1)) >> PAGE_SHIFT) * 8;
      store<u64>(to, load<u64>(from));
      store<u64>(from, 0);
    }
    this.releaseAll();
    heapFree(old);
    this.pages = table;
    this.capacity = capacity;
    return true;
  }

  /** Frees the pages. */
  dispose(): void {
    this.releaseAll();
    heapFree(this.pages);
    this.pages = 0;
  }

  private releaseAll(): void {
    for (let at: u64 = 0; at < this.capacity; at += PAGE_BYTES) this.releaseSlot(this.slot(at));
  }

  /** The ring is empty: begins anew with the page in `slot` in front. */
  private restart(slot: usize): void {
    const page = load<u64>(slot);
    if (slot != this.pages) {
      store<u64>(slot, load<u64>(this.pages));
      store<u64>(this.pages, page);
    }
    this.head = 0;
    this.tail = 0;
  }

  private slot(position: u64): usize {
    return this.pages + <usize>((position & (this.capacity - 1)) >> PAGE_SHIFT) * 8;
  }

  private releaseSlot(slot: usize): void {
    const page = load<u64>(slot);
    store<u64>(slot, 0);
    if (page) releaseFrame(frameOf(page));
  }
}

function allocateTable(capacity: u64): usize {
  const bytes = <usize>(capacity >> PAGE_SHIFT) * 8;
  const table = heapAllocate(bytes);
  if (table) memory.fill(table, 0, bytes);
  return table;
}
