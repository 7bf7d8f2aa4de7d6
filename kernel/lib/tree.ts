/**
 * Intrusive balanced search tree (AVL) with parent links, in the order that `compare` defines.
 * Insertion, removal and look-up take O(log n) and never allocate.
 *
 * The element declares four adjacent `usize` fields (left, right, parent, height), and the tree is
 * made with the offset of the first: `super(offsetof<Timer>("treeLeft"))`.
 *
 *        parent
 *          │            height = 1 + max(height of left, height of right); an absent child has 0;
 *       element         the heights of two siblings differ by at most 1
 *       ╱     ╲
 *    left     right
 *
 * A subclass may keep a summary of each subtree in the element (a maximum, a sum): it overrides
 * `summarise`, which runs for every element whose subtree changed, children before parents.
 *
 * Lock: the owner's.
 */

/** Distances of the link fields from `left`. */
const RIGHT: usize = sizeof<usize>();
const PARENT: usize = 2 * sizeof<usize>();
const HEIGHT: usize = 3 * sizeof<usize>();

export abstract class Tree<T> {
  protected rootAddress: usize = 0;
  private count: usize = 0;

  /** @param linkOffset offset in bytes of the element's `left` field; right, parent, height follow */
  constructor(protected linkOffset: usize) {}

  /** Order of two elements: negative, 0 or positive. Equal elements keep their order of insertion. */
  abstract compare(a: T, b: T): i32;

  /** Recomputes what `element` remembers of its subtree from its children; true if it changed. */
  summarise(_element: T): bool {
    return false;
  }

  get length(): usize {
    return this.count;
  }

  get root(): T | null {
    return changetype<T | null>(this.rootAddress);
  }

  left(element: T): T | null {
    return changetype<T | null>(this.leftOf(changetype<usize>(element)));
  }

  right(element: T): T | null {
    return changetype<T | null>(this.rightOf(changetype<usize>(element)));
  }

  get first(): T | null {
    let node = this.rootAddress;
    if (node) {
      for (let left = this.leftOf(node); left; left = this.leftOf(node)) node = left;
    }
    return changetype<T | null>(node);
  }

  get last(): T | null {
    let node = this.rootAddress;
    if (node) {
      for (let right = this.rightOf(node); right; right = this.rightOf(node)) node = right;
    }
    return changetype<T | null>(node);
  }

  /** The element after `element` in order, or null. */
  next(element: T): T | null {
    let node = changetype<usize>(element);
    let child = this.rightOf(node);
    if (child) {
      while (child) {
        node = child;
        child = this.leftOf(node);
      }
      return changetype<T | null>(node);
    }
    let parent = this.parentOf(node);
    while (parent && this.rightOf(parent) == node) {
      node = parent;
      parent = this.parentOf(node);
    }
    return changetype<T | null>(parent);
  }

  /** The element before `element` in order, or null. */
  previous(element: T): T | null {
    let node = changetype<usize>(element);
    let child = this.leftOf(node);
    if (child) {
      while (child) {
        node = child;
        child = this.rightOf(node);
      }
      return changetype<T | null>(node);
    }
    let parent = this.parentOf(node);
    while (parent && this.leftOf(parent) == node) {
      node = parent;
      parent = this.parentOf(node);
    }
    return changetype<T | null>(parent);
  }

  /** Adds an element that is on no tree. */
  insert(element: T): void {
    const node = changetype<usize>(element);
    let parent: usize = 0;
    let link: usize = 0;
    for (let at = this.rootAddress; at; at = load<usize>(link)) {
      parent = at;
      link = at + this.linkOffset;
      if (this.compare(element, changetype<T>(at)) >= 0) link += RIGHT;
    }
    const links = node + this.linkOffset;
    store<usize>(links, 0);
    store<usize>(links, 0, RIGHT);
    store<usize>(links, parent, PARENT);
    store<usize>(links, 0, HEIGHT);
    if (link) store<usize>(link, node);
    else this.rootAddress = node;
    this.count++;
    this.rebalance(node, 0);
  }

  /** Takes `element`, which is on this tree, off it. */
  remove(element: T): void {
    const node = changetype<usize>(element);
    const left = this.leftOf(node);
    const right = this.rightOf(node);
    const parent = this.parentOf(node);
    let lowestChanged: usize;
    let moved: usize = 0;
    if (left && right) {
      // The successor has no left child: it takes the place of `node`.
      let successor = right;
      for (let next = this.leftOf(successor); next; next = this.leftOf(successor)) successor = next;
      if (successor == right) {
        lowestChanged = successor;
      } else {
        lowestChanged = this.parentOf(successor);
        const orphan = this.rightOf(successor);
        this.setLeft(lowestChanged, orphan);
        if (orphan) this.setParent(orphan, lowestChanged);
        this.setRight(successor, right);
        this.setParent(right, successor);
      }
      this.setLeft(successor, left);
      this.setParent(left, successor);
      this.replaceChild(parent, node, successor);
      moved = successor;
    } else {
      this.replaceChild(parent, node, left ? left : right);
      lowestChanged = parent;
    }
    this.count--;
    this.rebalance(lowestChanged, moved);
  }

  /** Recomputes the summaries from `element` upwards, after a change of what they depend on. */
  refresh(element: T): void {
    let node = changetype<usize>(element);
    while (node && this.summarise(changetype<T>(node))) node = this.parentOf(node);
  }

  /**
   * Restores heights, balance and summaries from `start` upwards, as far as they change.
   * @param moved an ancestor of `start`, or `start`, with new children and an old height and summary,
   *   which must not be stopped before; 0 = none
   */
  private rebalance(start: usize, moved: usize): void {
    let node = start;
    let isPassed = moved == 0;
    while (node) {
      const left = this.leftOf(node);
      const right = this.rightOf(node);
      const leftHeight = this.heightOf(left);
      const rightHeight = this.heightOf(right);
      const before = this.heightOf(node);
      let top = node;
      if (leftHeight > rightHeight + 1) {
        if (this.heightOf(this.leftOf(left)) < this.heightOf(this.rightOf(left)))
          this.rotateLeft(left);
        top = this.rotateRight(node);
      } else if (rightHeight > leftHeight + 1) {
        if (this.heightOf(this.rightOf(right)) < this.heightOf(this.leftOf(right)))
          this.rotateRight(right);
        top = this.rotateLeft(node);
      }
      const changed = this.update(top);
      if (isPassed && !changed && top == node && this.heightOf(node) == before) return;
      // Above the moved node everything still remembers the removed one: no stop there yet.
      if (node == moved) isPassed = true;
      node = this.parentOf(top);
    }
  }

  /** Sets the height and the summary of a node from its children; true if the summary changed. */
  private update(node: usize): bool {
    const left = this.heightOf(this.leftOf(node));
    const right = this.heightOf(this.rightOf(node));
    store<usize>(node + this.linkOffset, 1 + max(left, right), HEIGHT);
    return this.summarise(changetype<T>(node));
  }

  /** Lifts the right child above `node`; returns that child. */
  private rotateLeft(node: usize): usize {
    const child = this.rightOf(node);
    const inner = this.leftOf(child);
    this.replaceChild(this.parentOf(node), node, child);
    this.setRight(node, inner);
    if (inner) this.setParent(inner, node);
    this.setLeft(child, node);
    this.setParent(node, child);
    this.update(node);
    this.update(child);
    return child;
  }

  /** Lifts the left child above `node`; returns that child. */
  private rotateRight(node: usize): usize {
    const child = this.leftOf(node);
    const inner = this.rightOf(child);
    this.replaceChild(this.parentOf(node), node, child);
    this.setLeft(node, inner);
    if (inner) this.setParent(inner, node);
    this.setRight(child, node);
    this.setParent(node, child);
    this.update(node);
    this.update(child);
    return child;
  }

  private replaceChild(parent: usize, child: usize, replacement: usize): void {
    if (!parent) this.rootAddress = replacement;
    else if (this.leftOf(parent) == child) this.setLeft(parent, replacement);
    else this.setRight(parent, replacement);
    if (replacement) this.setParent(replacement, parent);
  }

  private leftOf(node: usize): usize {
    return load<usize>(node + this.linkOffset);
  }

  private rightOf(node: usize): usize {
    return load<usize>(node + this.linkOffset, RIGHT);
  }

  private parentOf(node: usize): usize {
    return load<usize>(node + this.linkOffset, PARENT);
  }

  private heightOf(node: usize): usize {
    return node ? load<usize>(node + this.linkOffset, HEIGHT) : 0;
  }

  private setLeft(node: usize, child: usize): void {
    store<usize>(node + this.linkOffset, child);
  }

  private setRight(node: usize, child: usize): void {
    store<usize>(node + this.linkOffset, child, RIGHT);
  }

  private setParent(node: usize, parent: usize): void {
    store<usize>(node + this.linkOffset, parent, PARENT);
  }
}
