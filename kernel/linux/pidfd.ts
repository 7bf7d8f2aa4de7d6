/**
 * Descriptors that stand for processes: pidfd_open(2), pidfd_send_signal(2), CLONE_PIDFD, and
 * waitid(2) with P_PIDFD. Readable once the process has ended.
 *
 * Neighbours: `process-table.ts`, `wait.ts`, `signal-kill.ts`.
 */
import { O_NONBLOCK, O_RDWR, POLLIN, POLLRDNORM } from "../fs/constants";
import { ProcDirectory } from "../fs/procfs/proc-directory";
import { KIND_PROCESS } from "../fs/procfs/table";
import { EBADF, EFAULT, EINVAL, EPERM, ESRCH } from "../lib/errno";
import { free } from "../lib/object";
import { WaitLink } from "../sched/wait";
import { AnonymousFile } from "./anonymous-file";
import { FD_CLOEXEC } from "./fd-table";
import { currentFiles, descriptorLimit, drop, heldFile, hold } from "./held-file";
import { installFile } from "./install";
import { LinuxProcess, currentProcess } from "./process";
import { familyLock, findProcess } from "./process-table";
import { deliverTo, senderInfo } from "./signal-kill";
import { SIGNAL_MAX, SI_USER } from "./signal-numbers";
import { SIGINFO_BYTES, SignalInfo } from "./signal-state";
import { copyIn, scratch } from "./user-memory";

class PidFile extends AnonymousFile {
  /** Takes over one hold of the process. */
  constructor(
    readonly process: LinuxProcess,
    flags: u32,
  ) {
    super(flags);
  }

  typeName(): string {
    return "pidfd";
  }

  poll(link: WaitLink | null): u32 {
    if (link) this.process.ended.add(link);
    return this.process.isZombie ? POLLIN | POLLRDNORM : 0;
  }

  unpoll(link: WaitLink): void {
    this.process.ended.remove(link);
  }

  dispose(): void {
    this.process.letGo();
    free(this);
  }
}

/** Reserves a descriptor for a child that is being made; the descriptor, -EMFILE or -ENOMEM. */
export function reservePidFd(_process: LinuxProcess): i64 {
  return currentFiles().reserve(0, descriptorLimit());
}

export function cancelPidFd(fd: i32): void {
  currentFiles().cancel(fd);
}

/** Makes the reserved descriptor stand for the process. */
export function fillPidFd(fd: i32, process: LinuxProcess): void {
  process.hold();
  currentFiles().fill(fd, new PidFile(process, O_RDWR), FD_CLOEXEC);
}

/** pidfd_open(2). */
export function sysPidfdOpen(pid: i32, flags: u32): i64 {
  if (pid <= 0 || (flags & ~O_NONBLOCK) != 0) return -EINVAL;
  familyLock.acquire();
  const process = findProcess(pid);
  if (process) process.hold();
  familyLock.release();
  if (!process) return -ESRCH;
  return installFile(new PidFile(process, O_RDWR | flags), FD_CLOEXEC);
}

/**
 * The process a descriptor stands for, with a hold, and whether it was opened with O_NONBLOCK.
 * @returns 0 if it is no pidfd (EBADF)
 */
export function holdPidFd(fd: i32): usize {
  const held = hold(fd);
  if (held == 0) return 0;
  const file = heldFile(held);
  let process: LinuxProcess | null = null;
  if (file instanceof PidFile) {
    process = (file as PidFile).process;
    process.hold();
  }
  drop(held);
  return changetype<usize>(process);
}

/** The same; a directory /proc/PID stands for its process too (pidfd_send_signal(2)). */
function holdSignalTarget(fd: i32): usize {
  const target = holdPidFd(fd);
  if (target != 0) return target;
  const held = hold(fd);
  if (held == 0) return 0;
  let process: LinuxProcess | null = null;
  const vnode = heldFile(held).vnode;
  if (vnode instanceof ProcDirectory && (vnode as ProcDirectory).kind == KIND_PROCESS) {
    familyLock.acquire();
    process = findProcess((vnode as ProcDirectory).pid);
    if (process) process.hold();
    familyLock.release();
  }
  drop(held);
  return changetype<usize>(process);
}

/** pidfd_send_signal(2). */
export function sysPidfdSendSignal(fd: i32, signal: i32, info: usize, flags: u32): i64 {
  if (flags != 0 || signal < 0 || signal > SIGNAL_MAX) return -EINVAL;
  const held = holdSignalTarget(fd);
  if (held == 0) return -EBADF;
  const process = changetype<LinuxProcess>(held);
  let result: i64 = 0;
  if (info != 0) {
    if (copyIn(scratch(), info, SIGINFO_BYTES) != 0) result = -EFAULT;
    else if (changetype<SignalInfo>(scratch()).signo != signal) result = -EINVAL;
    else if (changetype<SignalInfo>(scratch()).code >= 0 && process != currentProcess())
      result = -EPERM;
  } else senderInfo(currentProcess(), signal, SI_USER);
  if (result == 0 && process.isZombie) result = -ESRCH;
  familyLock.acquire();
  if (result == 0) result = deliverTo(process, signal, scratch());
  familyLock.release();
  process.letGo();
  return result;
}
