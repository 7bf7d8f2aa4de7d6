/**
 * kcmp(2): whether two processes share a resource; and pidfd_getfd(2), which makes them share a file.
 *
 * Neighbours: `other-process.ts`, `pidfd.ts`.
 */
import { EBADF, EINVAL, ESRCH } from "../lib/errno";
import { FD_CLOEXEC } from "./fd-table";
import { installFile } from "./install";
import { holdFiles, holdThreadOwner } from "./other-process";
import { holdPidFd } from "./pidfd";
import { LinuxProcess } from "./process";

const KCMP_FILE: i32 = 0;
const KCMP_VM: i32 = 1;
const KCMP_FILES: i32 = 2;
const KCMP_FS: i32 = 3;
const KCMP_SIGHAND: i32 = 4;
const KCMP_IO: i32 = 5;
const KCMP_SYSVSEM: i32 = 6;

/** kcmp(2): 0 = the same object, 1 and 2 = less and greater in an order without meaning. */
export function sysKcmp(pid1: i32, pid2: i32, type: i32, index1: u64, index2: u64): i64 {
  const one = holdThreadOwner(pid1);
  const two = holdThreadOwner(pid2);
  let result: i64 = -ESRCH;
  if (one && two) {
    if (type == KCMP_FILE) result = compareFiles(one, two, <i32>index1, <i32>index2);
    else result = compareParts(one, two, type);
  }
  if (one) one.letGo();
  if (two) two.letGo();
  return result;
}

function compareParts(one: LinuxProcess, two: LinuxProcess, type: i32): i64 {
  switch (type) {
    case KCMP_VM:
      return order(changetype<usize>(one.addressSpace), changetype<usize>(two.addressSpace));
    case KCMP_FILES:
      return order(changetype<usize>(one.files), changetype<usize>(two.files));
    case KCMP_FS:
      return order(changetype<usize>(one.fsContext), changetype<usize>(two.fsContext));
    case KCMP_SIGHAND:
      return order(changetype<usize>(one.signals), changetype<usize>(two.signals));
    case KCMP_IO:
      return 0; // nobody has an I/O context of their own
    case KCMP_SYSVSEM: {
      // What is to be undone belongs to the process; those that have nothing share nothing.
      const isUsed = one.undoesSemaphores || two.undoesSemaphores;
      return isUsed ? order(changetype<usize>(one), changetype<usize>(two)) : 0;
    }
    default:
      return -EINVAL;
  }
}

function compareFiles(one: LinuxProcess, two: LinuxProcess, fd1: i32, fd2: i32): i64 {
  const files1 = holdFiles(one.id);
  const files2 = holdFiles(two.id);
  let result: i64 = -EBADF;
  if (files1 && files2) {
    const file1 = files1.get(fd1);
    const file2 = files2.get(fd2);
    if (file1 && file2) result = order(changetype<usize>(file1), changetype<usize>(file2));
    if (file1) file1.release();
    if (file2) file2.release();
  }
  if (files1) files1.release();
  if (files2) files2.release();
  return result;
}

function order(one: usize, two: usize): i64 {
  if (one == two) return 0;
  return one < two ? 1 : 2;
}

/** pidfd_getfd(2): a descriptor for the file that another process has open as `fd`. */
export function sysPidfdGetfd(pidFd: i32, fd: i32, flags: u32): i64 {
  if (flags != 0) return -EINVAL;
  const held = holdPidFd(pidFd);
  if (held == 0) return -EBADF;
  const process = changetype<LinuxProcess>(held);
  const files = holdFiles(process.id);
  process.letGo();
  if (!files) return -ESRCH;
  const file = files.get(fd);
  files.release();
  return file ? installFile(file, FD_CLOEXEC) : -EBADF;
}
