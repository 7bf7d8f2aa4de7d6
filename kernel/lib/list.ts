/**
 * Intrusive doubly linked list: the links are two fields of the element itself, so no operation
 * allocates and every operation takes constant time. An element can be on several lists by having
 * several pairs of link fields.
 *
 * The element declares two adjacent `usize` fields, for example `runNext` and `runPrevious`, and the
 * list is made with the offset of the first: `new List<Thread>(offsetof<Thread>("runNext"))`.
 *
 *   list.first ─► element ─next─► element ─next─► 0
 *            0 ◄─previous─       ◄─previous─     ◄─ list.last
 *
 * Lock: the owner's. An element must not be added twice, nor removed when it is on no list.
 */

/** Distance of the field `previous` from the field `next`. */
const PREVIOUS: usize = sizeof<usize>();

export class List<T> {
  private firstAddress: usize = 0;
  private lastAddress: usize = 0;
  private count: u32 = 0;

  /** @param linkOffset offset in bytes of the element's `next` field; `previous` follows it */
  constructor(private linkOffset: usize) {}

  get length(): u32 {
    return this.count;
  }

  get isEmpty(): bool {
    return this.firstAddress == 0;
  }

  get first(): T | null {
    return changetype<T | null>(this.firstAddress);
  }

  get last(): T | null {
    return changetype<T | null>(this.lastAddress);
  }

  /** The element after `element`, or null. */
  next(element: T): T | null {
    return changetype<T | null>(load<usize>(changetype<usize>(element) + this.linkOffset));
  }

  /** The element before `element`, or null. */
  previous(element: T): T | null {
    return changetype<T | null>(
      load<usize>(changetype<usize>(element) + this.linkOffset, PREVIOUS),
    );
  }

  pushBack(element: T): void {
    this.link(changetype<usize>(element), this.lastAddress, 0);
  }

  pushFront(element: T): void {
    this.link(changetype<usize>(element), 0, this.firstAddress);
  }

  /** Puts `element` in front of `successor`, which is on this list. */
  insertBefore(element: T, successor: T): void {
    const next = changetype<usize>(successor);
    this.link(changetype<usize>(element), load<usize>(next + this.linkOffset, PREVIOUS), next);
  }

  /** Takes `element`, which is on this list, off it. */
  remove(element: T): void {
    const links = changetype<usize>(element) + this.linkOffset;
    const next = load<usize>(links);
    const previous = load<usize>(links, PREVIOUS);
    if (next) store<usize>(next + this.linkOffset, previous, PREVIOUS);
    else this.lastAddress = previous;
    if (previous) store<usize>(previous + this.linkOffset, next);
    else this.firstAddress = next;
    store<usize>(links, 0);
    store<usize>(links, 0, PREVIOUS);
    this.count--;
  }

  /** Takes the first element off the list; null if the list is empty. */
  popFront(): T | null {
    const element = this.first;
    if (element) this.remove(element);
    return element;
  }

  /** Takes the last element off the list; null if the list is empty. */
  popBack(): T | null {
    const element = this.last;
    if (element) this.remove(element);
    return element;
  }

  private link(element: usize, previous: usize, next: usize): void {
    const links = element + this.linkOffset;
    store<usize>(links, next);
    store<usize>(links, previous, PREVIOUS);
    if (next) store<usize>(next + this.linkOffset, element, PREVIOUS);
    else this.lastAddress = element;
    if (previous) store<usize>(previous + this.linkOffset, element);
    else this.firstAddress = element;
    this.count++;
  }
}
