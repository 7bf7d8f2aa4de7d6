/**
 * Where a process stands in the name space: its root, working directory and umask, and who owns
 * what it makes.
 *
 * Neighbour: `path` starts walks here.
 */
import { SpinLock } from "../arch/spinlock";
import { Counted, free } from "../lib/object";
import { Dentry } from "./dentry";

/** The working directory, root and umask of a process; threads share one (CLONE_FS). */
export class FsContext extends Counted {
  /** What "/" means (chroot(2)). */
  root: Dentry;
  /** Where relative paths start. */
  cwd: Dentry;
  umask: u32 = 0o022;
  /** Who owns the files that are made: the file-system identity (credentials(7)). */
  ownerUser: u32 = 0;
  ownerGroup: u32 = 0;
  /** Guards `root` and `cwd`; held for a few instructions. */
  private lock: SpinLock = new SpinLock();

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
    this.lock.acquire();
    const old = this.cwd;
    this.cwd = cwd;
    this.lock.release();
    old.release();
  }

  /** Changes the root (chroot); takes a reference. */
  setRoot(root: Dentry): void {
    root.retain();
    this.lock.acquire();
    const old = this.root;
    this.root = root;
    this.lock.release();
    old.release();
  }

  /** The working directory with a reference for the caller. */
  takeCwd(): Dentry {
    this.lock.acquire();
    const cwd = this.cwd;
    cwd.retain();
    this.lock.release();
    return cwd;
  }

  /** The root with a reference for the caller. */
  takeRoot(): Dentry {
    this.lock.acquire();
    const root = this.root;
    root.retain();
    this.lock.release();
    return root;
  }

  /** A copy for a new process. */
  copy(): FsContext {
    const root = this.takeRoot();
    const cwd = this.takeCwd();
    const copy = new FsContext(root, cwd);
    copy.umask = this.umask;
    copy.ownerUser = this.ownerUser;
    copy.ownerGroup = this.ownerGroup;
    root.release();
    cwd.release();
    return copy;
  }

  destroy(): void {
    this.root.release();
    this.cwd.release();
    free(this.lock);
    free(this);
  }
}
