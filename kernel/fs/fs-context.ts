/**
 * Where a process stands in the name space: its root, working directory and umask.
 *
 * Neighbour: `path` starts walks here.
 */
import { Counted, free } from "../lib/object";
import { Dentry } from "./dentry";

/** The working directory, root and umask of a process; threads share one (CLONE_FS). */
export class FsContext extends Counted {
  /** What "/" means (chroot(2)). */
  root: Dentry;
  /** Where relative paths start. */
  cwd: Dentry;
  umask: u32 = 0o022;

  /** Takes a reference of both. */
  constructor(root: Dentry, cwd: Dentry) {
    super();
    root.retain();
    cwd.retain();
    this.root = root;
    this.cwd = cwd;
  }

  /** Changes the working directory (chdir); takes a reference. */
  setCwd(cwd: Dentry): void {
    cwd.retain();
    const old = this.cwd;
    this.cwd = cwd;
    old.release();
  }

  /** Changes the root (chroot); takes a reference. */
  setRoot(root: Dentry): void {
    root.retain();
    const old = this.root;
    this.root = root;
    old.release();
  }

  /** A copy for a new process. */
  copy(): FsContext {
    const copy = new FsContext(this.root, this.cwd);
    copy.umask = this.umask;
    return copy;
  }

  destroy(): void {
    this.root.release();
    this.cwd.release();
    free(this);
  }
}
