/**
 * What all vnodes of /proc have in common. Neighbours: `proc-directory`, `proc-link`, `proc-text`.
 */
import { ENXIO, asError } from "../../lib/errno";
import { free } from "../../lib/object";
import { realtimeNs } from "../../sched/clock";
import { Dentry } from "../dentry";
import { Stat } from "../stat";
import { Vnode } from "../vnode";
import { ProcFileSystem } from "./procfs";

const NS_PER_SECOND: u64 = 1_000_000_000;

export abstract class ProcNode extends Vnode {
  /**
   * @param kind KIND_*
   * @param pid process, 0 for files that belong to none
   * @param tid thread; descriptor number for files of one descriptor
   */
  constructor(
    readonly proc: ProcFileSystem,
    mode: u32,
    readonly kind: u32,
    readonly pid: i32,
    readonly tid: i32,
  ) {
    super(proc, mode, inodeOf(kind, pid, tid));
  }

  attributes(out: Stat): i64 {
    const now = realtimeNs();
    out.device = this.fs.device;
    out.inode = this.inode;
    out.mode = this.mode;
    out.linkCount = this.isDirectory ? 2 : 1;
    out.blockSizeBytes = 1024;
    out.accessSeconds = out.modifySeconds = out.changeSeconds = now / NS_PER_SECOND;
    out.accessNs = out.modifyNs = out.changeNs = <u32>(now % NS_PER_SECOND);
    return 0;
  }

  open(_dentry: Dentry | null, _flags: u32): usize {
    return asError(-ENXIO);
  }

  destroy(): void {
    free(this);
  }
}

/** A number that is the same at every look-up. Root is 1, as in Linux. */
function inodeOf(kind: u32, pid: i32, tid: i32): u64 {
  return (((<u64>pid) << 40) | ((<u64>tid) << 12) | kind) - 1;
}
