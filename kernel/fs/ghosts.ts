/**
 * Ghosts: keys of pages that were evicted lately. A page that comes back while its ghost is
 * remembered was evicted too early; `arc` learns from that.
 *
 * Lock: the owner's. Neighbour: `arc`.
 */
import { HashTable, hashInteger } from "../lib/hashtable";
import { List } from "../lib/list";
import { free } from "../lib/object";
import { isMemoryShort } from "../mm/frames";

/** One evicted page, on one of two lists. */
export class Ghost {
  hashNext: usize = 0;
  hashValue: u64 = 0;
  listNext: usize = 0;
  listPrevious: usize = 0;
  /** The list it is on. */
  list: GhostList | null = null;
}

/** Ghosts in the order of eviction. */
export class GhostList {
  private ghosts: List<Ghost> = new List<Ghost>(offsetof<Ghost>("listNext"));

  constructor(private table: GhostTable) {}

  get length(): u64 {
    return this.ghosts.length;
  }

  /** Remembers a key, which has no ghost; does not if kernel memory is short. */
  remember(key: u64): void {
    if (isMemoryShort()) return;
    const ghost = new Ghost();
    ghost.list = this;
    this.ghosts.pushBack(ghost);
    this.table.insert(ghost, key);
  }

  /** Drops the oldest ghost, if any. */
  dropOldest(): void {
    const ghost = this.ghosts.first;
    if (ghost) this.drop(ghost);
  }

  drop(ghost: Ghost): void {
    this.ghosts.remove(ghost);
    this.table.remove(ghost);
    free(ghost);
  }
}

/** Finds ghosts by key. The hash of a key is one-to-one, so it stands for the key. */
export class GhostTable {
  private table: HashTable<Ghost> = new HashTable<Ghost>(offsetof<Ghost>("hashNext"));

  insert(ghost: Ghost, key: u64): void {
    this.table.insert(ghost, hashInteger(key));
  }

  remove(ghost: Ghost): void {
    this.table.remove(ghost);
  }

  find(key: u64): Ghost | null {
    return this.table.firstWith(hashInteger(key));
  }
}
