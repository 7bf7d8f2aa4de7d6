/**
 * Links of /proc. Those to files of a process lead to the file itself ("magic links", symlink(7)):
 * what they show is only its name, which may be gone.
 */
import { ENOENT, asError, isError } from "../../lib/errno";
import { ByteWriter } from "../../lib/format";
import { free } from "../../lib/object";
import { S_IFLNK } from "../constants";
import { Dentry, createUnnamedDentry } from "../dentry";
import { openDentry } from "../open";
import { writePathOf } from "../path-name";
import { FileVnode } from "./file-vnode";
import { ProcFileSystem } from "./procfs";
import { ProcNode } from "./proc-node";
import { processProvider } from "./provider";
import {
  KIND_CWD,
  KIND_DESCRIPTOR,
  KIND_EXE,
  KIND_PROCESS_ROOT,
  KIND_SELF,
  KIND_THREAD_SELF,
} from "./table";

export class ProcLink extends ProcNode {
  /** @param text target of an ordinary link */
  constructor(
    fs: ProcFileSystem,
    kind: u32,
    pid: i32,
    tid: i32,
    private text: string,
  ) {
    super(fs, S_IFLNK | 0o777, kind, pid, tid);
    if (kind == KIND_DESCRIPTOR) this.mode = S_IFLNK | descriptorMode(pid, tid);
  }

  readlink(buffer: usize, capacity: usize): i64 {
    // A writer of the buffer's size would take no name that is longer; readlink(2) cuts it.
    const out = new ByteWriter();
    const status = this.writeTarget(out);
    const length = min(out.length, capacity);
    memory.copy(buffer, out.address, length);
    out.dispose();
    free(out);
    return status < 0 ? status : <i64>length;
  }

  private writeTarget(out: ByteWriter): i64 {
    const provider = processProvider();
    if (!provider) return -ENOENT;
    switch (this.kind) {
      case KIND_SELF:
        out.writeSigned(provider.currentPid());
        return 0;
      case KIND_THREAD_SELF:
        out.writeSigned(provider.currentPid());
        out.writeString("/task/");
        out.writeSigned(provider.currentTid());
        return 0;
      case KIND_DESCRIPTOR: {
        const file = provider.file(this.pid, this.tid);
        if (!file) return -ENOENT;
        file.writePath(out);
        file.release();
        return 0;
      }
      case KIND_EXE:
      case KIND_CWD:
      case KIND_PROCESS_ROOT: {
        const target = this.target();
        if (!target) return -ENOENT;
        writePathOf(target, null, out, true);
        target.release();
        return 0;
      }
      default:
        out.writeString(this.text);
        return 0;
    }
  }

  /** What exe, cwd and root lead to, with a reference. */
  private target(): Dentry | null {
    const provider = processProvider();
    if (!provider) return null;
    let target: Dentry | null = null;
    if (this.kind == KIND_EXE) {
      target = provider.executable(this.pid);
    } else {
      const context = provider.fsContext(this.pid);
      if (!context) return null;
      const found = this.kind == KIND_CWD ? context.cwd : context.root;
      found.retain();
      context.release();
      target = found;
    }
    return target;
  }

  followMagic(): usize {
    if (this.kind == KIND_DESCRIPTOR) return this.followDescriptor();
    if (this.kind != KIND_EXE && this.kind != KIND_CWD && this.kind != KIND_PROCESS_ROOT) return 0;
    const target = this.target();
    return target ? changetype<usize>(target) : asError(-ENOENT);
  }

  private followDescriptor(): usize {
    const provider = processProvider();
    const file = provider ? provider.file(this.pid, this.tid) : null;
    if (!file) return asError(-ENOENT);
    const dentry = file.dentry;
    if (dentry) {
      dentry.retain();
      file.release();
      return changetype<usize>(dentry);
    }
    // A pipe, socket or the like: a stand-in that answers stat from the open file.
    return changetype<usize>(createUnnamedDentry(new FileVnode(this.proc, file), 0, 0));
  }

  openMagic(flags: u32): usize {
    if (this.kind == KIND_DESCRIPTOR) {
      const provider = processProvider();
      const file = provider ? provider.file(this.pid, this.tid) : null;
      if (!file) return asError(-ENOENT);
      const reopened = file.reopen(flags);
      file.release();
      return reopened;
    }
    const found = this.followMagic();
    if (!found || isError(found)) return found;
    const file = openDentry(changetype<Dentry>(found), flags);
    changetype<Dentry>(found).release();
    return file;
  }
}

/** r-x for readable, -wx for writable descriptors, as Linux shows them. */
function descriptorMode(pid: i32, descriptor: i32): u32 {
  const provider = processProvider();
  const file = provider ? provider.file(pid, descriptor) : null;
  if (!file) return 0;
  const mode = (file.isReadable ? <u32>0o500 : 0) | (file.isWritable ? <u32>0o300 : 0);
  file.release();
  return mode;
}
