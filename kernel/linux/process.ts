/**
 * A Linux process: one program's address space, open files, signal dispositions, identity and
 * limits, shared by its threads.
 *
 * Locks: `lock` guards the thread list, signal dispositions, shared pending signals and the exit
 * state. It is taken after the address space's mutex and before a futex bucket's lock.
 *
 * Neighbours: `thread.ts`, `fd-table.ts`, `exec.ts` (fills a process), `exit.ts` (ends it).
 */
import { SpinLock } from "../arch/spinlock";
import { Dentry } from "../fs/dentry";
import { FsContext } from "../fs/path";
import { Process } from "../sched/process";
import { currentThread } from "../sched/thread";
import { AddressSpace } from "../vm/address-space";
import { Credentials } from "./credentials";
import { FdTable } from "./fd-table";
import { ResourceLimits } from "./limits";
import { SignalState } from "./signal-state";
import { LinuxThread } from "./thread";

export class LinuxProcess extends Process {
  lock: SpinLock = new SpinLock();

  addressSpace: AddressSpace | null = null;
  files: FdTable | null = null;

  /** Working directory, root and umask; reference owned. */
  fsContext: FsContext | null = null;
  /** The program's file (/proc/self/exe); reference owned. */
  executable: Dentry | null = null;

  /** Threads, most recent first; guarded by `lock`. */
  threads: LinuxThread | null = null;
  threadCount: u32 = 0;

  signals: SignalState = new SignalState();
  credentials: Credentials = new Credentials();
  limits: ResourceLimits = new ResourceLimits();

  parentId: i32 = 0;
  groupId: i32 = 0;
  sessionId: i32 = 0;

  /** Set once by exit_group, a fatal signal or the last thread's exit. */
  exiting: bool = false;
  /** wait4(2) status word: `status << 8`, or the number of the fatal signal. */
  exitStatus: i32 = 0;
}

/** The process of the running thread; the caller runs for a Linux thread. */
export function currentProcess(): LinuxProcess {
  return changetype<LinuxProcess>(currentThread().process);
}

/** The running thread, which belongs to a Linux process. */
export function currentLinuxThread(): LinuxThread {
  return changetype<LinuxThread>(currentThread());
}
