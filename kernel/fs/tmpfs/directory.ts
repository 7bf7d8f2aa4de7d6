/**
 * A directory in memory: entries by name in a hash table, and in the order of creation for reading.
 *
 * The overlay's directories extend this: `lower…` methods say what lies below.
 * Lock: the file system's namespaceLock, held by all callers.
 */
import { ENOENT, ENOSPC, ENOTEMPTY, ENXIO, asError } from "../../lib/errno";
import { HashTable, hashBytes } from "../../lib/hashtable";
import { List } from "../../lib/list";
import { free } from "../../lib/object";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../constants";
import { Dentry } from "../dentry";
import { DirectoryFile } from "../directory-file";
import { kernelMemoryIsShort } from "../page-cache";
import { DirectorySink, Vnode } from "../vnode";
import { TmpfsEntry } from "./entry";
import { TmpfsFile } from "./file";
import { TmpfsFileSystem } from "./file-system";
import { TmpfsNode, mayMakeNode } from "./node";
import { TmpfsSpecial, TmpfsSymlink } from "./other";

/** Positions 0 and 1 are "." and "..". */
const FIRST_POSITION: u64 = 2;

export class TmpfsDirectory extends TmpfsNode {
  /** Inode number of the directory above. */
  parentInode: u64 = 0;
  private table: HashTable<TmpfsEntry> = new HashTable<TmpfsEntry>(
    offsetof<TmpfsEntry>("hashNext"),
  );
  private entries: List<TmpfsEntry> = new List<TmpfsEntry>(offsetof<TmpfsEntry>("listNext"));
  private nextPosition: u64 = FIRST_POSITION;
  private dots: u16 = 0x2e2e;

  constructor(fs: TmpfsFileSystem, mode: u32, inode: u64) {
    super(fs, mode, inode);
    this.linkCount = 2;
  }

  // ---- what lies below (overlay) ----

  /** The node for a name of the lower directory with a reference, or -ENOENT. */
  lowerLookup(_name: usize, _nameLength: usize): usize {
    return asError(-ENOENT);
  }

  /** True if the lower directory has the name. */
  lowerHas(_name: usize, _nameLength: usize): bool {
    return false;
  }

  /** Reports the lower directory's entries behind those in memory. @param position what `iterate` got */
  lowerIterate(position: u64, _sink: DirectorySink): i64 {
    return position;
  }

  // ---- looking ----

  /** The entry of a name, a whiteout included, or null. */
  find(name: usize, nameLength: usize): TmpfsEntry | null {
    let entry = this.table.firstWith(hashBytes(name, nameLength));
    while (entry && !entry.hasName(name, nameLength)) entry = this.table.nextWith(entry);
    return entry;
  }

  lookup(name: usize, nameLength: usize): usize {
    const entry = this.find(name, nameLength);
    if (!entry) return this.lowerLookup(name, nameLength);
    const node = entry.node;
    if (!node) return asError(-ENOENT);
    node.retain();
    return changetype<usize>(node);
  }

  iterate(position: u64, sink: DirectorySink): i64 {
    let at = position;
    const dots = changetype<usize>(this) + offsetof<TmpfsDirectory>("dots");
    if (at == 0) {
      if (!sink.entry(dots, 1, this.inode, S_IFDIR, 1)) return 0;
      at = 1;
    }
    if (at == 1) {
      if (!sink.entry(dots, 2, this.parentInode, S_IFDIR, FIRST_POSITION)) return 1;
      at = FIRST_POSITION;
    }
    let entry = this.entries.first;
    while (entry && at < this.nextPosition) {
      const node = entry.node;
      if (node && entry.position >= at) {
        const next = entry.position + 1;
        const type = node.mode & S_IFMT;
        if (!sink.entry(entry.nameBytes, entry.nameLength, node.inode, type, next)) return at;
        at = next;
      }
      entry = this.entries.next(entry);
    }
    return this.lowerIterate(at, sink);
  }

  /** True if there is no entry but "." and "..". */
  isEmpty(): bool {
    const probe = new EmptinessProbe();
    this.iterate(FIRST_POSITION, probe);
    const isEmpty = !probe.found;
    free(probe);
    return isEmpty;
  }

  // ---- changing ----

  /** Adds an entry for a name that has none but perhaps a whiteout; takes over the reference. */
  insert(name: usize, nameLength: usize, node: TmpfsNode | null): void {
    const old = this.find(name, nameLength);
    if (old) this.drop(old);
    const entry = new TmpfsEntry(name, nameLength, node);
    entry.position = this.nextPosition++;
    this.table.insert(entry, hashBytes(name, nameLength));
    this.entries.pushBack(entry);
    this.touch();
  }

  /** Removes a name; a whiteout stays if the lower directory has it. */
  private removeName(name: usize, nameLength: usize): void {
    if (this.lowerHas(name, nameLength)) {
      this.insert(name, nameLength, null);
      return;
    }
    const entry = this.find(name, nameLength);
    if (entry) this.drop(entry);
    this.touch();
  }

  create(name: usize, nameLength: usize, mode: u32, nodeDevice: u64): usize {
    if (!mayMakeNode()) return asError(-ENOSPC);
    const fs = this.tmpfs;
    const isFile = (mode & S_IFMT) == S_IFREG;
    const node: TmpfsNode = isFile
      ? new TmpfsFile(fs, mode, fs.newInode())
      : new TmpfsSpecial(fs, mode, fs.newInode(), nodeDevice);
    return this.adopt(name, nameLength, node);
  }

  mkdir(name: usize, nameLength: usize, mode: u32): usize {
    if (!mayMakeNode()) return asError(-ENOSPC);
    const fs = this.tmpfs;
    const node = new TmpfsDirectory(fs, mode, fs.newInode());
    node.parentInode = this.inode;
    this.linkCount++;
    return this.adopt(name, nameLength, node);
  }

  symlink(name: usize, nameLength: usize, target: usize, targetLength: usize): usize {
    if (!mayMakeNode()) return asError(-ENOSPC);
    const fs = this.tmpfs;
    const node = new TmpfsSymlink(fs, S_IFLNK | 0o777, fs.newInode(), target, targetLength);
    return this.adopt(name, nameLength, node);
  }

  createUnnamed(mode: u32): usize {
    if (!mayMakeNode()) return asError(-ENOSPC);
    const node = new TmpfsFile(this.tmpfs, mode, this.tmpfs.newInode());
    node.linkCount = 0;
    return changetype<usize>(node);
  }

  /** Enters a new node; the result carries a second reference. */
  private adopt(name: usize, nameLength: usize, node: TmpfsNode): usize {
    node.retain();
    this.insert(name, nameLength, node);
    return changetype<usize>(node);
  }

  link(target: Vnode, name: usize, nameLength: usize): i64 {
    if (!mayMakeNode()) return -ENOSPC;
    const node = changetype<TmpfsNode>(target);
    node.retain();
    this.insert(name, nameLength, node);
    node.changeLinks(1);
    return 0;
  }

  unlink(name: usize, nameLength: usize, victim: Vnode): i64 {
    // The caller's dentry keeps the victim alive.
    this.removeName(name, nameLength);
    changetype<TmpfsNode>(victim).changeLinks(-1);
    return 0;
  }

  rmdir(name: usize, nameLength: usize, victim: Vnode): i64 {
    const directory = changetype<TmpfsDirectory>(victim);
    if (!directory.isEmpty()) return -ENOTEMPTY;
    this.linkCount--;
    this.removeName(name, nameLength);
    directory.changeLinks(-(<i32>directory.linkCount));
    return 0;
  }

  rename(
    name: usize,
    nameLength: usize,
    moved: Vnode,
    newDirectory: Vnode,
    newName: usize,
    newNameLength: usize,
    replaced: Vnode | null,
    exchange: bool,
  ): i64 {
    const target = changetype<TmpfsDirectory>(newDirectory);
    if (kernelMemoryIsShort()) return -ENOSPC;
    if (replaced && !exchange) {
      const status = replaced.isDirectory
        ? target.rmdir(newName, newNameLength, replaced)
        : target.unlink(newName, newNameLength, replaced);
      if (status < 0) return status;
    }
    // References for the new entries, before the old ones give theirs back.
    const node = changetype<TmpfsNode>(moved);
    node.retain();
    const other = exchange ? changetype<TmpfsNode | null>(changetype<usize>(replaced)) : null;
    if (other) other.retain();
    this.removeName(name, nameLength);
    target.insert(newName, newNameLength, node);
    this.handOver(node, target);
    if (other) {
      this.insert(name, nameLength, other);
      target.handOver(other, this);
    }
    node.changed();
    return 0;
  }

  /** A directory that moves counts in its new parent. */
  private handOver(node: TmpfsNode, target: TmpfsDirectory): void {
    if (!node.isDirectory || target == this) return;
    this.linkCount--;
    target.linkCount++;
    changetype<TmpfsDirectory>(changetype<usize>(node)).parentInode = target.inode;
  }

  open(dentry: Dentry | null, flags: u32): usize {
    return dentry ? changetype<usize>(new DirectoryFile(dentry, flags)) : asError(-ENXIO);
  }

  dispose(): void {
    let entry = this.entries.first;
    while (entry) {
      this.drop(entry);
      entry = this.entries.first;
    }
    this.table.dispose();
    free(this.table);
    free(this.entries);
  }

  private drop(entry: TmpfsEntry): void {
    this.table.remove(entry);
    this.entries.remove(entry);
    entry.dispose();
  }
}

/** Stops at the first entry. */
class EmptinessProbe extends DirectorySink {
  found: bool = false;

  entry(name: usize, nameLength: usize, _inode: u64, _type: u32, _nextPosition: u64): bool {
    if (
      load<u8>(name) == 0x2e &&
      (nameLength == 1 || (nameLength == 2 && load<u8>(name, 1) == 0x2e))
    ) {
      return true;
    }
    this.found = true;
    return false;
  }
}
