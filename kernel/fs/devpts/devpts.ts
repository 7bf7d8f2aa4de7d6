/**
 * /dev/pts: one node for each pseudo-terminal whose master is open (pts(4)). Names come and go with the
 * masters; nothing can be made or removed here.
 *
 * Neighbours: `dev/console/pty` (the terminals), `character-file`.
 */
import { PTY_MAX, PtySlave, ptySlave } from "../../dev/console/pty";
import { ENOENT, ENXIO, asError } from "../../lib/errno";
import { free } from "../../lib/object";
import { realtimeNs } from "../../sched/clock";
import { openCharacterDevice } from "../character-file";
import { S_IFCHR, S_IFDIR, S_PERMISSIONS, makeDevice } from "../constants";
import { Dentry } from "../dentry";
import { DirectoryFile } from "../directory-file";
import { newAnonymousDevice } from "../mount";
import {
  AttributeChange,
  CHANGE_GID,
  CHANGE_MODE,
  CHANGE_UID,
  FileSystemStat,
  Stat,
} from "../stat";
import { DirectorySink, FileSystem, Vnode } from "../vnode";

const DEVPTS_MAGIC: u64 = 0x1cd1;
const NS_PER_SECOND: u64 = 1_000_000_000;
const ROOT_INODE: u64 = 1;
/** Terminal N has this inode number plus N. */
const FIRST_INODE: u64 = 3;
/** Longest name: a number below 4096. */
const NAME_MAX: usize = 4;
const DIGIT_0: u8 = 0x30;

class PtsFileSystem extends FileSystem {
  private rootNode: Vnode | null = null;

  constructor() {
    super();
    this.device = newAnonymousDevice();
    this.cachesNames = false;
  }

  root(): Vnode {
    let root = this.rootNode;
    if (!root) this.rootNode = root = new PtsDirectory(this);
    return root;
  }

  typeName(): string {
    return "devpts";
  }

  statistics(out: FileSystemStat): void {
    out.type = DEVPTS_MAGIC;
  }
}

abstract class PtsVnode extends Vnode {
  startedNs: u64 = realtimeNs();

  attributes(out: Stat): i64 {
    out.device = this.fs.device;
    out.inode = this.inode;
    out.mode = this.mode;
    out.blockSizeBytes = 1024;
    const now = this.startedNs;
    out.accessSeconds = out.modifySeconds = out.changeSeconds = now / NS_PER_SECOND;
    out.accessNs = out.modifyNs = out.changeNs = <u32>(now % NS_PER_SECOND);
    return 0;
  }

  destroy(): void {
    free(this);
  }
}

class PtsDirectory extends PtsVnode {
  constructor(fs: FileSystem) {
    super(fs, S_IFDIR | 0o755, ROOT_INODE);
  }

  attributes(out: Stat): i64 {
    super.attributes(out);
    out.linkCount = 2;
    return 0;
  }

  lookup(name: usize, nameLength: usize): usize {
    const index = numberOf(name, nameLength);
    const slave = index < PTY_MAX ? ptySlave(index) : null;
    return slave ? changetype<usize>(new PtsNode(this.fs, slave)) : asError(-ENOENT);
  }

  iterate(position: u64, sink: DirectorySink): i64 {
    // The namespaceLock is held: nobody else writes the name.
    const name = memory.data(8, 8);
    let at = position;
    for (; at < 2 + <u64>PTY_MAX; at++) {
      let inode = ROOT_INODE;
      let type = S_IFDIR;
      let length: usize = <usize>at + 1;
      if (at < 2) store<u16>(name, 0x2e2e);
      else {
        const index = <u32>at - 2;
        if (!ptySlave(index)) continue;
        length = writeNumber(name, index);
        inode = FIRST_INODE + index;
        type = S_IFCHR;
      }
      if (!sink.entry(name, length, inode, type, at + 1)) break;
    }
    return at;
  }

  open(dentry: Dentry | null, flags: u32): usize {
    return dentry ? changetype<usize>(new DirectoryFile(dentry, flags)) : asError(-ENXIO);
  }
}

class PtsNode extends PtsVnode {
  constructor(
    fs: FileSystem,
    private slave: PtySlave,
  ) {
    super(fs, S_IFCHR | slave.mode, FIRST_INODE + slave.index);
  }

  attributes(out: Stat): i64 {
    super.attributes(out);
    out.mode = S_IFCHR | this.slave.mode;
    out.uid = this.slave.uid;
    out.gid = this.slave.gid;
    out.nodeDevice = this.nodeDevice();
    return 0;
  }

  setAttributes(change: AttributeChange): i64 {
    const slave = this.slave;
    if (change.valid & CHANGE_MODE) slave.mode = change.mode & S_PERMISSIONS;
    if (change.valid & CHANGE_UID) slave.uid = change.uid;
    if (change.valid & CHANGE_GID) slave.gid = change.gid;
    return 0;
  }

  nodeDevice(): u64 {
    return makeDevice(this.slave.major, this.slave.minor);
  }

  open(dentry: Dentry | null, flags: u32): usize {
    return openCharacterDevice(this.slave, dentry, flags);
  }
}

/** The number that a name is in its usual form, or u32.MAX_VALUE. */
function numberOf(name: usize, length: usize): u32 {
  if (length == 0 || length > NAME_MAX) return u32.MAX_VALUE;
  if (length > 1 && load<u8>(name) == DIGIT_0) return u32.MAX_VALUE;
  let value: u32 = 0;
  for (let i: usize = 0; i < length; i++) {
    const digit = load<u8>(name + i) - DIGIT_0;
    if (digit > 9) return u32.MAX_VALUE;
    value = value * 10 + digit;
  }
  return value;
}

/** Writes a number below 10,000 without leading zeros; returns its length. */
function writeNumber(target: usize, value: u32): usize {
  let length: usize = 1;
  for (let rest = value / 10; rest != 0; rest /= 10) length++;
  let rest = value;
  for (let i = length; i > 0; i--) {
    store<u8>(target + i - 1, DIGIT_0 + <u8>(rest % 10));
    rest /= 10;
  }
  return length;
}

/** The file system. */
export const DEVPTS: FileSystem = new PtsFileSystem();
