/**
 * Names of local sockets (unix(7)): abstract ones, which live here alone, and paths, where the
 * socket is found by the vnode behind the path. One table knows the socket that is bound to each.
 *
 * Lock: `namesLock` guards the table and the tie between name and socket. A socket that is in the
 * table is alive: it leaves the table before its last reference goes. Order: `namesLock` is inner
 * to no other lock and holds none.
 */
import { SpinLock } from "../../arch/spinlock";
import { Dentry } from "../../fs/dentry";
import { Vnode } from "../../fs/vnode";
import { EADDRINUSE } from "../../lib/errno";
import { HashTable, hashBytes, hashInteger } from "../../lib/hashtable";
import { Counted, free } from "../../lib/object";
import { heapAllocate, heapFree } from "../../mm/heap";
import { UnixEnd } from "./unix-end";

/** A name; sockets and messages share it. */
export class UnixName extends Counted {
  hashNext: usize = 0;
  hashValue: u64 = 0;
  /** The whole struct sockaddr_un in use, family included. */
  bytes: usize;
  /** Bound to it; null once that socket has ended. (namesLock) */
  end: UnixEnd | null = null;
  /** The file that a path names, with a reference; null for abstract names. */
  dentry: Dentry | null;

  /** Copies the address; takes over the reference of `dentry`. */
  constructor(
    address: usize,
    public length: usize,
    dentry: Dentry | null,
  ) {
    super();
    this.bytes = heapAllocate(length);
    assert(this.bytes != 0, "out of kernel memory");
    memory.copy(this.bytes, address, length);
    this.dentry = dentry;
  }

  destroy(): void {
    const dentry = this.dentry;
    if (dentry) dentry.release();
    heapFree(this.bytes);
    free(this);
  }
}

const namesLock = new SpinLock();
const names = new HashTable<UnixName>(offsetof<UnixName>("hashNext"));

function hashOfVnode(vnode: Vnode): u64 {
  return hashInteger(<u64>changetype<usize>(vnode));
}

/** Finds an abstract name; each type of sockets has its own. (namesLock) */
function abstractName(address: usize, length: usize, type: i32): UnixName | null {
  let name = names.firstWith(hashBytes(address, length));
  while (name) {
    const end = name.end;
    const isSame = !name.dentry && name.length == length;
    if (isSame && end && end.type == type && memory.compare(name.bytes, address, length) == 0)
      return name;
    name = names.nextWith(name);
  }
  return null;
}

/** Finds the name that was bound to a file. (namesLock) */
function fileName(vnode: Vnode): UnixName | null {
  let name = names.firstWith(hashOfVnode(vnode));
  while (name) {
    const dentry = name.dentry;
    if (dentry && dentry.node == vnode) return name;
    name = names.nextWith(name);
  }
  return null;
}

/** The socket of a name, with a reference for the caller. (namesLock) */
function endOf(name: UnixName | null): UnixEnd | null {
  const end = name ? name.end : null;
  if (end) end.retain();
  return end;
}

/** The socket bound to an abstract name, with a reference; null if there is none. */
export function findAbstract(address: usize, length: usize, type: i32): UnixEnd | null {
  namesLock.acquire();
  const end = endOf(abstractName(address, length, type));
  namesLock.release();
  return end;
}

/** The socket bound to a file, with a reference; null if there is none. */
export function findByFile(vnode: Vnode): UnixEnd | null {
  namesLock.acquire();
  const end = endOf(fileName(vnode));
  namesLock.release();
  return end;
}

/**
 * Enters a name for `end`, whose `name` it becomes (with a reference of the name).
 * @returns 0, or -EADDRINUSE if an abstract name is taken
 */
export function enterName(name: UnixName, end: UnixEnd): i64 {
  const dentry = name.dentry;
  const hash = dentry ? hashOfVnode(dentry.node) : hashBytes(name.bytes, name.length);
  namesLock.acquire();
  const isTaken = !dentry && abstractName(name.bytes, name.length, end.type) != null;
  if (!isTaken) {
    name.end = end;
    names.insert(name, hash);
    name.retain();
    end.name = name;
  }
  namesLock.release();
  return isTaken ? -EADDRINUSE : 0;
}

/** The name no longer leads to `end`. A name that was inherited by accept(2) stays. */
export function leaveName(name: UnixName, end: UnixEnd): void {
  namesLock.acquire();
  if (name.end == end) {
    name.end = null;
    names.remove(name);
  }
  namesLock.release();
}
