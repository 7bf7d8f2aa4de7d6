/** Surface of the page tree for its test. */
import { PageTree } from "./page-tree";

export { startMemory } from "./testing/memory";

const tree = new PageTree();

export function get(index: u64): usize {
  return tree.get(index);
}
export function set(index: u64, value: usize): bool {
  return tree.set(index, value);
}
export function remove(index: u64): usize {
  return tree.remove(index);
}
export function next(from: u64): u64 {
  return tree.next(from);
}
export function isEmpty(): bool {
  return tree.isEmpty;
}
