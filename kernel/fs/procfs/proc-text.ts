/**
 * Text files of /proc: rendered when they are read from the start, served from that text.
 *
 * Neighbours: `render` writes the text, `store` takes what is written to the few that can be.
 */
import { copyUser } from "../../arch/cpu";
import { EACCES, EFAULT, EINVAL, asError } from "../../lib/errno";
import { ByteWriter } from "../../lib/format";
import { free } from "../../lib/object";
import { O_ACCMODE, O_RDONLY, SEEK_CUR, SEEK_SET } from "../constants";
import { Dentry } from "../dentry";
import { NamedFile } from "../named-file";
import { ProcFileSystem } from "./procfs";
import { ProcNode } from "./proc-node";
import { render } from "./render";
import { storeText } from "./store";

export class ProcText extends ProcNode {
  constructor(
    fs: ProcFileSystem,
    mode: u32,
    kind: u32,
    pid: i32,
    tid: i32,
    readonly text: string,
  ) {
    super(fs, mode, kind, pid, tid);
  }

  open(dentry: Dentry | null, flags: u32): usize {
    const writes = (flags & O_ACCMODE) != O_RDONLY;
    if (!dentry || (writes && !(this.mode & 0o200))) return asError(-EACCES);
    return changetype<usize>(new ProcTextFile(this, dentry, flags));
  }

  truncate(_sizeBytes: u64): i64 {
    return 0;
  }
}

class ProcTextFile extends NamedFile {
  private content: ByteWriter = new ByteWriter();

  constructor(
    private source: ProcText,
    dentry: Dentry,
    flags: u32,
  ) {
    super(dentry, flags);
  }

  read(buffer: usize, length: usize): i64 {
    const count = this.readAt(buffer, length, this.offset);
    if (count > 0) this.offset += count;
    return count;
  }

  readAt(buffer: usize, length: usize, offset: u64): i64 {
    const content = this.content;
    if (offset == 0) {
      const source = this.source;
      content.clear();
      const status = render(source.kind, source.pid, source.tid, source.text, content);
      if (status < 0) return status;
    }
    if (offset >= content.length) return 0;
    const count = min<usize>(length, content.length - <usize>offset);
    const missed = copyUser(buffer, content.address + <usize>offset, count);
    return missed == count ? -EFAULT : count - missed;
  }

  write(buffer: usize, length: usize): i64 {
    const source = this.source;
    return storeText(source.kind, source.pid, source.tid, buffer, length);
  }

  writeAt(buffer: usize, length: usize, _offset: u64): i64 {
    return this.write(buffer, length);
  }

  seek(offset: i64, origin: u32): i64 {
    let target = offset;
    if (origin == SEEK_CUR) target += <i64>this.offset;
    else if (origin != SEEK_SET) return -EINVAL;
    if (target < 0) return -EINVAL;
    this.offset = target;
    return target;
  }

  dispose(): void {
    this.content.dispose();
    free(this.content);
    super.dispose();
  }
}
