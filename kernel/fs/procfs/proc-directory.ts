/**
 * Directories of /proc: a table of names, and for some kinds one name for each process, thread or
 * descriptor.
 *
 * Positions in a directory: 0 ".", 1 "..", then the number of the entry in its table, then from
 * NUMBERED on the number that is the name.
 */
import { EACCES, ENOENT, asError } from "../../lib/errno";
import { equalsLiteral } from "../../lib/bytes";
import { ByteWriter } from "../../lib/format";
import { free } from "../../lib/object";
import { parseWholeDecimal } from "../../lib/parse";
import { S_IFDIR, S_IFLNK, S_IFREG } from "../constants";
import { Dentry } from "../dentry";
import { DirectoryFile } from "../directory-file";
import { Literal } from "../literal";
import { DirectorySink, Vnode } from "../vnode";
import { ProcFileSystem } from "./procfs";
import { ProcLink } from "./proc-link";
import { ProcNode } from "./proc-node";
import { ProcText } from "./proc-text";
import { processProvider } from "./provider";
import {
  KIND_DESCRIPTOR,
  KIND_DESCRIPTORS,
  KIND_DESCRIPTOR_FACTS,
  KIND_DIRECTORY,
  KIND_FD_FACTS,
  KIND_LINK,
  KIND_PROCESS,
  KIND_ROOT,
  KIND_TASKS,
  KIND_TEXT,
  KIND_THREAD,
  ProcEntry,
  ProcTable,
} from "./table";

const FIRST: u64 = 2;
const NUMBERED: u64 = 1 << 20;

export class ProcDirectory extends ProcNode {
  private number: u64 = 0;
  private dots: u16 = 0x2e2e;

  /** @param own the names, for kinds that do not tell them */
  constructor(
    fs: ProcFileSystem,
    kind: u32,
    private own: ProcTable | null,
    pid: i32,
    tid: i32,
  ) {
    super(fs, S_IFDIR | (kind == KIND_DESCRIPTORS ? <u32>0o500 : <u32>0o555), kind, pid, tid);
    // Directories with a table of their own are told apart by it.
    if (kind == KIND_DIRECTORY) this.inode += changetype<usize>(own) & 0xfffffff;
  }

  private get table(): ProcTable | null {
    return this.proc.tableOf(this.kind, this.own);
  }

  lookup(name: usize, nameLength: usize): usize {
    const table = this.table;
    let entry = table ? table.first : null;
    while (entry) {
      if (equalsLiteral(name, nameLength, entry.name)) return this.nodeOf(entry);
      entry = entry.next;
    }
    const slot = changetype<usize>(this) + offsetof<ProcDirectory>("number");
    const isNumber = parseWholeDecimal(name, nameLength, slot);
    if (!isNumber || this.number > 0x7fffffff) return asError(-ENOENT);
    return this.numbered(<i32>this.number);
  }

  /** The vnode of an entry of the table, with a reference. */
  private nodeOf(entry: ProcEntry): usize {
    const fs = this.proc;
    let node: Vnode;
    if (entry.kind < KIND_LINK) {
      node = new ProcDirectory(fs, entry.kind, entry.children, this.pid, this.tid);
    } else if (entry.kind < KIND_TEXT) {
      node = new ProcLink(fs, entry.kind, this.pid, this.tid, entry.text);
    } else {
      node = new ProcText(fs, S_IFREG | entry.mode, entry.kind, this.pid, this.tid, entry.text);
    }
    return changetype<usize>(node);
  }

  /** The vnode of a number, with a reference, if there is such a process, thread or descriptor. */
  private numbered(number: i32): usize {
    const provider = processProvider();
    if (!provider) return asError(-ENOENT);
    const fs = this.proc;
    let node: Vnode | null = null;
    switch (this.kind) {
      case KIND_ROOT:
        // A thread id names its process too, though it is not listed (proc(5)).
        if (provider.exists(number, number)) {
          node = new ProcDirectory(fs, KIND_PROCESS, null, number, number);
        }
        break;
      case KIND_TASKS:
        if (provider.exists(this.pid, number)) {
          node = new ProcDirectory(fs, KIND_THREAD, null, this.pid, number);
        }
        break;
      case KIND_DESCRIPTORS:
        if (isOpen(this.pid, number)) {
          node = new ProcLink(fs, KIND_DESCRIPTOR, this.pid, number, "");
        }
        break;
      case KIND_DESCRIPTOR_FACTS:
        if (isOpen(this.pid, number)) {
          node = new ProcText(fs, S_IFREG | 0o400, KIND_FD_FACTS, this.pid, number, "");
        }
        break;
    }
    return node ? changetype<usize>(node) : asError(-ENOENT);
  }

  iterate(position: u64, sink: DirectorySink): i64 {
    const dots = changetype<usize>(this) + offsetof<ProcDirectory>("dots");
    if (position < 1 && !sink.entry(dots, 1, this.inode, S_IFDIR, 1)) return 0;
    if (position < 2 && !sink.entry(dots, 2, this.inode, S_IFDIR, FIRST)) return 1;
    let at = max<u64>(position, FIRST);
    if (at < NUMBERED) {
      const table = this.table;
      let entry = table ? table.first : null;
      let index = FIRST;
      while (entry) {
        if (index >= at) {
          if (!reportEntry(entry, index, sink)) return index;
          at = index + 1;
        }
        index++;
        entry = entry.next;
      }
      at = NUMBERED;
    }
    return this.iterateNumbers(at, sink);
  }

  private iterateNumbers(position: u64, sink: DirectorySink): i64 {
    let at = position;
    const writer = new ByteWriter();
    let number = this.numberAfter(<i32>(at - NUMBERED) - 1);
    while (number >= 0) {
      writer.clear();
      writer.writeDecimal(number);
      const type = numberedType(this.kind);
      const next = NUMBERED + number + 1;
      const inode = next + this.inode;
      if (!sink.entry(writer.address, writer.length, inode, type, next)) break;
      at = next;
      number = this.numberAfter(number);
    }
    writer.dispose();
    free(writer);
    return at;
  }

  /** The next process, thread or descriptor, or -1. */
  private numberAfter(number: i32): i32 {
    const provider = processProvider();
    if (!provider) return -1;
    let next: i32 = 0;
    switch (this.kind) {
      case KIND_ROOT:
        next = provider.nextPid(max<i32>(number, 0));
        return next > 0 ? next : -1;
      case KIND_TASKS:
        next = provider.nextTid(this.pid, max<i32>(number, 0));
        return next > 0 ? next : -1;
      case KIND_DESCRIPTORS:
      case KIND_DESCRIPTOR_FACTS:
        return provider.nextDescriptor(this.pid, number);
      default:
        return -1;
    }
  }

  create(_name: usize, _nameLength: usize, _mode: u32, _nodeDevice: u64): usize {
    return asError(-ENOENT);
  }

  mkdir(_name: usize, _nameLength: usize, _mode: u32): usize {
    return asError(-ENOENT);
  }

  open(dentry: Dentry | null, flags: u32): usize {
    return dentry ? changetype<usize>(new DirectoryFile(dentry, flags)) : asError(-EACCES);
  }
}

function reportEntry(entry: ProcEntry, index: u64, sink: DirectorySink): bool {
  const type = entry.kind < KIND_LINK ? S_IFDIR : entry.kind < KIND_TEXT ? S_IFLNK : S_IFREG;
  const name = new Literal(entry.name);
  const fits = sink.entry(name.bytes, name.length, index, type, index + 1);
  name.dispose();
  return fits;
}

/** What stands behind a number in a directory of that kind. */
function numberedType(kind: u32): u32 {
  if (kind == KIND_DESCRIPTORS) return S_IFLNK;
  return kind == KIND_DESCRIPTOR_FACTS ? S_IFREG : S_IFDIR;
}

function isOpen(pid: i32, descriptor: i32): bool {
  const provider = processProvider();
  if (!provider) return false;
  const file = provider.file(pid, descriptor);
  if (!file) return false;
  file.release();
  return true;
}
