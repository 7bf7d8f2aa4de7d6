/** Surface of list, tree, hash table and ring for their unit tests: elements by number. */
import { HashTable, hashInteger } from "./hashtable";
import { List } from "./list";
import { ByteRing } from "./ring";
import { Tree } from "./tree";

class Element {
  next: usize = 0;
  previous: usize = 0;
  left: usize = 0;
  right: usize = 0;
  parent: usize = 0;
  height: usize = 0;
  hashNext: usize = 0;
  hashValue: u64 = 0;
  /** What the tree sums up: the largest weight of the subtree. */
  weight: i32 = 0;
  heaviest: i32 = -1;

  constructor(
    public number: i32,
    public key: i32,
  ) {
    this.weight = key;
  }
}

class ElementTree extends Tree<Element> {
  constructor() {
    super(offsetof<Element>("left"));
  }

  compare(a: Element, b: Element): i32 {
    return a.key - b.key;
  }

  summarise(element: Element): bool {
    let heaviest = element.weight;
    const left = this.left(element);
    if (left) heaviest = max(heaviest, left.heaviest);
    const right = this.right(element);
    if (right) heaviest = max(heaviest, right.heaviest);
    if (heaviest == element.heaviest) return false;
    element.heaviest = heaviest;
    return true;
  }

  /** Checks links, heights, balance, order and summaries; returns the height, -1 if wrong. */
  check(element: Element | null): i32 {
    if (!element) return 0;
    const left = this.left(element);
    const right = this.right(element);
    if (left && (left.parent != changetype<usize>(element) || left.key > element.key)) return -1;
    if (right && (right.parent != changetype<usize>(element) || right.key < element.key)) return -1;
    const leftHeight = this.check(left);
    const rightHeight = this.check(right);
    if (leftHeight < 0 || rightHeight < 0) return -1;
    if (leftHeight - rightHeight > 1 || rightHeight - leftHeight > 1) return -1;
    const height = 1 + max(leftHeight, rightHeight);
    if (<i32>element.height != height) return -1;
    let heaviest = element.weight;
    if (left) heaviest = max(heaviest, left.heaviest);
    if (right) heaviest = max(heaviest, right.heaviest);
    return heaviest == element.heaviest ? height : -1;
  }
}

const MAX: i32 = 4096;
const elements = new StaticArray<Element | null>(MAX);
const tree = new ElementTree();
const list = new List<Element>(offsetof<Element>("next"));
const table = new HashTable<Element>(offsetof<Element>("hashNext"));

function element(number: i32): Element {
  let found = elements[number];
  if (!found) {
    found = new Element(number, 0);
    elements[number] = found;
  }
  return found;
}

function numberOf(found: Element | null): i32 {
  return found ? found.number : -1;
}

export function treeInsert(number: i32, key: i32): void {
  const added = element(number);
  added.key = key;
  added.weight = key;
  added.heaviest = -1;
  tree.insert(added);
}

export function treeRemove(number: i32): void {
  tree.remove(element(number));
}

export function treeReweigh(number: i32, weight: i32): void {
  element(number).weight = weight;
  tree.refresh(element(number));
}

export function treeCheck(): bool {
  return tree.check(tree.root) >= 0;
}

export function treeFirst(): i32 {
  return numberOf(tree.first);
}

export function treeLast(): i32 {
  return numberOf(tree.last);
}

export function treeNext(number: i32): i32 {
  return numberOf(tree.next(element(number)));
}

export function treePrevious(number: i32): i32 {
  return numberOf(tree.previous(element(number)));
}

export function treeLength(): i32 {
  return <i32>tree.length;
}

export function listPushBack(number: i32): void {
  list.pushBack(element(number));
}

export function listPushFront(number: i32): void {
  list.pushFront(element(number));
}

export function listInsertBefore(number: i32, successor: i32): void {
  list.insertBefore(element(number), element(successor));
}

export function listRemove(number: i32): void {
  list.remove(element(number));
}

export function listPopFront(): i32 {
  return numberOf(list.popFront());
}

export function listPopBack(): i32 {
  return numberOf(list.popBack());
}

export function listFirst(): i32 {
  return numberOf(list.first);
}

export function listLast(): i32 {
  return numberOf(list.last);
}

export function listNext(number: i32): i32 {
  return numberOf(list.next(element(number)));
}

export function listPrevious(number: i32): i32 {
  return numberOf(list.previous(element(number)));
}

export function listLength(): i32 {
  return <i32>list.length;
}

/** Hashes collide on purpose: only `spread` different values exist. */
export function tableInsert(number: i32, key: i32, spread: i32): void {
  const added = element(number);
  added.key = key;
  table.insert(added, hashInteger(<u64>(key % spread)));
}

export function tableRemove(number: i32): void {
  table.remove(element(number));
}

export function tableFind(key: i32, spread: i32): i32 {
  let found = table.firstWith(hashInteger(<u64>(key % spread)));
  while (found && found.key != key) found = table.nextWith(found);
  return numberOf(found);
}

export function tableFirst(): i32 {
  return numberOf(table.firstAny());
}

export function tableNext(number: i32): i32 {
  return numberOf(table.nextAny(element(number)));
}

export function tableLength(): i32 {
  return <i32>table.length;
}

export function tableDispose(): void {
  table.dispose();
}

let ring: ByteRing | null = null;

export function ringCreate(capacity: usize): bool {
  ring = new ByteRing(capacity);
  return changetype<ByteRing>(ring).isReady;
}

export function ringWrite(source: usize, length: usize): usize {
  return changetype<ByteRing>(ring).write(source, length);
}

export function ringRead(destination: usize, length: usize): usize {
  return changetype<ByteRing>(ring).read(destination, length);
}

export function ringPut(byte: u8): bool {
  return changetype<ByteRing>(ring).put(byte);
}

export function ringTake(): i32 {
  return changetype<ByteRing>(ring).take();
}

export function ringTakeLast(): i32 {
  return changetype<ByteRing>(ring).takeLast();
}

export function ringPeek(index: usize): u8 {
  return changetype<ByteRing>(ring).peek(index);
}

export function ringLength(): usize {
  return changetype<ByteRing>(ring).length;
}

export function ringSpace(): usize {
  return changetype<ByteRing>(ring).space;
}

/** Makes the element, so that what follows allocates nothing for it. */
export function prepare(number: i32): void {
  element(number);
}
