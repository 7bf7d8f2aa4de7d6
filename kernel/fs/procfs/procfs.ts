/**
 * /proc: processes and the kernel as files (proc(5)). Nothing is stored: a look-up makes a vnode,
 * opening a file renders its text.
 *
 * Neighbours: `content` (the names), `proc-directory`, `proc-link`, `proc-text` (the vnodes),
 * `provider` (what `linux/` tells about processes), `sysfs` (the same with other names).
 */
import { newAnonymousDevice } from "../mount";
import { FileSystemStat } from "../stat";
import { FileSystem, Vnode } from "../vnode";
import { PROCESS_NAMES, ROOT_NAMES, THREAD_NAMES } from "./content";
import { ProcDirectory } from "./proc-directory";
import { KIND_DIRECTORY, KIND_PROCESS, KIND_ROOT, KIND_THREAD, ProcTable } from "./table";

const PROC_MAGIC: u64 = 0x9fa0;

export class ProcFileSystem extends FileSystem {
  private rootNode: Vnode | null = null;
  private rootNames: ProcTable | null = null;
  /** f_type of statfs(2). */
  magic: u64 = PROC_MAGIC;
  /** KIND_ROOT with processes in the root, KIND_DIRECTORY without. */
  rootKind: u32 = KIND_ROOT;

  constructor() {
    super();
    this.device = newAnonymousDevice();
    this.cachesNames = false;
  }

  root(): Vnode {
    let root = this.rootNode;
    if (!root) {
      root = new ProcDirectory(this, this.rootKind, null, 0, 0);
      this.rootNode = root;
    }
    return root;
  }

  typeName(): string {
    return "proc";
  }

  /** The names in the root; asked for once. */
  makeTable(): ProcTable {
    return ROOT_NAMES;
  }

  /** The names of a directory: `own` if it has a table, else those of its kind. */
  tableOf(kind: u32, own: ProcTable | null): ProcTable | null {
    if (own) return own;
    switch (kind) {
      case KIND_ROOT:
      case KIND_DIRECTORY: {
        let names = this.rootNames;
        if (!names) this.rootNames = names = this.makeTable();
        return names;
      }
      case KIND_PROCESS:
        return PROCESS_NAMES;
      case KIND_THREAD:
        return THREAD_NAMES;
      default:
        return null;
    }
  }

  statistics(out: FileSystemStat): void {
    out.type = this.magic;
  }
}

/** The file system. */
export const PROCFS: FileSystem = new ProcFileSystem();
