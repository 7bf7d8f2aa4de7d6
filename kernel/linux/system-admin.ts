/**
 * Calls that administer a system of several users: process accounting, swap space, quotas, hang-ups of
 * terminals, namespaces. There is nothing of the kind here, and the answers are those of a Linux that
 * has none either.
 *
 * Neighbours: `clone.ts` (what processes may share), `fd-table.ts`.
 */
import { Dentry } from "../fs/dentry";
import { RESOLVE_FOLLOW } from "../fs/path";
import { EBADF, EINVAL, ENODEV, ENOSYS, EPERM, isError } from "../lib/errno";
import { unshareFiles } from "./file-open";
import { drop, hold } from "./held-file";
import { AT_FDCWD, resolveArgument } from "./path-argument";
import { currentProcess } from "./process";

const CLONE_VM: u64 = 0x100;
const CLONE_FS: u64 = 0x200;
const CLONE_FILES: u64 = 0x400;
const CLONE_SIGHAND: u64 = 0x800;
const CLONE_THREAD: u64 = 0x10000;
const CLONE_SYSVSEM: u64 = 0x40000;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWTIME (namespaces(7)). */
const CLONE_NAMESPACES: u64 = 0x7e02_0080;

/** 0 if the path leads somewhere, which is looked at before everything else, or the error. */
function pathError(path: usize): i64 {
  const found = resolveArgument(AT_FDCWD, path, RESOLVE_FOLLOW);
  if (isError(found)) return <i64>found;
  changetype<Dentry>(found).release();
  return 0;
}

/** acct(2): as on a kernel without process accounting. A null path turns off what is off. */
export function sysAcct(path: usize): i64 {
  if (path == 0) return 0;
  const error = pathError(path);
  return error != 0 ? error : -ENOSYS;
}

/** swapon(2): no file is ever a swap area. */
export function sysSwapon(path: usize, _flags: i32): i64 {
  const error = pathError(path);
  return error != 0 ? error : -EINVAL;
}

/** swapoff(2): as `sysSwapon`. */
export function sysSwapoff(path: usize): i64 {
  return sysSwapon(path, 0);
}

/** quotactl(2): no file system keeps quotas. */
export function sysQuotactl(_command: u32, special: usize, _id: i32, _address: usize): i64 {
  if (special == 0) return -ENODEV;
  const error = pathError(special);
  return error != 0 ? error : -ENODEV;
}

/** quotactl_fd(2). */
export function sysQuotactlFd(fd: i32, _command: u32, _id: i32, _address: usize): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  drop(held);
  return -ENODEV;
}

/**
 * unshare(2): files and directories become the process's own if it shares them with another process;
 * threads of one process cannot be separated, and there are no namespaces to leave.
 */
export function sysUnshare(flags: u64): i64 {
  const parts = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  if ((flags & ~(parts | CLONE_NAMESPACES)) != 0) return -EINVAL;
  if ((flags & CLONE_NAMESPACES) != 0) return -EPERM;
  const process = currentProcess();
  const isAlone = process.threadCount == 1;
  if (!isAlone && flags != 0) return -EINVAL;
  if ((flags & (CLONE_FS | CLONE_THREAD)) != 0 && process.fsContext.referenceCount() > 1) {
    const shared = process.fsContext;
    process.fsContext = shared.copy();
    shared.release();
  }
  if ((flags & CLONE_FILES) != 0) return unshareFiles();
  return 0;
}

/** setns(2): no descriptor stands for a namespace. */
export function sysSetns(fd: i32, _type: i32): i64 {
  const held = hold(fd);
  if (held == 0) return -EBADF;
  drop(held);
  return -EINVAL;
}
